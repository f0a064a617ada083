import { type AgentId, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { agentsOf, findTeam, type TeamRow, teams } from '../../ledger/index.ts';
import type { Team } from '../../team/index.ts';
import { livesOf, type Sight } from '../sight.ts';

/** One thing that a start looks at before it does anything. */
export interface Check {
  readonly name: 'documents' | 'team' | 'session_name' | 'consent' | 'folder' | 'tmux' | 'agent';
  /** Whom it is about; absent: the team. */
  readonly agent?: AgentId;
  /** Absent: nothing stands in the way. */
  readonly refusal?: Refusal;
}

export const check = (name: Check['name'], refusal: Refusal | undefined, agent?: AgentId): Check => ({
  name,
  ...(agent === undefined ? {} : { agent }),
  ...(refusal ? { refusal } : {}),
});

/** The first thing that stands in the way. */
export function firstBlocker(checks: readonly Check[]): Refusal | undefined {
  return checks.find(({ refusal }) => refusal !== undefined)?.refusal;
}

/** A team is launched when it does not run and has nothing to go on with. `command` is what was typed. */
export async function mayLaunch(
  sight: Sight,
  { id }: Pick<Team, 'id'>,
  { fresh, command }: { readonly fresh?: boolean | undefined; readonly command: string },
): Promise<Refusal | undefined> {
  const row = await findTeam(sight.ledger.db, id);
  return (
    row && ((await alreadyRunning(sight, row)) ?? (fresh ? undefined : await hasConversations(sight, id, command)))
  );
}

async function alreadyRunning(sight: Sight, { team, intent }: TeamRow): Promise<Refusal | undefined> {
  const id = team as TeamId;
  const { going } = await livesOf(sight, id);
  if (going.length === 0) return intent === 'stopped' ? undefined : cameToAnEnd(id);
  const agents = (await agentsOf(sight.ledger.db, id)).map(({ agent_id }) => agent_id);
  return refuse(
    'team_already_running',
    `The team ${id} is running already, with ${agents.join(', ')}. Nothing was started or changed.`,
    {
      evidence: { team: id, agents, running: going },
      next: [`team-agent status --team ${shellWord(id)}`, `team-agent shutdown --team ${shellWord(id)}`],
    },
  );
}

/** A team that was shut down has conversations: a launch begins new ones, which only somebody who says so may want. */
async function hasConversations({ ledger }: Sight, id: TeamId, command: string): Promise<Refusal | undefined> {
  const spoken = (await agentsOf(ledger.db, id)).filter(({ interacted_at }) => interacted_at !== null);
  if (spoken.length === 0) return undefined;
  const agents = spoken.map(({ agent_id }) => agent_id);
  return refuse(
    'existing_team_context',
    `The team ${id} was shut down, and ${agents.join(', ')} ${agents.length === 1 ? 'has a conversation' : 'have conversations'}. A restart goes on with them; --fresh begins new ones. Nothing was started or changed.`,
    {
      evidence: { team: id, agents, step: 'existing_runtime_state' },
      next: [`team-agent restart --team ${shellWord(id)}`, `${command} --fresh`],
    },
  );
}

/** A team that nobody shut down, as after a reboot: its conversations are there. */
function cameToAnEnd(id: TeamId): Refusal {
  const words = `--team ${shellWord(id)}`;
  return refuse(
    'team_already_running',
    `The team ${id} was not shut down, and none of its agents runs any more. A restart goes on with their conversations. Nothing was started or changed.`,
    { evidence: { team: id, lives: [] }, next: [`team-agent restart ${words}`, `team-agent shutdown ${words}`] },
  );
}

/** Two teams never share a tmux session: the end of one would end the other. */
export async function sessionTaken(
  { ledger }: Sight,
  team: Pick<Team, 'id' | 'sessionName' | 'folder'>,
): Promise<Refusal | undefined> {
  const other = (await teams(ledger.db)).find(
    (row) => row.team !== team.id && row.intent === 'running' && row.session_name === team.sessionName,
  );
  if (!other) return undefined;
  return refuse(
    'session_name_taken',
    `The session name ${team.sessionName} belongs to the running team ${other.team}. Write another session_name: in ${team.folder}/TEAM.md.`,
    {
      evidence: { session_name: team.sessionName, team: other.team },
      next: [`team-agent status --team ${shellWord(other.team)}`],
    },
  );
}
