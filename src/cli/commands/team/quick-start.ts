import fs from 'node:fs';
import path from 'node:path';
import { callCoordinator, pathsOf } from '../../../client/index.ts';
import { childEnvironment } from '../../../kernel/environment.ts';
import { mint } from '../../../kernel/ids.ts';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { LaunchRequest } from '../../../providers/index.ts';
import type { AgentSpec, Team } from '../../../team/index.ts';
import { callIn } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { quickStartLines } from '../../rendering/lists.ts';
import { findWorkspace } from '../../workspace.ts';

interface Flags {
  readonly name?: string;
  readonly teamId?: string;
  readonly trust?: boolean;
  readonly yes?: boolean;
  readonly fresh?: boolean;
}

interface Order {
  readonly folder: string;
  readonly name: string | undefined;
  readonly team_id: string | undefined;
  readonly trust: boolean;
  readonly yes: boolean;
  readonly fresh: boolean;
}

/** Starts the team of a folder's documents. */
export async function run(context: Context, [given = '.']: readonly string[], flags: Flags): Promise<Outcome> {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return refused(workspace);
  const order: Order = {
    folder: path.resolve(context.cwd, given),
    name: flags.name,
    team_id: flags.teamId,
    trust: flags.trust ?? false,
    yes: flags.yes ?? false,
    fresh: flags.fresh ?? false,
  };
  const checked = await checkFirst(order, workspace, context.environment);
  if (isRefusal(checked)) return refused((await mayNotStart(workspace)) ?? checked);
  const environment = childEnvironment(context.environment, checked.variables);
  const answer = await callIn(
    workspace,
    'quick-start',
    { ...order, environment, umask: process.umask() },
    context.interrupted,
  );
  return outcomeOf(answer, quickStartLines);
}

/**
 * Who may not start a team at all is told that, not what its own environment lacks: an agent's is not a person's. undefined
 * when the caller may, or when there is no coordinator to tell.
 */
async function mayNotStart(workspace: string): Promise<Refusal | undefined> {
  const answer = await callCoordinator(workspace, 'may-start', {}, { start: false });
  return answer && isRefusal(answer) ? answer : undefined;
}

/**
 * What is wrong with the documents, with the CLIs or with tmux is told before a coordinator is started, so that nothing is
 * created for a team that cannot be. Returns the names of the variables that the agents are to get.
 */
async function checkFirst(
  order: Order,
  workspace: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly variables: readonly string[] } | Refusal> {
  const [{ tmuxVersion }, { withoutYes }] = await Promise.all([
    import('../../../tmux/index.ts'),
    import('../../../lifecycle/index.ts'),
  ]);
  const team = await readDocuments(order, workspace);
  if (isRefusal(team)) return team;
  const dangerous = withoutYes(team.agents, order);
  if (dangerous) return dangerous;
  const checked = await Promise.all(team.agents.map((agent) => checkAgent(agent, team, order, workspace, environment)));
  const variables: string[] = [];
  for (const agent of checked) {
    if (isRefusal(agent)) return agent;
    variables.push(...agent);
  }
  const tmux = await tmuxVersion(environment);
  return isRefusal(tmux) ? tmux : { variables };
}

async function readDocuments({ folder, name, team_id }: Order, workspace: string): Promise<Team | Refusal> {
  const [{ readTeam }, { findProvider }] = await Promise.all([
    import('../../../team/index.ts'),
    import('../../../providers/index.ts'),
  ]);
  return readTeam(folder, {
    workspace,
    fallbackName: name ?? team_id ?? path.basename(folder),
    providers: (written) => {
      const provider = findProvider(written);
      return isRefusal(provider)
        ? provider
        : { ok: true, name: provider.name, credentials: provider.credentials.names };
    },
  });
}

/** Could this agent be started? Returns the names of the variables that it asks for. */
async function checkAgent(
  agent: AgentSpec,
  team: Team,
  order: Order,
  workspace: string,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[] | Refusal> {
  const [{ findProvider, withLaunch }, { agentFolder, commandOf, readCredential, refuseProfile }] = await Promise.all([
    import('../../../providers/index.ts'),
    import('../../../lifecycle/index.ts'),
  ]);
  const provider = findProvider(agent.provider);
  if (isRefusal(provider)) return provider;
  const { id, folder, permission } = agent;
  // Where a ledger is, it may hold a person's earlier yes to the folder: only its coordinator can tell.
  const trusted = order.trust || fs.existsSync(pathsOf(workspace).ledger);
  const all = childEnvironment(environment, Object.keys(environment));
  const credential = readCredential(agent, provider, agentFolder({ runFolder: pathsOf(workspace).run }, team.id, id));
  const unusable = refuseProfile(credential.check, team.folder, commandOf(order));
  if (unusable) return unusable;
  const credentials = credential.used?.plan;
  const about = { agent: id, folder, permission, trusted, environment: all, credentials };
  const installation = await provider.inspect(about);
  if (isRefusal(installation)) return withLaunch(installation, commandOf(order));
  const planned = provider.plan(trial(agent, team.id, workspace, trusted), installation);
  return isRefusal(planned)
    ? withLaunch(planned, commandOf(order))
    : [...agent.env, ...provider.variables, ...(installation.variables ?? [])];
}

/** A launch that will not be: what a provider refuses (a script that cannot be played) shows in its plan. */
function trial(agent: AgentSpec, team: string, workspace: string, trusted: boolean): LaunchRequest {
  const paths = pathsOf(workspace);
  const incarnation = mint.incarnation();
  return {
    agent: agent.id,
    team,
    incarnation,
    session: mint.session(),
    role: agent.role,
    prompt: agent.prompt,
    workspace,
    folder: agent.folder,
    ...(agent.model === null ? {} : { model: agent.model }),
    tools: agent.tools,
    permission: agent.permission,
    trusted,
    mcp: agent.mcp,
    ...(agent.script === undefined ? {} : { script: agent.script }),
    runFolder: path.join(paths.run, 'agents', incarnation),
    socketFolder: paths.sockets,
    mcpUrl: '',
    hooksUrl: '',
    environment: {},
  };
}
