import path from 'node:path';
import { tokenHash } from '../../agents/index.ts';
import {
  childEnvironment,
  type IncarnationId,
  isRefusal,
  printable,
  type Refusal,
  refuse,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import { isTrusted, type TeamRow } from '../../ledger/index.ts';
import {
  findProvider,
  type Installation,
  type LaunchPlan,
  type LaunchRequest,
  namedProvider,
  withLaunch,
} from '../../providers/index.ts';
import { type AgentSpec, type MemberChange, readTeam, type Team, teamIdOf, unusedIn } from '../../team/index.ts';
import { agentFolder, lifeFolder } from '../life.ts';
import {
  type Asked,
  type Credential,
  environmentOf,
  readCredential,
  refuseProfile,
  refuseSmoke,
  smokeOf,
} from '../profiles/credential.ts';
import type { Sight } from '../sight.ts';
import { accountIn, accountOf, otherAccount } from './account.ts';
import { givenNames, otherVariables } from './variables.ts';

export interface LaunchOrder {
  /** Absolute path of the folder with the team's documents, or of a spec. */
  readonly folder: string;
  /** The command that was typed. */
  readonly as?: 'quick-start' | 'launch' | 'start' | undefined;
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
  /** Whoever asks has asked the endpoints itself, a moment ago: each is asked once for a command. */
  readonly smoked?: boolean | undefined;
}

/** What any start of an agent needs to know of whoever asks. */
export type StartOrder = Pick<LaunchOrder, 'environment' | 'umask' | 'trust' | 'asked_by' | 'asked' | 'smoked'> & {
  /** The command line that asks for it, to be typed again with more flags. */
  readonly command: string;
};

/** With which conversation an agent starts, and why. */
export interface Beginning {
  /** `start`: it had none. `fresh`: what it had is left behind. `fork`: it begins with another's. */
  readonly action: 'start' | 'resume' | 'fresh' | 'fork';
  readonly reason: string;
  /** Of a resume: what it goes on with. */
  readonly continues?: LaunchRequest['continues'];
  /** What is kept of the life that it goes on from: with which variables and whose account that was. */
  readonly before?: Readonly<Record<string, string>> | undefined;
}

/** One agent as it will be started. */
export interface PlannedAgent extends Omit<Beginning, 'continues' | 'before'> {
  readonly spec: AgentSpec;
  /** Names of the variables that are given to it. */
  readonly given: readonly string[];
  readonly incarnation: IncarnationId;
  readonly token: string;
  readonly tokenHash: string;
  readonly request: LaunchRequest;
  readonly installation: Installation;
  readonly launch: LaunchPlan;
}

/** The name of a team that its documents do not name. */
export function fallbackNameOf({ folder, name, team_id }: Pick<LaunchOrder, 'folder' | 'name' | 'team_id'>): string {
  return name ?? team_id ?? path.basename(folder);
}

/** Reads a team's documents, or its spec, for this workspace; `changes` are those who were added or removed beside them. */
export function readDocuments(
  workspace: string,
  order: LaunchWords,
  changes: readonly MemberChange[] = [],
): Team | Refusal {
  const fallbackName = fallbackNameOf(order);
  const team = readTeam(order.folder, { workspace, changes, fallbackName, providers: namedProvider });
  return isRefusal(team) ? team : (otherId(team, order) ?? team);
}

/** Whoever says --team-id means that team and no other: the id is made of the name, wherever that stands. */
function otherId({ id, name }: Team, { team_id, ...order }: LaunchWords): Refusal | undefined {
  if (team_id === undefined || teamIdOf(team_id) === id) return undefined;
  const { name: given, ...unnamed } = order;
  const alone = given === name ? [commandOf({ ...unnamed, team_id })] : [];
  return refuse(
    'usage',
    `--team-id ${printable(team_id)} is not the id of this team: its name ${JSON.stringify(name)} makes it ${id}. Leave one of the two out.`,
    { evidence: { team: id, name, team_id }, next: [commandOf(order), ...alone] },
  );
}

/** The documents of a team that there is. Refuses those that say another name: they would be another team's. */
export function readDocumentsOf(
  workspace: string,
  { team, documents, name }: TeamRow,
  changes: readonly MemberChange[] = [],
): Team | Refusal {
  return readTeam(documents, {
    workspace,
    changes,
    fallbackName: name,
    team: team as TeamId,
    providers: namedProvider,
  });
}

/** What a launch is typed with. */
export type LaunchWords = Pick<LaunchOrder, 'folder' | 'as' | 'name' | 'team_id' | 'trust' | 'yes' | 'fresh'>;

/** The command line that asks for this launch, to be typed again with more flags. */
export function commandOf({ folder, as = 'quick-start', name, team_id, trust, yes, fresh }: LaunchWords): string {
  return [
    `team-agent ${as} ${as === 'start' ? '--team ' : ''}${shellWord(folder)}`,
    ...(name === undefined ? [] : [`--name ${shellWord(name)}`]),
    ...(team_id === undefined ? [] : [`--team-id ${shellWord(team_id)}`]),
    ...(fresh ? ['--fresh'] : []),
    ...(trust ? ['--trust'] : []),
    ...(yes ? ['--yes'] : []),
  ].join(' ');
}

/** Which conversation a start goes on with, once it is known what the machine offers. */
export type Choose = (installation: Installation) => Promise<Beginning | Refusal>;

/** The start of one agent, on the conversation that `choose` names. */
export async function planAgent(
  sight: Sight,
  team: Team,
  spec: AgentSpec,
  order: StartOrder,
  choose: Choose,
): Promise<PlannedAgent | Refusal> {
  const provider = findProvider(spec.provider);
  if (isRefusal(provider)) return provider;
  const trusted = order.trust === true || (await isTrusted(sight.ledger.db, spec.folder));
  const { id: agent, folder, permission } = spec;
  const credential = readCredential(spec, provider, agentFolder(sight, team.id, agent));
  const unusable = refuseProfile(credential.check, team.folder, order.command);
  if (unusable) return unusable;
  const credentials = credential.used?.plan;
  const environment = written(order);
  const found = await provider.inspect({ agent, folder, permission, trusted, environment, credentials });
  if (isRefusal(found)) return withLaunch(found, order.command);
  const slow =
    team.fast && !provider.fastMode
      ? [`fast: true changes nothing for ${agent}: ${provider.name} has no fast mode.`]
      : [];
  const beginning = await choose(found);
  if (isRefusal(beginning)) return beginning;
  const variables = [...spec.env, ...provider.variables, ...(found.variables ?? [])];
  const own = environmentOf(order.environment, variables, credentials);
  const secrets = credentials?.secrets ?? {};
  const given = givenNames([...variables, ...Object.keys(secrets)], { ...own, ...secrets });
  const { before = {} } = beginning;
  const other = [
    ...otherAccount(agent, accountOf(before), accountIn(spec)),
    ...otherVariables(agent, before.variables, given),
  ];
  const installation = { ...found, warnings: [...found.warnings, ...slow, ...other, ...unusedIn(team)] };
  const answer = order.smoked ? undefined : await smokeOf(spec, credential, provider, own, order.asked ?? new Map());
  const failing = answer && refuseSmoke(answer, team.folder, order.command);
  if (failing) return failing;
  const token = sight.mint.token();
  const request = requestOf(sight, {
    team,
    spec,
    trusted,
    beginning,
    credential,
    environment: { ...own, ...umaskOf(order) },
    fast: provider.fastMode,
  });
  const launch = provider.plan(request, installation);
  if (isRefusal(launch)) return withLaunch(launch, order.command);
  const { action, reason } = beginning;
  const { incarnation } = request;
  return {
    action,
    reason,
    spec,
    given,
    incarnation,
    token,
    tokenHash: tokenHash(token),
    request,
    installation,
    launch,
  };
}

/** What a start asks of a CLI, with the ids of a life that is still to begin. */
function requestOf(
  sight: Sight,
  start: {
    readonly team: Team;
    readonly spec: AgentSpec;
    readonly trusted: boolean;
    readonly beginning: Beginning;
    readonly credential: Credential;
    readonly environment: Readonly<Record<string, string>>;
    readonly fast: true | undefined;
  },
): LaunchRequest {
  const { team, spec, trusted, credential, environment } = start;
  const { continues } = start.beginning;
  const incarnation = sight.mint.incarnation();
  const credentials = credential.used?.plan;
  const { effective_model: model } = credential.check;
  return {
    agent: spec.id,
    team: team.id,
    incarnation,
    session: continues?.how === 'resume' ? continues.session : sight.mint.session(),
    ...(continues === undefined ? {} : { continues }),
    role: spec.role,
    prompt: spec.prompt,
    workspace: sight.workspace,
    folder: spec.folder,
    ...(model === null ? {} : { model }),
    tools: spec.tools,
    permission: spec.permission,
    trusted,
    mcp: spec.mcp,
    ...(team.fast && start.fast ? { fast: true } : {}),
    ...(spec.script === undefined ? {} : { script: spec.script }),
    runFolder: lifeFolder(sight, incarnation),
    socketFolder: sight.socketFolder,
    mcpUrl: sight.mcpUrl(),
    hooksUrl: sight.hooksUrl(),
    ...(credentials ? { credentials } : {}),
    environment,
  };
}

/** The variables that are set. */
function written({ environment }: StartOrder): Readonly<Record<string, string>> {
  return childEnvironment(environment, Object.keys(environment));
}

/** The wrapper of the pane sets it before the agent's own program. */
function umaskOf({ umask }: StartOrder): Record<string, string> {
  return umask === undefined ? {} : { TEAM_AGENT_UMASK: umask.toString(8).padStart(3, '0') };
}
