import path from 'node:path';
import { pathsOf } from '../../client/index.ts';
import { childEnvironment } from '../../kernel/environment.ts';
import { mint } from '../../kernel/ids.ts';
import { isRefusal, type Refusal } from '../../kernel/reasons.ts';
import type { LaunchRequest } from '../../providers/index.ts';
import type { AgentSpec } from '../../team/index.ts';
import { callIn } from '../calling.ts';
import type { Context } from '../context.ts';
import { type Outcome, outcomeOf, refused } from '../outcome.ts';
import { quickStartLines } from '../rendering/lists.ts';
import { findWorkspace } from '../workspace.ts';

interface Flags {
  readonly name?: string;
  readonly teamId?: string;
}

interface Order {
  readonly folder: string;
  readonly name: string | undefined;
  readonly team_id: string | undefined;
}

/** Starts the team of a folder's documents. */
export async function run(context: Context, [given = '.']: readonly string[], flags: Flags): Promise<Outcome> {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return refused(workspace);
  const order = { folder: path.resolve(context.cwd, given), name: flags.name, team_id: flags.teamId };
  const named = await checkFirst(order, workspace, context.environment);
  if (isRefusal(named)) return refused(named);
  const environment = childEnvironment(context.environment, named.variables);
  const answer = await callIn(
    workspace,
    'quick-start',
    { ...order, environment, umask: process.umask() },
    context.interrupted,
  );
  return outcomeOf(answer, quickStartLines);
}

/**
 * What is wrong with the documents or with tmux is told before a coordinator is started, so that nothing is created for a
 * team that cannot be. Returns the names of the variables that the documents ask for.
 */
async function checkFirst(
  { folder, name, team_id }: Order,
  workspace: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly variables: readonly string[] } | Refusal> {
  const [{ readTeam }, { findProvider }, { tmuxVersion }] = await Promise.all([
    import('../../team/index.ts'),
    import('../../providers/index.ts'),
    import('../../tmux/index.ts'),
  ]);
  const team = readTeam(folder, {
    workspace,
    fallbackName: name ?? team_id ?? path.basename(folder),
    providers: (written) => {
      const provider = findProvider(written);
      return isRefusal(provider) ? provider : { ok: true, name: provider.name };
    },
  });
  if (isRefusal(team)) return team;
  for (const agent of team.agents) {
    const provider = findProvider(agent.provider);
    const planned = isRefusal(provider) ? provider : provider.plan(trial(agent, team.id, workspace));
    if (isRefusal(planned)) return planned;
  }
  const tmux = await tmuxVersion(environment);
  return isRefusal(tmux) ? tmux : { variables: team.agents.flatMap((agent) => agent.env) };
}

/** A launch that will not be: what a provider refuses (a script that cannot be played) shows in its plan. */
function trial(agent: AgentSpec, team: string, workspace: string): LaunchRequest {
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
    ...(agent.script === undefined ? {} : { script: agent.script }),
    runFolder: path.join(paths.run, 'agents', incarnation),
    socketFolder: paths.sockets,
    mcpUrl: '',
    environment: {},
  };
}
