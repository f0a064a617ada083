import { execFile } from 'node:child_process';
import path from 'node:path';
import {
  agentWrapper,
  isRefusal,
  printable,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
} from '../../kernel/index.ts';
import { continuingDetails, isContinued, resumeFailed } from '../continuing.ts';
import { instructionsFor } from '../instructions.ts';
import type { AgentHandle, Installation, Introduction, LaunchPlan, LaunchRequest, Program, Started } from '../shape.ts';
import { socketOf } from '../socket.ts';
import { openThread } from './server/opening.ts';
import type { ThreadSettings } from './server/thread.ts';
import { options, serverOverrides, toml, viewOverrides } from './settings/overrides.ts';
import { permissionOf } from './settings/permission.ts';

/** A server that ends by itself is started again at most three times in ten minutes; then its life is over. */
export const RESTARTS = '3/600';

/** What would be started for an agent on Codex: an app-server of its own, without anything to see. */
export function plan(request: LaunchRequest, installation: Installation): LaunchPlan | Refusal {
  const socket = socketOf(request.agent, request);
  if (isRefusal(socket)) return socket;
  const inRun = (name: string): string => path.join(request.runFolder, name);
  const { servers = '[]', trust } = installation.details;
  const overrides = serverOverrides({
    mcpUrl: request.mcpUrl,
    without: request.mcp === 'team_only' ? namesIn(servers) : undefined,
    trusted: trust === 'person' ? request.folder : undefined,
    fast: request.fast,
  });
  return {
    argv: [
      ...[agentWrapper, inRun('token'), inRun('exit')],
      ...[
        installation.binary,
        'app-server',
        '--listen',
        `unix://${socket}`,
        ...overrides,
        ...credentialOptions(request.credentials, namesIn(installation.details.excluded ?? '[]')),
      ],
    ],
    environment: { ...request.environment, TEAM_AGENT_RESTARTS: RESTARTS },
    files: [{ path: inRun('instructions'), content: instructionsFor(request) }],
    socket,
    hidden: true,
  };
}

/** What its argv says of a credential: not the key, which stands in the environment, but that shells do not get it. */
function credentialOptions(credentials: LaunchRequest['credentials'], excluded: readonly string[]): readonly string[] {
  if (!credentials) return [];
  const names = [...excluded, ...credentials.unseen].map(toml).join(',');
  return [...credentials.options, ...options([`shell_environment_policy.exclude=[${names}]`])];
}

function namesIn(list: string): readonly string[] {
  const names: unknown = JSON.parse(list);
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** Waits for the server, opens the agent's thread on it and sees its team tools come up; all without a model. */
export async function introduce(started: Started): Promise<Introduction | Refusal> {
  const { request, installation, plan, signal } = started;
  const socket = plan.socket ?? '';
  const permission = permissionOf(request);
  const start = {
    cwd: request.folder,
    ...permission,
    developerInstructions: instructionsFor(request),
    ...(request.model === undefined ? {} : { model: request.model }),
  };
  const { continues, agent } = request;
  const began = Date.now();
  const from = continues ? { from: continues } : {};
  const opened = await openThread({ socket, settings: start, name: agent, ...from }, signal);
  if (isRefusal(opened)) return opened;
  if ('fault' in opened) return cannotStart(started, opened.fault ?? (await startFault(plan)));
  if (continues && !isContinued(continues, opened)) {
    const what = `Codex says that it has opened thread ${opened.session} in ${opened.record}`;
    return resumeFailed(request, { what, told: opened, next: goOn(continues.session) });
  }
  const details = {
    folder: request.folder,
    binary: installation.binary,
    ...permission,
    run: request.runFolder,
    instructions: path.join(request.runFolder, 'instructions'),
    ...(request.model === undefined ? {} : { model: request.model }),
    ...continuingDetails(request, began),
    ...(installation.capabilities.approvals ? {} : { approvals: 'terminal' }),
  };
  return {
    session: opened.session,
    record: opened.record,
    details,
    view: viewOf(
      { binary: installation.binary, folder: request.folder, session: opened.session, socket },
      request.environment,
    ),
  };
}

interface Shown {
  readonly binary: string;
  readonly folder: string;
  readonly session: string;
  readonly socket: string;
}

/** What shows a thread to a person. It may end and be started again at any time. */
export function viewOf({ binary, folder, session, socket }: Shown, environment: Program['environment']): Program {
  return {
    argv: [binary, 'resume', session, '--remote', `unix://${socket}`, '-C', folder, ...viewOverrides()],
    environment,
  };
}

/** The same for a life that runs: its pane was closed, or its program ended. */
export function viewOfHandle(handle: AgentHandle, environment: Program['environment']): Program | undefined {
  const { socket, session, details } = handle;
  const { binary, folder, home } = details;
  if (!socket || !binary || !folder) return undefined;
  return viewOf({ binary, folder, session, socket }, { ...environment, ...(home ? { CODEX_HOME: home } : {}) });
}

/** What a thread has to be told again when another server loads it. */
export function settingsOf({ session, details }: AgentHandle): ThreadSettings {
  const { folder = '/', approvalPolicy, sandbox, approvalsReviewer, model, instructions } = details;
  return {
    threadId: session,
    cwd: folder,
    approvalPolicy,
    sandbox,
    approvalsReviewer,
    model,
    developerInstructions: instructions === undefined ? undefined : readIfThere(instructions),
  };
}

const goOn = (session: string): string => `codex resume ${session}`;

function cannotStart({ request, installation: { binary } }: Started, fault: string): Refusal {
  const { agent, folder, continues } = request;
  if (continues && saysUnresumable(fault)) {
    return resumeFailed(request, { what: fault, told: { fault }, next: goOn(continues.session) });
  }
  return refuse('launch_failed', `${agent}'s Codex could not start: ${fault}`, {
    evidence: { agent, binary, fault },
    next: [`${shellWord(binary)} -C ${shellWord(folder)}`, `${shellWord(binary)} doctor`],
  });
}

/** How Codex words it that it has nothing to go on with; measured with 0.169.0. */
const saysUnresumable = (fault: string): boolean => /no rollout found|thread not found|rollout/i.test(fault);

/** How long a server may take to look at its configuration, ms. */
const LOOK_DEADLINE = 5_000;

/** Asks the same program what it makes of the same configuration, after it ended without a word that could be read. */
export function startFault({ argv, environment }: Program): Promise<string> {
  const [binary = '', ...args] = argv.slice(argv.indexOf('app-server') - 1);
  const options = { env: environment, timeout: LOOK_DEADLINE };
  return new Promise((resolve) => {
    execFile(binary, [...args, '--print-startup-config'], options, (error, _stdout, stderr) => {
      const words = printable(stderr).trim().replace(/\s+/g, ' ');
      resolve(error && words !== '' ? words : 'its app-server did not come up');
    });
  });
}
