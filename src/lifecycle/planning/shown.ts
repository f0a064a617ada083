import { LEADER } from '../../kernel/index.ts';
import { type ToolMark, toolMarks } from '../../providers/index.ts';
import { routeTask } from '../../results/index.ts';
import type { Team } from '../../team/index.ts';
import { covers, type Grant, isDangerous, policyOf } from './grants.ts';
import { type AgentPlan, startingOf } from './plan.ts';

/** What a plan says of one agent. */
export interface ShownAgent {
  readonly agent_id: string;
  readonly provider: string;
  readonly action: AgentPlan['action'];
  /** The conversation that it goes on with, or that is running. */
  readonly session_id?: string;
  readonly reason: string;
  readonly permission: string;
  readonly tools: readonly ToolMark[];
  /** What its pane runs. Ids that are minted for each start stand as `<incarnation>` and `<session>`. */
  readonly argv?: readonly string[];
}

/** Who never asks, and who said yes to that. */
export interface Safety {
  readonly dangerous_auto_approve: boolean;
  readonly source: 'documents' | 'none';
  /** Does it take a `--yes` now? */
  readonly requires_explicit_yes: boolean;
  readonly agents: readonly {
    readonly agent_id: string;
    readonly granted_by: string | null;
    /** UTC ms. */
    readonly granted_at: number | null;
  }[];
}

/** Who would get a task. */
export interface ShownRoute {
  readonly task_id: string;
  readonly agent_id: string | null;
  readonly reason: string;
}

export function shownAgent(plan: AgentPlan): ShownAgent {
  const { id, provider, permission, tools } = plan.spec;
  const shown = {
    agent_id: id,
    provider,
    action: plan.action,
    reason: plan.reason,
    permission,
    tools: toolMarks(provider, { permission, tools }),
  };
  if (plan.action === 'keep' || plan.action === 'stop') return shown;
  const { continues, session } = plan.request;
  const minted = [
    [plan.incarnation, '<incarnation>'],
    ...(continues?.how === 'resume' ? [] : [[session, '<session>'] as const]),
  ] as const;
  const argv = plan.launch.argv.map((word) => minted.reduce((text, [id, name]) => text.replaceAll(id, name), word));
  return { ...shown, ...(continues ? { session_id: continues.session } : {}), argv };
}

/** What is dangerous about the agents that a plan starts. */
export function safetyOf(agents: readonly AgentPlan[], granted: readonly Grant[]): Safety {
  const bold = startingOf(agents)
    .map(({ spec }) => spec)
    .filter(isDangerous)
    .map((spec) => ({ spec, grant: granted.find((grant) => covers(grant, policyOf(spec))) }));
  return {
    dangerous_auto_approve: bold.length > 0,
    source: bold.length > 0 ? 'documents' : 'none',
    requires_explicit_yes: bold.some(({ grant }) => grant === undefined),
    agents: bold.map(({ spec, grant }) => ({
      agent_id: spec.id,
      granted_by: grant?.said_by ?? null,
      granted_at: grant?.at ?? null,
    })),
  };
}

/** Who would get each task of the documents, as a message without a recipient is routed. */
export function routesOf(team: Team): readonly ShownRoute[] {
  const isMember = (id: string): boolean => id === LEADER || team.agents.some((agent) => agent.id === id);
  return team.tasks.map((task) => {
    const routable = {
      assignee: task.assignee ?? null,
      type: task.type ?? null,
      risk: task.risk ?? null,
      files: JSON.stringify(task.files),
      requires_tools: JSON.stringify(task.requiresTools),
    };
    const route = routeTask(routable, team.routing, isMember);
    return { task_id: task.id, agent_id: route?.agent ?? null, reason: route?.rule ?? route?.reason ?? 'unrouted' };
  });
}
