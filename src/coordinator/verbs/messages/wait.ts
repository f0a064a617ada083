import { z } from 'zod';
import {
  type AgentId,
  isRefusal,
  LEADER,
  type MessageId,
  type Refusal,
  refuse,
  type TeamId,
} from '../../../kernel/index.ts';
import { findMessage, headOfLine, pendingDeliveries, type TeamRow } from '../../../ledger/index.ts';
import { type Caller, ownTeamOnly, ownTeamsOf, workerMayNot } from '../../api/callers.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeamOf } from '../../teams.ts';
import { memberRows, unknownAgent } from '../../views/index.ts';
import { mailGoesElsewhere } from '../leading/mailbox.ts';
import { type Asked, verb } from '../verb.ts';
import { type Look, resultLook } from './awaited-results.ts';

const input = z.object({
  task: z.string().optional(),
  agent: z.string().optional(),
  message: z.string().optional(),
  idle: z.literal(true).optional(),
  mail: z.literal(true).optional(),
  timeout_s: z.number().positive().max(86_400).default(300),
  team: z.string().optional(),
});
type Input = z.output<typeof input>;

/** A leader's tool call waits for a result; something must be named. `gone` ends the waiting with the call. */
export async function waitForResult(
  runtime: Runtime,
  caller: Caller,
  args: Pick<Input, 'task' | 'agent' | 'message' | 'timeout_s' | 'team'>,
  gone: AbortSignal,
): Promise<object | Refusal> {
  if (args.task ?? args.agent ?? args.message) return wait.run({ runtime, caller, gone }, args);
  return refuse('tool_arguments_invalid', 'Name a task, an agent or a message_id to wait for.', { next: [] });
}

/** Waits for a result of a task, an agent or a message, for the leader's mail, or until the whole team has nothing to do. */
export const wait = verb({
  input,
  agents: true,
  run: async (asked, args): Promise<object | Refusal> => {
    const { runtime, caller, gone } = asked;
    const team = await selectTeamOf(runtime.effects.ledger.db, args.team, args.message, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const foreign =
      ownTeamOnly(caller, team.team) ?? (args.mail ? workerMayNot(caller, "the leader's mail") : undefined);
    if (foreign) return foreign;
    if (args.agent) {
      const members = await memberRows(runtime.effects.ledger.db, team);
      if (!members.has(args.agent)) return unknownAgent(team, args.agent, [...members.keys()]);
    }
    if (args.message) {
      const message = await findMessage(runtime.effects.ledger.db, args.message as MessageId);
      if (message?.team !== team.team)
        return refuse('message_not_found', `No message ${args.message} in the team ${team.team}.`, {
          next: ['team-agent deliveries'],
        });
    }
    const look = await lookFor(asked, team, args);
    const found = await runtime.effects.changes.until(look, args.timeout_s * 1_000, gone);
    return (
      found ??
      refuse('timeout', `Nothing came within ${args.timeout_s} s.`, {
        evidence: { ...args },
        next: ['team-agent status'],
      })
    );
  },
});

async function lookFor(asked: Asked, team: TeamRow, args: Input): Promise<Look> {
  const { runtime } = asked;
  const results = await resultLook(runtime.effects.ledger.db, team, args);
  return results ?? (() => (args.mail ? leaderMail(asked, team) : idle(runtime, team)));
}

/** Something waits in the leader's mailbox: nothing of it is taken by being waited for. Who leads no more is told so at once. */
async function leaderMail(asked: Asked, team: TeamRow): Promise<object | undefined> {
  const { runtime } = asked;
  const elsewhere = await mailGoesElsewhere(asked, team.team as TeamId);
  if (elsewhere) return elsewhere;
  const [head] = await headOfLine(runtime.effects.ledger.db, team.team as TeamId, LEADER, 1);
  return head ? { ok: true, team: team.team, waited_for: 'mail' } : undefined;
}

async function idle(runtime: Runtime, team: TeamRow): Promise<object | undefined> {
  const { db } = runtime.effects.ledger;
  const members = [...(await memberRows(db, team)).values()].filter((row) => row.intent === 'running');
  const turns = members.map((row) => ({
    agent_id: row.agent_id,
    state: runtime.member(team.team as TeamId, row.agent_id as AgentId)?.turn().state,
  }));
  const pending = await pendingDeliveries(db, team.team as TeamId, 200);
  const quiet = turns.every((turn) => turn.state === 'idle') && pending.every((row) => row.recipient === LEADER);
  return quiet ? { ok: true, team: team.team, waited_for: 'idle', agents: turns } : undefined;
}
