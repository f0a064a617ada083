import type { AgentId, IncarnationId } from '../../kernel/index.ts';
import type { AgentRow, IncarnationRow } from '../../ledger/index.ts';
import type { PermissionMode } from '../../providers/index.ts';
import type { AgentSpec, Team } from '../../team/index.ts';
import type { PlannedAgent } from '../starting/plan.ts';
import type { Grant } from './grants.ts';

/** What of an agent a plan shows. */
export type Subject = Pick<AgentSpec, 'id' | 'provider' | 'permission' | 'tools'>;

/** An agent that stays as it is. */
export interface Kept {
  readonly action: 'keep';
  readonly spec: Subject;
  readonly reason: string;
  /** What is asked of it from now on. */
  readonly intent: 'running' | 'paused' | 'stopped';
}

/** An agent that is ended. */
export interface Stopped {
  readonly action: 'stop';
  readonly spec: Subject;
  readonly reason: string;
  readonly life: IncarnationRow;
}

/** What becomes of one agent. */
export type AgentPlan = PlannedAgent | Kept | Stopped;

/** What a launch or a restart will do: decided before any effect, followed by the execution, shown by `--dry-run`. */
export interface TeamPlan {
  readonly team: Team;
  /** Everybody in the documents, in the order in which they start. */
  readonly agents: readonly AgentPlan[];
  /** What somebody said yes to before, and what of it still holds. */
  readonly granted: readonly Grant[];
  /** Lives that are proved gone and not written down yet. */
  readonly gone: readonly IncarnationId[];
}

/** Those of a plan that will be started. */
export function startingOf(agents: readonly AgentPlan[]): readonly PlannedAgent[] {
  return agents.filter((agent) => agent.action !== 'keep' && agent.action !== 'stop');
}

/** What is asked of an agent once its plan has been followed. */
export function intentOf(plan: AgentPlan): Kept['intent'] {
  if (plan.action === 'keep') return plan.intent;
  return plan.action === 'stop' ? 'stopped' : 'running';
}

/** A member as the ledger knows it. */
export function subjectOf(row: AgentRow): Subject {
  return {
    id: row.agent_id as AgentId,
    provider: row.provider,
    permission: row.permission as PermissionMode,
    tools: JSON.parse(row.tools) as readonly string[],
  };
}
