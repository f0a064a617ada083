import { LEADER, type Refusal } from '../../kernel/index.ts';
import type { Reading, TeamRow } from '../../ledger/index.ts';
import { memberRows, unknownAgent } from './messages.ts';

/** Whether two members may write to each other: that is said for the whole team, in its documents. */
export async function peerTalkView(
  db: Reading,
  team: TeamRow,
  { a, b }: { readonly a: string; readonly b: string },
): Promise<object | Refusal> {
  const members = [...(await memberRows(db, team)).keys()];
  const unknown = [a, b].find((name) => name !== LEADER && !members.includes(name));
  if (unknown !== undefined) return unknownAgent(team, unknown, members);
  const open = team.worker_to_worker !== 0 || [a, b].includes(LEADER);
  const reason = open ? 'team_scoped_peer_messages_enabled' : 'worker_to_worker_disabled';
  return { ok: true, team: team.team, a, b, status: 'compat_noop', reason };
}
