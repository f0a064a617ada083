import { isRefusal, type MessageId, type Refusal, refuse, shellWord, type TeamId } from '../kernel/index.ts';
import { findMessage, type Reading, type TeamRow, teams } from '../ledger/index.ts';
import { livesOf, type Sight, teamNotRunning } from '../lifecycle/index.ts';

/** What a verb is for: of several teams the only one that suits it is meant. */
export interface Purpose {
  readonly suits: (team: TeamRow) => boolean;
  /** The command that says which one, when several do. */
  readonly command: string;
}

const RUNNING: Purpose = { suits: ({ intent }) => intent === 'running', command: 'status' };

/**
 * The one resolver of `--team`: an exact id, name or session name; without one, the only team of the caller's own, else of
 * all, or the only one of these that suits, which is the only running one for most verbs. Several that fit are refused with
 * the candidates.
 */
export async function selectTeam(
  db: Reading,
  wanted: string | undefined,
  own: readonly TeamId[] = [],
  { suits, command }: Purpose = RUNNING,
): Promise<TeamRow | Refusal> {
  const all = await teams(db);
  if (all.length === 0) {
    return refuse('team_not_found', 'No team was ever started in this project.', {
      next: ['team-agent quick-start DIR', 'team-agent demo'],
    });
  }
  const fitting = all.filter(({ team, name, session_name }) =>
    wanted === undefined
      ? own.length === 0 || own.includes(team as TeamId)
      : [team, name, session_name].includes(wanted),
  );
  const suitable = fitting.filter(suits);
  const [only, ...others] = suitable.length > 0 ? suitable : fitting;
  if (!only) {
    return refuse('team_not_found', `No team here is called ${wanted ?? own.join(' or ')}.`, {
      evidence: { teams: all.map((team) => team.team) },
      next: all.map((team) => `team-agent status --team ${shellWord(team.team)}`),
    });
  }
  if (others.length === 0) return only;
  const candidates = [only, ...others].map((team) => team.team);
  return refuse('team_ambiguous', `Several teams are meant: ${candidates.join(', ')}. Say which with --team.`, {
    evidence: { candidates },
    next: candidates.map((team) => `team-agent ${command} --team ${shellWord(team)}`),
  });
}

/** The words that say of a next command which team it is about: none where that one is meant anyway. */
export async function teamWords(db: Reading, team: TeamId): Promise<string> {
  const meant = await selectTeam(db, undefined);
  return !isRefusal(meant) && meant.team === team ? '' : ` --team ${shellWord(team)}`;
}

/** The same for a restart: it is for a team that does not run. A leader that names none means one of its own only if that is down. */
export async function selectTeamToRestart(
  sight: Sight,
  wanted: string | undefined,
  own?: readonly TeamId[],
): Promise<TeamRow | Refusal> {
  const { db } = sight.ledger;
  const running = new Set<string>();
  for (const { team } of await teams(db)) {
    if ((await livesOf(sight, team as TeamId)).going.length > 0) running.add(team);
  }
  const down = own?.filter((team) => !running.has(team));
  return selectTeam(db, wanted, down, { suits: ({ team }) => !running.has(team), command: 'restart' });
}

/** The same, for verbs that may name a message: its id says which team is meant. */
export async function selectTeamOf(
  db: Reading,
  wanted: string | undefined,
  message: string | undefined,
  own?: readonly TeamId[],
): Promise<TeamRow | Refusal> {
  const named = wanted === undefined && message ? await findMessage(db, message as MessageId) : undefined;
  return selectTeam(db, wanted ?? named?.team, own);
}

/** The same, for verbs that need a team that runs. */
export async function selectRunningTeam(
  db: Reading,
  wanted: string | undefined,
  own?: readonly TeamId[],
): Promise<TeamRow | Refusal> {
  const team = await selectTeam(db, wanted, own);
  if (isRefusal(team) || team.intent === 'running') return team;
  return teamNotRunning(team);
}
