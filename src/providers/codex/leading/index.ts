import path from 'node:path';
import { isRefusal, type ProcessIdentity, type Refusal, refuse, shellWord } from '../../../kernel/index.ts';
import type {
  Installation,
  Introduction,
  LeaderPlan,
  LeaderPrepared,
  LeaderRequest,
  LeaderTraces,
  Leading,
} from '../../shape.ts';
import { socketOf } from '../../socket.ts';
import { RESTARTS, startFault, viewOf } from '../launch.ts';
import { isObject } from '../server/connection.ts';
import { askServer, openThread } from '../server/opening.ts';
import { serverOverrides } from '../settings/overrides.ts';
import { type LeaderFlags, parseFlags } from './flags.ts';

/** The title of a leading conversation; a title spares a call of a model for one. */
const NAME = 'team leader';

/** A Codex that leads: its app-server in a hidden window of ours, its terminal the person's own. */
export const leading: Leading = { plan, prepare, introduce, find };

function plan(request: LeaderRequest, installation: Installation): LeaderPlan | Refusal {
  const flags = parseFlags(request.args, request.folder);
  if (isRefusal(flags)) return flags;
  if (flags.folder !== undefined && flags.folder !== request.folder) return elsewhere(flags.folder);
  const socket = socketOf('the leader', request);
  if (isRefusal(socket)) return socket;
  const trusted = installation.details.trust === 'person' ? request.folder : undefined;
  const overrides = serverOverrides({ mcpUrl: request.mcpUrl, without: undefined, trusted });
  return {
    files: [{ path: instructionsFile(request), content: request.instructions }],
    socket,
    details: {
      binary: installation.binary,
      folder: request.folder,
      run: request.runFolder,
      instructions: instructionsFile(request),
      ...flags.thread,
    },
    server: {
      argv: [installation.binary, 'app-server', '--listen', `unix://${socket}`, ...overrides, ...flags.server],
      environment: { ...request.environment, TEAM_AGENT_RESTARTS: RESTARTS },
    },
  };
}

function elsewhere(folder: string): Refusal {
  return refuse('provider_cannot', `The leader works where its team is: start it in ${folder} itself, without -C.`, {
    evidence: { folder },
    next: [`cd ${shellWord(folder)}`],
  });
}

/** Opens the conversation on its server, or the one that the person wants to go on with. */
async function prepare(
  request: LeaderRequest,
  { socket, server }: LeaderPlan,
  signal: AbortSignal,
): Promise<LeaderPrepared | Refusal> {
  const flags = parseFlags(request.args, request.folder);
  if (isRefusal(flags)) return flags;
  const binary = server?.argv[0] ?? 'codex';
  const settings = { cwd: request.folder, developerInstructions: request.instructions, ...flags.thread };
  const { resume } = flags;
  const opened = await openThread(
    { socket, settings, name: NAME, ...(resume ? { from: { how: 'resume', session: resume } } : {}) },
    signal,
  );
  if (isRefusal(opened)) return opened;
  if ('fault' in opened) return cannotStart(opened.fault ?? (server ? await startFault(server) : 'it did not come up'));
  const { argv } = viewOf({ binary, folder: request.folder, session: opened.session, socket }, {});
  return {
    terminal: { argv: [...argv, ...flags.terminal, ...promptOf(flags)], environment: {} },
    session: opened.session,
    record: opened.record,
  };
}

/** The terminal sends it as the person's own first message. */
function promptOf({ prompt }: LeaderFlags): readonly string[] {
  return prompt === undefined ? [] : ['--', prompt];
}

function cannotStart(fault: string): Refusal {
  return refuse('launch_failed', `Codex could not start as the leader: ${fault}`, {
    evidence: { fault },
    next: ['codex doctor'],
  });
}

/** The server has one conversation that lasts: the one that was prepared. */
async function introduce(
  { socket, details }: LeaderTraces,
  _process: ProcessIdentity,
  signal: AbortSignal,
): Promise<Introduction | Refusal> {
  const thread = await askServer(socket, signal, async (call) => {
    const loaded = await call('thread/loaded/list', {});
    const ids = loaded.answered === 'result' && isObject(loaded.result) ? loaded.result.data : [];
    for (const threadId of Array.isArray(ids) ? ids : []) {
      const read = await call('thread/read', { threadId });
      const found = read.answered === 'result' && isObject(read.result) ? read.result.thread : undefined;
      if (isObject(found) && found.ephemeral === false) return found;
    }
    return undefined;
  });
  if (typeof thread?.id !== 'string' || typeof thread.path !== 'string') return cannotStart('its conversation is gone');
  return { session: thread.id as Introduction['session'], record: thread.path, details };
}

function instructionsFile({ runFolder }: LeaderRequest): string {
  return path.join(runFolder, 'instructions');
}

/** A Codex that a person started by itself has no way in that could be proved: its mail waits in its mailbox. */
async function find(): Promise<undefined> {
  return undefined;
}
