import { type Refusal, refuse, type TeamId } from '../../../kernel/index.ts';
import type { LeaderIdentity } from '../../../leader/index.ts';
import { leaseOf, type Reading, type TeamRow } from '../../../ledger/index.ts';
import type { Caller } from '../../api/callers.ts';
import type { Asked } from '../verb.ts';
import { named } from './refusals.ts';

/**
 * Who takes the leader's mail by a command: a person, or the conversation that leads and lives. One that was replaced takes
 * nothing any more, however long its command has waited. Inside a change, `db` is its transaction.
 */
export async function mailGoesElsewhere(
  { runtime, caller }: Pick<Asked, 'runtime' | 'caller'>,
  team: TeamId,
  db: Reading = runtime.effects.ledger.db,
): Promise<Refusal | undefined> {
  if (caller.kind !== 'leader') return undefined;
  const lease = await leaseOf(db, team);
  const { leaders } = runtime.effects;
  const holder = lease?.receiver as typeof caller.incarnation | null | undefined;
  const leader = holder && leaders.isAlive(holder) ? holder : undefined;
  if (leader === caller.incarnation) return undefined;
  return leader === undefined
    ? nobodyLeads(caller, team)
    : anotherLeads(team, lease?.epoch ?? 0, JSON.parse(lease?.identity ?? 'null') as LeaderIdentity | null);
}

function nobodyLeads(caller: Caller, team: TeamId): Refusal {
  const inTeam = named({ team });
  return refuse('nobody_leads', `Nobody leads ${team}: a conversation takes the leader's mail once it leads.`, {
    evidence: { team, caller: caller.kind },
    next: [`team-agent claim-leader ${inTeam}`, `team-agent inbox leader ${inTeam}`],
  });
}

function anotherLeads(team: TeamId, epoch: number, identity: LeaderIdentity | null): Refusal {
  const inTeam = named({ team });
  const who = identity ? `a ${identity.provider} conversation (session ${identity.session})` : 'another conversation';
  return refuse(
    'owner_epoch_advanced',
    `${who} leads ${team} now, since epoch ${epoch}: the leader's mail is its own.`,
    {
      evidence: { team, owner_epoch: epoch, leader: identity },
      next: [`team-agent leaders ${inTeam}`, `team-agent takeover --confirm ${inTeam}`],
    },
  );
}

/** What a leader is told whose CLI would ask its person about each message. */
export const holdsMail = (team: TeamRow): string =>
  `In the permission mode of this conversation a person would have to confirm each message to it. Run "team-agent wait --mail --timeout 86400 ${named(team)}" as a background command instead: it ends when there is mail, its output is the mail, and its end wakes you. Then run it again.`;
