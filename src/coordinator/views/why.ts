import type { AgentId, Refusal, TeamId } from '../../kernel/index.ts';
import type { Reading, TeamRow } from '../../ledger/index.ts';
import { memberRows, unknownAgent } from './messages.ts';
import { holdOf, type Observer } from './observer.ts';

/** The facts that won, those that lost, and what would change the answer. */
export async function whyView(
  db: Reading,
  observer: Observer | undefined,
  team: TeamRow,
  args: { agent: string },
): Promise<object | Refusal> {
  const members = await memberRows(db, team);
  const row = members.get(args.agent);
  if (!row) return unknownAgent(team, args.agent, [...members.keys()]);
  const intent = { ok: true as const, team: team.team, agent_id: args.agent, intent: row.intent };
  const member = observer?.member(team.team as TeamId, args.agent as AgentId);
  if (!member) {
    return {
      ...intent,
      state: null,
      source: 'none',
      since: null,
      evidence: [`asked for: ${row.intent}; no coordinator runs, so nothing was observed`],
      rejected: [],
      would_change: ['team-agent coordinator start'],
    };
  }
  const turn = member.turn();
  const held = holdOf(observer, team, args.agent, row);
  return {
    ...intent,
    ...turn,
    ...(held ? { line: held } : {}),
    channels: member.channelNames,
    incarnation: member.incarnation ?? null,
  };
}
