import { type Holder, type Roster, tokenHash } from '../../agents/index.ts';
import { HEADERS } from '../../client/index.ts';
import {
  ancestry,
  type IncarnationId,
  identifyProcess,
  LEADER,
  type ProcessIdentity,
  type Refusal,
  refuse,
  type TeamId,
} from '../../kernel/index.ts';
import type { Leaders } from '../../leader/index.ts';

/**
 * Who asks. An agent, or a conversation that may lead, is known by its token or by its ancestry, whatever it passes;
 * anybody else is a person.
 */
export type AgentCaller = { readonly kind: 'agent' } & Holder;
export interface LeaderCaller {
  readonly kind: 'leader';
  readonly incarnation: IncarnationId;
  /** The teams that it leads now. */
  readonly teams: readonly TeamId[];
}
export interface PersonCaller {
  readonly kind: 'person';
  readonly pid: number;
  /** The calling process and its ancestors, nearest first. */
  readonly chain: readonly ProcessIdentity[];
}
export type Caller = AgentCaller | LeaderCaller | PersonCaller;

/** Everybody who may be known by a token or by a process. */
export interface Known {
  readonly roster: Roster;
  readonly leaders: Leaders;
}

/**
 * Finds out who calls: a token is honoured while its incarnation lives; without one the calling process and its ancestors
 * are compared with the agents' own processes. A dead token, or a caller that cannot be found, is refused.
 */
export function identifyCaller(known: Known, header: (name: string) => string | undefined): Caller | Refusal {
  const token = bearerOf(header);
  if (token)
    return (
      callerByToken(known, token) ??
      untrusted('its token belongs to nobody who lives', 'env -u TEAM_AGENT_TOKEN team-agent status')
    );
  const [pid, start] = (header(HEADERS.caller) ?? '').split(':');
  const identity = identifyProcess(Number(pid));
  if (!identity || identity.start !== start) return untrusted('it did not say which process it is');
  const chain = ancestry(identity.pid);
  const leader = known.leaders.byProcess(chain);
  return (
    agentAround(known.roster, chain) ??
    (leader && leaderCaller(known.leaders, leader.incarnation)) ?? { kind: 'person', pid: identity.pid, chain }
  );
}

/** The token of a request, when it has one. */
export function bearerOf(header: (name: string) => string | undefined): string | undefined {
  return header('authorization')?.match(/^Bearer (.+)$/)?.[1];
}

/** Whose token this is; undefined when it belongs to nobody who lives. */
export function callerByToken({ roster, leaders }: Known, token: string): AgentCaller | LeaderCaller | undefined {
  const holder = roster.holder(token);
  if (holder) return { kind: 'agent', ...holder };
  const leader = leaders.byToken(tokenHash(token));
  return leader && leaderCaller(leaders, leader);
}

function leaderCaller(leaders: Leaders, incarnation: IncarnationId): LeaderCaller {
  return { kind: 'leader', incarnation, teams: leaders.teamsOf(incarnation) };
}

function agentAround(roster: Roster, chain: readonly ProcessIdentity[]): AgentCaller | undefined {
  const member = roster.around(chain);
  const { incarnation } = member ?? {};
  return member && incarnation
    ? { kind: 'agent', team: member.row.team as Holder['team'], agent: member.id, incarnation }
    : undefined;
}

/** The teams that a caller means when it names none: an agent's own, or those that a leader leads; a person has none. */
export function ownTeamsOf(caller: Caller): readonly TeamId[] {
  switch (caller.kind) {
    case 'agent':
      return [caller.team];
    case 'leader':
      return caller.teams;
    case 'person':
      return [];
    default:
      return caller satisfies never;
  }
}

/** The name under which a caller writes in a team: its leader speaks as leader there, and as a person anywhere else. */
export function senderIn(
  team: string,
  caller: Caller,
): { readonly sender: string; readonly authority: 'user' | 'leader' | 'peer' } {
  if (caller.kind === 'agent') return { sender: caller.agent, authority: 'peer' };
  const leads = caller.kind === 'leader' && caller.teams.some((own) => own === team);
  return leads ? { sender: LEADER, authority: 'leader' } : { sender: 'person', authority: 'user' };
}

/** `next`: what helps. A shell may outlive the conversation whose token it has: without it, it is what it is. */
function untrusted(why: string, next = 'team-agent status'): Refusal {
  return refuse('untrusted_caller', `The coordinator does not know this caller: ${why}.`, { next: [next] });
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
