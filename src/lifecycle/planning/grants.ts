import { type Refusal, refuse, type TeamId } from '../../kernel/index.ts';
import { agentsOf, grantedPlans, type Reading } from '../../ledger/index.ts';
import type { AgentSpec } from '../../team/index.ts';

/*
 * An agent that never asks starts only after somebody said yes. That yes is for one agent and one policy, and it is kept in
 * the journal of the verb that asked for it, with who said it: a later start of the same policy honours it. It covers no
 * policy that lets the agent do more, and it is over once the agent has been started under another one.
 */

/** What a yes is for. */
export interface Policy {
  readonly agent_id: string;
  readonly provider: string;
  readonly permission: string;
  readonly tools: readonly string[];
  readonly folder: string;
}

export interface Grant extends Policy {
  readonly said_by: string;
  /** UTC ms. */
  readonly at: number;
}

/** What a journal holds of it. */
export interface GrantedPlan {
  readonly granted: { readonly said_by: string; readonly policies: readonly Policy[] };
}

/** Does a yes to one policy cover another? Not one of another agent or CLI, in another folder, or with a tool more. */
export function covers(granted: Policy, asked: Policy): boolean {
  return (
    granted.agent_id === asked.agent_id &&
    granted.provider === asked.provider &&
    granted.permission === asked.permission &&
    granted.folder === asked.folder &&
    asked.tools.every((tool) => granted.tools.includes(tool))
  );
}

export function policyOf({ id, provider, permission, tools, folder }: AgentSpec): Policy {
  return { agent_id: id, provider, permission, tools, folder };
}

/** Does an agent act without asking anybody? */
export const isDangerous = ({ permission }: { readonly permission: string }): boolean => permission === 'bypass';

/** The last yes to each agent of a team that still never asks; nothing is looked up where nobody is like that. */
export async function grantsOf(db: Reading, team: TeamId): Promise<readonly Grant[]> {
  const bold = new Set((await agentsOf(db, team)).filter(isDangerous).map(({ agent_id }) => agent_id));
  if (bold.size === 0) return [];
  const last = new Map<string, Grant>();
  for (const { plan, started_at } of await grantedPlans(db, team)) {
    const { granted } = JSON.parse(plan) as GrantedPlan;
    for (const policy of granted.policies) {
      if (bold.has(policy.agent_id) && !last.has(policy.agent_id))
        last.set(policy.agent_id, { ...policy, said_by: granted.said_by, at: started_at });
    }
  }
  return [...last.values()];
}

/** Agents that nobody said yes to yet start only for somebody who does; `command` is what was typed. */
export function withoutYes(
  agents: readonly AgentSpec[],
  { yes, command }: { readonly yes?: boolean | undefined; readonly command: string },
  granted: readonly Grant[] = [],
): Refusal | undefined {
  const ids = unsaid(agents, granted);
  if (yes || ids.length === 0) return undefined;
  return refuse(
    'dangerous_needs_yes',
    `${ids.join(', ')} would run every command without asking (dangerous_auto_approve, or permission_mode: bypass). Say yes to that with --yes.`,
    { evidence: { agents: ids }, next: [`${command} --yes`] },
  );
}

/** Those who never ask and to whose policy nobody said yes. */
function unsaid(agents: readonly AgentSpec[], granted: readonly Grant[]): readonly string[] {
  return agents
    .filter((agent) => isDangerous(agent) && !granted.some((grant) => covers(grant, policyOf(agent))))
    .map(({ id }) => id);
}
