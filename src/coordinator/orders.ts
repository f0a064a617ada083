import { z } from 'zod';
import { type AgentId, shellWord } from '../kernel/index.ts';
import type { TeamRow } from '../ledger/index.ts';
import type {
  AddOrder,
  ForkOrder,
  LaunchOrder,
  RemoveOrder,
  ResetOrder,
  RestartOrder,
  StartAgentOrder,
} from '../lifecycle/index.ts';

/*
 * What the verbs that start and end agents are asked with, and the orders that are made of it: the same whether the verb is
 * carried out or its plan is shown.
 */

const team = z.string().optional();
const asker = {
  /** Absent: that of the team's last start, as for a tool of the leader. */
  environment: z.record(z.string(), z.string()).optional(),
  umask: z.number().int().min(0).max(0o777).optional(),
  trust: z.boolean().optional(),
  yes: z.boolean().optional(),
};
/** What only says who asks. */
const caller_environment = z.record(z.string(), z.string()).default({});
const consent = { ...asker, allow_fresh: z.boolean().default(false), team };

/** What another verb would be asked with, and its name. */
export const planInput = z.looseObject({
  of: z.enum([
    'quick-start',
    'restart',
    'start-agent',
    'reset-agent',
    'stop-agent',
    'add-agent',
    'fork-agent',
    'remove-agent',
    'shutdown',
  ]),
});
export const launchInput = z.object({
  folder: z.string(),
  as: z.enum(['quick-start', 'launch', 'start']).default('quick-start'),
  name: z.string().optional(),
  team_id: z.string().optional(),
  ...asker,
  caller_environment,
  /** The command has asked the endpoints of profiles itself, a moment ago. */
  smoked: z.boolean().optional(),
  fresh: z.boolean().optional(),
});
export const restartInput = z.object({ ...consent, caller_environment });
export const startInput = z.object({ agent: z.string(), force: z.boolean().default(false), ...consent });
export const resetInput = z.object({ agent: z.string(), discard_session: z.boolean().default(false), ...consent });
export const addInput = z.object({ agent: z.string(), role_file: z.string(), ...consent });
export const forkInput = z.object({
  source: z.string(),
  agent: z.string(),
  label: z.string().min(1).optional(),
  ...consent,
});
export const removeInput = z.object({
  agent: z.string(),
  from_spec: z.boolean().default(false),
  confirm: z.boolean().default(false),
  force: z.boolean().default(false),
  team,
});
/** Whose variables are asked for: a team's, with somebody who is to be added; or that of documents which are to be launched. */
export const whoInput = z.object({
  verb: z.string(),
  team,
  joins: addInput.pick({ agent: true, role_file: true }).optional(),
  launches: launchInput.pick({ folder: true, name: true, team_id: true }).optional(),
});
export const stopInput = z.object({ agent: z.string(), team });
export const shutdownInput = z.object({ team });

export function launchOrder(said: z.output<typeof launchInput>, asked_by: string): LaunchOrder {
  return { ...said, environment: said.environment ?? {}, asked_by };
}

export function restartOrder(row: TeamRow, said: z.output<typeof restartInput>, asked_by: string): RestartOrder {
  const command = commandOf('restart', row, said);
  return { ...said, environment: said.environment ?? {}, asked_by, command };
}

export function startOrder(row: TeamRow, said: z.output<typeof startInput>, asked_by: string): StartAgentOrder {
  const agent = said.agent as AgentId;
  const command = commandOf(`start-agent ${shellWord(agent)}`, row, said);
  return { ...said, environment: said.environment ?? {}, agent, asked_by, command };
}

export function resetOrder(row: TeamRow, said: z.output<typeof resetInput>, asked_by: string): ResetOrder {
  const agent = said.agent as AgentId;
  const command = commandOf(`reset-agent ${shellWord(agent)}`, row, said);
  return { ...said, environment: said.environment ?? {}, agent, asked_by, command };
}

export function addOrder(row: TeamRow, said: z.output<typeof addInput>, asked_by: string): AddOrder {
  const words = `add-agent ${shellWord(said.agent)} --role-file ${shellWord(said.role_file)}`;
  return { ...said, environment: said.environment ?? {}, asked_by, command: commandOf(words, row, said) };
}

export function forkOrder(row: TeamRow, said: z.output<typeof forkInput>, asked_by: string): ForkOrder {
  const label = said.label === undefined ? '' : ` --label ${shellWord(said.label)}`;
  const words = `fork-agent ${shellWord(said.source)} --as ${shellWord(said.agent)}${label}`;
  const source = said.source as AgentId;
  return { ...said, source, environment: said.environment ?? {}, asked_by, command: commandOf(words, row, said) };
}

export function removeOrder(row: TeamRow, said: z.output<typeof removeInput>, asked_by: string): RemoveOrder {
  const agent = said.agent as AgentId;
  return { ...said, agent, asked_by, command: commandOf(`remove-agent ${shellWord(agent)}`, row, said) };
}

interface Said {
  readonly force?: boolean;
  readonly allow_fresh?: boolean;
  readonly discard_session?: boolean;
  readonly from_spec?: boolean;
  readonly confirm?: boolean;
  readonly trust?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** The command line that asked, to be typed again with more flags. */
function commandOf(words: string, row: TeamRow, said: Said): string {
  const { force, allow_fresh, discard_session, from_spec, confirm, trust, yes } = said;
  return [
    `team-agent ${words} --team ${shellWord(row.team)}`,
    ...(from_spec ? ['--from-spec'] : []),
    ...(confirm ? ['--confirm'] : []),
    ...(force ? ['--force'] : []),
    ...(allow_fresh ? ['--allow-fresh'] : []),
    ...(discard_session ? ['--discard-session'] : []),
    ...(trust ? ['--trust'] : []),
    ...(yes ? ['--yes'] : []),
  ].join(' ');
}
