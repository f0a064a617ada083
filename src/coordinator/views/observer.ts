import type { Member, Turn } from '../../agents/index.ts';
import { type AgentId, type IncarnationId, LEADER, type TeamId } from '../../kernel/index.ts';
import type { AgentRow, DeliveryRow, TeamRow } from '../../ledger/index.ts';
import type { Resting } from '../../messages/index.ts';

/** What a running coordinator has seen. A view without one says `observed: none` instead of guessing. */
export interface Observer {
  member(team: TeamId, agent: AgentId): Member | undefined;
  /** The provider of a conversation that leads and lives. */
  leading(incarnation: IncarnationId): string | undefined;
  /** The turn of a conversation that leads and lives. */
  leaderTurn(incarnation: IncarnationId): Turn | undefined;
  /** Does a conversation that lives lead this team? */
  hasLeader(team: TeamId): boolean;
  /** Why a recipient's line rests. */
  resting(team: TeamId, agent: AgentId): Resting | undefined;
}

/** Waits that are the ordinary course of things: such a delivery is queued, not held. */
const ORDINARY = new Set<string>(['empty', 'unsettled', 'working', 'starting']);

/**
 * Why a recipient takes nothing now: from what is stored (stopped, paused, no leader) and, where a coordinator runs, from
 * what its line saw last.
 */
export function holdOf(
  observer: Observer | undefined,
  team: TeamRow,
  recipient: string,
  agent: AgentRow | undefined,
): string | undefined {
  if (recipient === LEADER && !observer?.hasLeader(team.team as TeamId)) return 'leader_unbound';
  if (agent?.intent === 'paused') return 'agent_paused';
  if (agent?.intent === 'stopped') return 'agent_stopped';
  const rest = observer?.resting(team.team as TeamId, recipient as AgentId);
  return rest?.step === 'rest' && rest.why !== 'empty' ? rest.why : undefined;
}

/** What was seen of a recipient that takes nothing now, though something waits for it. */
export function heldBy(
  observer: Observer | undefined,
  team: TeamId,
  recipient: AgentId,
): { readonly hold: string; readonly evidence: string } | undefined {
  const rest = observer?.resting(team, recipient);
  return rest?.evidence === undefined || ORDINARY.has(rest.why)
    ? undefined
    : { hold: rest.why, evidence: rest.evidence };
}

/** What proof a delivery in flight waits for, or what was seen of a recipient that takes nothing now. */
export function awaitedBy(
  observer: Observer | undefined,
  row: Pick<DeliveryRow, 'state' | 'team' | 'recipient'>,
): { readonly awaits?: string } {
  const waits = row.state === 'queued' || row.state === 'submitted';
  const rest = waits ? observer?.resting(row.team as TeamId, row.recipient as AgentId) : undefined;
  return rest?.evidence === undefined ? {} : { awaits: rest.evidence };
}

/** A delivery's state as people see it: a queued one whose recipient takes nothing is held. */
export function shownState(
  row: Pick<DeliveryRow, 'state' | 'reason'>,
  hold: string | undefined,
): { state: DeliveryRow['state']; reason?: string } {
  const reason = row.state === 'queued' || row.state === 'submitted' ? (hold ?? row.reason) : row.reason;
  const state = row.state === 'queued' && hold !== undefined && !ORDINARY.has(hold) ? 'held' : row.state;
  return reason === null || reason === undefined ? { state } : { state, reason };
}
