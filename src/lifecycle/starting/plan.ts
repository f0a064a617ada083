import path from 'node:path';
import { tokenHash } from '../../agents/index.ts';
import {
  childEnvironment,
  type IncarnationId,
  isRefusal,
  type Refusal,
  refuse,
  shellWord,
} from '../../kernel/index.ts';
import { agentsOf, findTeam, isTrusted, liveIncarnations, teams } from '../../ledger/index.ts';
import {
  findProvider,
  type Installation,
  type LaunchPlan,
  type LaunchRequest,
  withLaunch,
} from '../../providers/index.ts';
import { type AgentSpec, readTeam, type Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { agentFolder, lifeFolder } from '../life.ts';
import {
  type Asked,
  environmentOf,
  readCredential,
  refuseProfile,
  refuseSmoke,
  smokeOf,
} from '../profiles/credential.ts';

export interface LaunchOrder {
  /** Absolute path of the team's documents. */
  readonly folder: string;
  readonly name?: string | undefined;
  readonly team_id?: string | undefined;
  /** Of the person or agent who asks; only its allow-listed part goes on. */
  readonly environment: NodeJS.ProcessEnv;
  /** Of whoever asks: what agents write in the project gets this, not the coordinator's own. */
  readonly umask?: number | undefined;
  /** A person says that the agents' folders may be trusted. */
  readonly trust?: boolean | undefined;
  /** Who asks, for the record. */
  readonly asked_by: string;
  /** A person says yes to agents that never ask. */
  readonly yes?: boolean | undefined;
  /** Conversations that the team had are left behind. */
  readonly fresh?: boolean | undefined;
  /** Endpoints that were asked for this verb already. */
  readonly asked?: Asked | undefined;
}

/** What any start of an agent needs to know of whoever asks. */
export type StartOrder = Pick<LaunchOrder, 'environment' | 'umask' | 'trust' | 'asked_by' | 'asked'> & {
  /** The command line that asks for it, to be typed again with more flags. */
  readonly command: string;
};

/** One agent as it will be started. */
export interface PlannedAgent {
  readonly spec: AgentSpec;
  readonly incarnation: IncarnationId;
  readonly token: string;
  readonly tokenHash: string;
  readonly request: LaunchRequest;
  readonly installation: Installation;
  readonly launch: LaunchPlan;
}

export interface TeamPlan {
  readonly team: Team;
  readonly agents: readonly PlannedAgent[];
  /** Agents whose documents say `paused`: members, but not started. */
  readonly paused: readonly AgentSpec[];
}

/** Reads a team's documents for this workspace. */
export function readDocuments(
  workspace: string,
  order: Pick<LaunchOrder, 'folder' | 'name' | 'team_id'>,
): Team | Refusal {
  return readTeam(order.folder, {
    workspace,
    fallbackName: order.name ?? order.team_id ?? path.basename(order.folder),
    providers: (name) => {
      const provider = findProvider(name);
      return isRefusal(provider)
        ? provider
        : { ok: true, name: provider.name, credentials: provider.credentials.names };
    },
  });
}

/** What of an agent says which variables it asks for: its document, and what its CLI finds where it would work. */
export type Asking = Pick<AgentSpec, 'id' | 'provider' | 'model' | 'folder' | 'permission' | 'env' | 'profile'>;

/** Those who would be started, by a team's documents. */
export function whoAsks(
  { workspace }: Pick<Effects, 'workspace'>,
  { documents, name }: { readonly documents: string; readonly name: string },
): readonly Asking[] | Refusal {
  const team = readDocuments(workspace, { folder: documents, name });
  if (isRefusal(team)) return team;
  return team.agents.map(({ id, provider, model, folder, permission, env, profile }) => ({
    ...{ id, provider, model, folder, permission, env },
    ...(profile ? { profile } : {}),
  }));
}

/** Everything a launch would do; all its refusals come from here, before any effect. */
export async function planTeam(effects: Effects, team: Team, order: LaunchOrder): Promise<TeamPlan | Refusal> {
  const running =
    (await alreadyRunning(effects, team)) ??
    (await sessionTaken(effects, team)) ??
    (order.fresh ? undefined : await conversationsThere(effects, team, order));
  if (running) return running;
  const starting = team.agents.filter((agent) => !agent.paused);
  const dangerous = withoutYes(team.agents, order);
  if (dangerous) return dangerous;
  const planned = await Promise.all(
    starting.map((spec) => planAgent(effects, team, spec, { ...order, command: commandOf(order) })),
  );
  const agents: PlannedAgent[] = [];
  for (const agent of planned) {
    if (isRefusal(agent)) return agent;
    agents.push(agent);
  }
  return { team, agents, paused: team.agents.filter((agent) => agent.paused) };
}

type LaunchWords = Pick<LaunchOrder, 'folder' | 'name' | 'team_id' | 'trust' | 'yes' | 'fresh'>;

/** The command line that asks for this launch, to be typed again with more flags. */
export function commandOf({ folder, name, team_id, trust, yes, fresh }: LaunchWords): string {
  return [
    `team-agent quick-start ${shellWord(folder)}`,
    ...(name === undefined ? [] : [`--name ${shellWord(name)}`]),
    ...(team_id === undefined ? [] : [`--team-id ${shellWord(team_id)}`]),
    ...(fresh ? ['--fresh'] : []),
    ...(trust ? ['--trust'] : []),
    ...(yes ? ['--yes'] : []),
  ].join(' ');
}

/** Agents that never ask are started only by a person who says so. */
export function withoutYes(agents: readonly AgentSpec[], order: LaunchWords): Refusal | undefined {
  const ids = agents.filter((agent) => !agent.paused && agent.permission === 'bypass').map((agent) => agent.id);
  if (order.yes || ids.length === 0) return undefined;
  return refuse(
    'dangerous_needs_yes',
    `${ids.join(', ')} would run every command without asking (dangerous_auto_approve, or permission_mode: bypass). Say yes to that with --yes.`,
    { evidence: { agents: ids }, next: [`${commandOf(order)} --yes`] },
  );
}

/** Which conversation a start goes on with, once it is known what the machine offers; undefined: a new one. */
export type Choose = (installation: Installation) => Promise<LaunchRequest['continues'] | Refusal>;

/** The start of one agent: on a new conversation unless `choose` says otherwise. */
export async function planAgent(
  effects: Effects,
  team: Team,
  spec: AgentSpec,
  order: StartOrder,
  choose: Choose = async () => undefined,
): Promise<PlannedAgent | Refusal> {
  const provider = findProvider(spec.provider);
  if (isRefusal(provider)) return provider;
  const trusted = order.trust === true || (await isTrusted(effects.ledger.db, spec.folder));
  const { id: agent, folder, permission } = spec;
  const own = agentFolder(effects, team.id, agent);
  const credential = readCredential(spec, provider, own);
  const unusable = refuseProfile(credential.check, team.folder, order.command);
  if (unusable) return unusable;
  const credentials = credential.used?.plan;
  const environment = written(order);
  const installation = await provider.inspect({ agent, folder, permission, trusted, environment, credentials });
  if (isRefusal(installation)) return withLaunch(installation, order.command);
  const continues = await choose(installation);
  const { effective_model: model } = credential.check;
  if (isRefusal(continues)) return continues;
  const variables = [...spec.env, ...provider.variables, ...(installation.variables ?? [])];
  const agentEnvironment = environmentOf(order.environment, variables, credentials);
  const answer = await smokeOf(spec, credential, provider, agentEnvironment, order.asked ?? new Map());
  const failing = refuseSmoke(answer, team.folder, order.command);
  if (failing) return failing;
  const incarnation = effects.mint.incarnation();
  const token = effects.mint.token();
  const request: LaunchRequest = {
    agent,
    team: team.id,
    incarnation,
    session: continues?.how === 'resume' ? continues.session : effects.mint.session(),
    ...(continues === undefined ? {} : { continues }),
    role: spec.role,
    prompt: spec.prompt,
    workspace: effects.workspace,
    folder,
    ...(model === null ? {} : { model }),
    tools: spec.tools,
    permission,
    trusted,
    mcp: spec.mcp,
    ...(spec.script === undefined ? {} : { script: spec.script }),
    runFolder: lifeFolder(effects, incarnation),
    socketFolder: effects.socketFolder,
    mcpUrl: effects.mcpUrl(),
    hooksUrl: effects.hooksUrl(),
    ...(credentials ? { credentials } : {}),
    environment: { ...agentEnvironment, ...umaskOf(order) },
  };
  const launch = provider.plan(request, installation);
  return isRefusal(launch)
    ? withLaunch(launch, order.command)
    : { spec, incarnation, token, tokenHash: tokenHash(token), request, installation, launch };
}

/** The variables that are set. */
function written({ environment }: StartOrder): Readonly<Record<string, string>> {
  return childEnvironment(environment, Object.keys(environment));
}

/** The wrapper of the pane sets it before the agent's own program. */
function umaskOf({ umask }: StartOrder): Record<string, string> {
  return umask === undefined ? {} : { TEAM_AGENT_UMASK: umask.toString(8).padStart(3, '0') };
}

async function alreadyRunning(effects: Effects, team: Team): Promise<Refusal | undefined> {
  const row = await findTeam(effects.ledger.db, team.id);
  const lives = row ? await liveIncarnations(effects.ledger.db, team.id) : [];
  if (!row || (row.intent === 'stopped' && lives.length === 0)) return undefined;
  if (lives.length === 0) return cameToAnEnd(team);
  const agents = (await agentsOf(effects.ledger.db, team.id)).map((agent) => agent.agent_id);
  return refuse(
    'team_already_running',
    `The team ${team.id} is running already, with ${agents.join(', ')}. Nothing was started or changed.`,
    {
      evidence: { team: team.id, agents, lives: lives.map((life) => life.incarnation) },
      next: [`team-agent status --team ${shellWord(team.id)}`, `team-agent shutdown --team ${shellWord(team.id)}`],
    },
  );
}

/** A team that was shut down has conversations: a launch begins new ones, which only somebody who says so may want. */
async function conversationsThere({ ledger }: Effects, { id }: Team, order: LaunchOrder): Promise<Refusal | undefined> {
  const spoken = (await agentsOf(ledger.db, id)).filter(({ interacted_at }) => interacted_at !== null);
  if (spoken.length === 0) return undefined;
  const agents = spoken.map(({ agent_id }) => agent_id);
  return refuse(
    'existing_team_context',
    `The team ${id} was shut down, and ${agents.join(', ')} ${agents.length === 1 ? 'has a conversation' : 'have conversations'}. A restart goes on with them; --fresh begins new ones. Nothing was started or changed.`,
    {
      evidence: { team: id, agents, step: 'existing_runtime_state' },
      next: [`team-agent restart --team ${shellWord(id)}`, `${commandOf(order)} --fresh`],
    },
  );
}

/** A team that nobody shut down, as after a reboot: its conversations are there. */
function cameToAnEnd({ id }: Pick<Team, 'id'>): Refusal {
  const words = `--team ${shellWord(id)}`;
  return refuse(
    'team_already_running',
    `The team ${id} was not shut down, and none of its agents runs any more. A restart goes on with their conversations. Nothing was started or changed.`,
    { evidence: { team: id, lives: [] }, next: [`team-agent restart ${words}`, `team-agent shutdown ${words}`] },
  );
}

/** Two teams never share a tmux session: the end of one would end the other. */
export async function sessionTaken(
  effects: Effects,
  team: Pick<Team, 'id' | 'sessionName'>,
): Promise<Refusal | undefined> {
  const other = (await teams(effects.ledger.db)).find(
    (row) => row.team !== team.id && row.intent === 'running' && row.session_name === team.sessionName,
  );
  if (!other) return undefined;
  return refuse(
    'session_name_taken',
    `The session name ${team.sessionName} belongs to the running team ${other.team}. Change name: in TEAM.md, or session_name:.`,
    {
      evidence: { session_name: team.sessionName, team: other.team },
      next: [`team-agent status --team ${shellWord(other.team)}`],
    },
  );
}
