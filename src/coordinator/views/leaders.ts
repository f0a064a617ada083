import os from 'node:os';
import { placeOf, refuse, type TeamId } from '../../kernel/index.ts';
import { type Leaders, personId } from '../../leader/index.ts';
import { leaseOf, type Reading, type TeamRow, teams } from '../../ledger/index.ts';
import type { Caller } from '../api/callers.ts';
import { leaderView } from './leader.ts';
import type { Observer } from './observer.ts';

/** Who leads each team, and which conversations could. */
export async function leadersView(
  db: Reading,
  seen: { readonly observer: Observer; readonly leaders: Leaders } | undefined,
  only: TeamRow | undefined,
) {
  const rows = only ? [only] : await teams(db);
  const led = await Promise.all(
    rows.map(async ({ team, intent }) => ({
      team,
      intent,
      ...(await leaderView(db, seen?.observer, team as TeamId)),
      acquired_at: (await leaseOf(db, team as TeamId))?.acquired_at ?? null,
    })),
  );
  return { ok: true as const, teams: led, conversations: seen ? conversations(seen.leaders) : [] };
}

function conversations(leaders: Leaders) {
  return leaders.all().map(({ incarnation, provider, handle }) => {
    const { pid } = handle.terminal ?? handle.process;
    return {
      incarnation,
      provider,
      pid,
      alive: leaders.liveness(incarnation),
      folder: placeOf(pid).folder ?? null,
      leads: leaders.teamsOf(incarnation),
    };
  });
}

export interface IdentityQuestion {
  /** What the caller's own environment says, as far as it concerns this. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Who the caller is to this team, by the same words that any claim goes by. No id is ever shown whole. */
export async function identityView(
  db: Reading,
  observer: Observer | undefined,
  team: TeamRow,
  workspace: string,
  caller: Caller | undefined,
  { environment }: IdentityQuestion,
) {
  const override = environment.TEAM_AGENT_LEADER_SESSION_UUID_OVERRIDE;
  const machine = environment.TEAM_AGENT_MACHINE_FINGERPRINT ?? os.hostname();
  const user = os.userInfo().username;
  const derived = personId({ machine, workspace, user, team: team.team });
  if (derived === undefined) {
    return refuse('usage', 'A name that an identity is made of holds a NUL character.', {
      evidence: { machine, workspace, user, team: team.team },
      next: ['unset TEAM_AGENT_MACHINE_FINGERPRINT'],
    });
  }
  const lease = await leaseOf(db, team.team as TeamId);
  return {
    ok: true as const,
    uuid_prefix: (override ?? derived).slice(0, 12),
    source: override === undefined ? ('derived' as const) : ('override' as const),
    machine_fingerprint: machine,
    workspace_abspath: workspace,
    os_user: user,
    team_id: team.team,
    current_pane_id: environment.TMUX_PANE ?? null,
    last_seen_at: lease?.acquired_at ?? null,
    you: caller ? callerView(caller, team, lease?.receiver ?? null) : null,
    leader: await leaderView(db, observer, team.team as TeamId),
  };
}

function callerView(caller: Caller, team: TeamRow, receiver: string | null) {
  switch (caller.kind) {
    case 'agent':
      return { kind: 'agent', agent_id: caller.agent, leads: false };
    case 'leader':
      return { kind: 'conversation', incarnation: caller.incarnation, leads: caller.incarnation === receiver };
    case 'person':
      return { kind: 'person', team: team.team, leads: false };
    default:
      return caller satisfies never;
  }
}
