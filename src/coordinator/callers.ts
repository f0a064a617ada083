import type { Holder, Roster } from '../agents/index.ts';
import { HEADERS } from '../client/index.ts';
import { ancestry, identifyProcess, type Refusal, refuse } from '../kernel/index.ts';

/** Who asks. An agent is known by its token or by its ancestry, whatever it passes; anybody else is a person. */
export type AgentCaller = { readonly kind: 'agent' } & Holder;
export type Caller = AgentCaller | { readonly kind: 'person'; readonly pid: number };

/**
 * Finds out who calls: a token is honoured while its incarnation lives; without one the calling process and its ancestors
 * are compared with the agents' own processes. A dead token, or a caller that cannot be found, is refused.
 */
export function identifyCaller(roster: Roster, header: (name: string) => string | undefined): Caller | Refusal {
  const token = header('authorization')?.match(/^Bearer (.+)$/)?.[1];
  if (token) {
    const holder = roster.holder(token);
    return holder ? { kind: 'agent', ...holder } : untrusted('its token belongs to no agent that lives');
  }
  const [pid, start] = (header(HEADERS.caller) ?? '').split(':');
  const identity = identifyProcess(Number(pid));
  if (!identity || identity.start !== start) return untrusted('it did not say which process it is');
  return agentAround(roster, identity.pid) ?? { kind: 'person', pid: identity.pid };
}

function agentAround(roster: Roster, pid: number): Caller | undefined {
  const chain = ancestry(pid);
  for (const member of roster.all()) {
    const { handle, incarnation } = member;
    const inside =
      handle &&
      chain.some((process) => process.pid === handle.pane.process.pid && process.start === handle.pane.process.start);
    if (inside && incarnation)
      return { kind: 'agent', team: member.row.team as Holder['team'], agent: member.id, incarnation };
  }
  return undefined;
}

function untrusted(why: string): Refusal {
  return refuse('untrusted_caller', `The coordinator does not know this caller: ${why}.`, {
    next: ['team-agent status'],
  });
}

/** An agent sees and waits in its own team alone, whatever `--team` says. */
export function ownTeamOnly(caller: Caller, team: string): Refusal | undefined {
  if (caller.kind !== 'agent' || caller.team === team) return undefined;
  return refuse('worker_may_not', `Agents see only their own team, ${caller.team}.`, { next: ['team-agent status'] });
}

/** Verbs that only a leader or a person may use (contract: who may do what). */
export function workerMayNot(caller: Caller, verb: string): Refusal | undefined {
  if (caller.kind !== 'agent') return undefined;
  return refuse(
    'worker_may_not',
    `${caller.agent} is an agent of the team ${caller.team}: agents may not use ${verb}. Ask the leader with send_message.`,
    {
      evidence: { agent: caller.agent, team: caller.team },
      next: ['team-agent send leader "please ..."'],
    },
  );
}
