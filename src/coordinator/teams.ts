import { isRefusal, type MessageId, type Refusal, refuse, shellWord, type TeamId } from '../kernel/index.ts';
import { findMessage, type Reading, type TeamRow, teams } from '../ledger/index.ts';
import { teamNotRunning } from '../lifecycle/index.ts';

/**
 * The one resolver of `--team`: an exact id, name or session name; without one, the only team, or the only running one.
 * Several that fit are refused with the candidates.
 */
export async function selectTeam(db: Reading, wanted: string | undefined, own?: TeamId): Promise<TeamRow | Refusal> {
  const all = await teams(db);
  if (all.length === 0) {
    return refuse('team_not_found', 'No team was ever started in this project.', {
      next: ['team-agent quick-start DIR', 'team-agent demo'],
    });
  }
  const named = wanted ?? own;
  const fitting =
    named === undefined ? all : all.filter((team) => [team.team, team.name, team.session_name].includes(named));
  const running = fitting.filter((team) => team.intent === 'running');
  const [only, ...others] = running.length > 0 ? running : fitting;
  if (!only) {
    return refuse('team_not_found', `No team here is called ${named}.`, {
      evidence: { teams: all.map((team) => team.team) },
      next: all.map((team) => `team-agent status --team ${shellWord(team.team)}`),
    });
  }
  if (others.length === 0) return only;
  const candidates = [only, ...others].map((team) => team.team);
  return refuse('team_ambiguous', `Several teams are meant: ${candidates.join(', ')}. Say which with --team.`, {
    evidence: { candidates },
    next: candidates.map((team) => `team-agent status --team ${shellWord(team)}`),
  });
}

/** The same, for verbs that may name a message: its id says which team is meant. */
export async function selectTeamOf(
  db: Reading,
  wanted: string | undefined,
  message: string | undefined,
  own?: TeamId,
): Promise<TeamRow | Refusal> {
  const named = wanted === undefined && message ? await findMessage(db, message as MessageId) : undefined;
  return selectTeam(db, wanted ?? named?.team, own);
}

/** The same, for verbs that need a team that runs. */
export async function selectRunningTeam(
  db: Reading,
  wanted: string | undefined,
  own?: TeamId,
): Promise<TeamRow | Refusal> {
  const team = await selectTeam(db, wanted, own);
  if (isRefusal(team) || team.intent === 'running') return team;
  return teamNotRunning(team);
}
