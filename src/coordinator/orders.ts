import { z } from 'zod';
import { type AgentId, shellWord } from '../kernel/index.ts';
import type { TeamRow } from '../ledger/index.ts';
import type { LaunchOrder, ResetOrder, RestartOrder, StartAgentOrder } from '../lifecycle/index.ts';

/*
 * What the verbs that start and end agents are asked with, and the orders that are made of it: the same whether the verb is
 * carried out or its plan is shown.
 */

const team = z.string().optional();
const asker = {
  environment: z.record(z.string(), z.string()).default({}),
  umask: z.number().int().min(0).max(0o777).optional(),
  trust: z.boolean().optional(),
  yes: z.boolean().optional(),
};
const consent = { ...asker, allow_fresh: z.boolean().default(false), team };

/** What another verb would be asked with, and its name. */
export const planInput = z.looseObject({
  of: z.enum(['quick-start', 'restart', 'start-agent', 'reset-agent', 'stop-agent', 'shutdown']),
});
export const launchInput = z.object({
  folder: z.string(),
  as: z.enum(['quick-start', 'launch', 'start']).default('quick-start'),
  name: z.string().optional(),
  team_id: z.string().optional(),
  ...asker,
  fresh: z.boolean().optional(),
});
export const restartInput = z.object(consent);
export const startInput = z.object({ agent: z.string(), force: z.boolean().default(false), ...consent });
export const resetInput = z.object({ agent: z.string(), discard_session: z.boolean().default(false), ...consent });
export const stopInput = z.object({ agent: z.string(), team });
export const shutdownInput = z.object({ team });

export function launchOrder(said: z.output<typeof launchInput>, asked_by: string): LaunchOrder {
  return { ...said, asked_by };
}

export function restartOrder(row: TeamRow, said: z.output<typeof restartInput>, asked_by: string): RestartOrder {
  return { ...said, asked_by, command: commandOf('restart', row, said) };
}

export function startOrder(row: TeamRow, said: z.output<typeof startInput>, asked_by: string): StartAgentOrder {
  const agent = said.agent as AgentId;
  return { ...said, agent, asked_by, command: commandOf(`start-agent ${shellWord(agent)}`, row, said) };
}

export function resetOrder(row: TeamRow, said: z.output<typeof resetInput>, asked_by: string): ResetOrder {
  const agent = said.agent as AgentId;
  return { ...said, agent, asked_by, command: commandOf(`reset-agent ${shellWord(agent)}`, row, said) };
}

interface Said {
  readonly force?: boolean;
  readonly allow_fresh?: boolean;
  readonly discard_session?: boolean;
  readonly trust?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** The command line that asked, to be typed again with more flags. */
function commandOf(words: string, row: TeamRow, said: Said): string {
  const { force, allow_fresh, discard_session, trust, yes } = said;
  return [
    `team-agent ${words} --team ${shellWord(row.team)}`,
    ...(force ? ['--force'] : []),
    ...(allow_fresh ? ['--allow-fresh'] : []),
    ...(discard_session ? ['--discard-session'] : []),
    ...(trust ? ['--trust'] : []),
    ...(yes ? ['--yes'] : []),
  ].join(' ');
}
