import fs from 'node:fs';
import { readIfThere, writePrivateFile } from '../../kernel/files.ts';
import { packageVersion } from '../../kernel/installation.ts';
import { identifyProcess, signalProcess } from '../../kernel/processes.ts';
import { isRefusal, type Refusal, refuse } from '../../kernel/reasons.ts';
import { ANSWER_DEADLINE, HEADERS, type Paths, PROTOCOL, pathsOf } from '../protocol.ts';
import { type CallOutcome, callSocket } from './call.ts';
import { askWhetherFrozen, readPointer } from './frozen.ts';
import { startCoordinator } from './starting.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** A coordinator may be revived this often within the window, ms; after that it stays down and says so. */
const REVIVALS = 3;
const REVIVAL_WINDOW = 5 * 60_000;

/**
 * Asks the coordinator for a verb. With `start` one is started when none lives; without, undefined means that none does.
 * A lost connection is `coordinator_lost`: what was asked may or may not have been done.
 */
export async function callCoordinator(
  workspace: string,
  verb: string,
  args: object,
  options: { readonly start: boolean; readonly signal?: AbortSignal },
): Promise<Answer | undefined> {
  const paths = pathsOf(workspace);
  const first = await ask(paths, `/verbs/${verb}`, args, { signal: options.signal });
  if (first !== 'absent') return first;
  if (!options.start) return undefined;
  const refused = await startCoordinator(paths);
  if (refused) return { ...refused };
  const second = await ask(paths, `/verbs/${verb}`, args, { signal: options.signal });
  return second === 'absent' ? { ...lost('it ended again at once') } : second;
}

/** Follows a team's events, a line each, until the coordinator or `signal` ends it. undefined: none lives. */
export async function followEvents(
  workspace: string,
  args: object,
  onLine: (line: string) => void,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const answer = await ask(pathsOf(workspace), '/stream/events', args, { signal, onLine });
  return answer === 'absent' ? undefined : answer;
}

/** The loopback port of the coordinator that lives; undefined when none does. */
export function coordinatorPort(workspace: string): number | undefined {
  return readPointer(pathsOf(workspace))?.port;
}

/** Makes sure that a coordinator runs. */
export async function ensureCoordinator(workspace: string): Promise<Refusal | undefined> {
  const paths = pathsOf(workspace);
  const answer = await ask(paths, '/hello', undefined, {});
  if (answer === 'absent') return startCoordinator(paths);
  if (!isRefusal(answer)) return undefined;
  // One that went away while we asked: the ledger's lock sees to it that there is one in the end.
  return answer.reason === 'coordinator_lost' ? startCoordinator(paths) : answer;
}

/** Is a coordinator there? `frozen` comes with the refusal that says what to do. */
export async function coordinatorState(workspace: string): Promise<'absent' | 'running' | Refusal> {
  const answer = await ask(pathsOf(workspace), '/hello', undefined, {});
  if (answer === 'absent') return 'absent';
  return isRefusal(answer) ? answer : 'running';
}

/** Ends a coordinator that does not answer, by its pid and start time. Its agents live on. */
export function forceStop(workspace: string): { readonly ok: true; readonly pid: number } | Refusal {
  const paths = pathsOf(workspace);
  const pointer = readPointer(paths);
  if (!pointer)
    return refuse('coordinator_absent', 'No coordinator runs for this workspace.', {
      next: ['team-agent coordinator start'],
    });
  // Without its pointer it has ended as somebody wanted: nobody revives it.
  fs.rmSync(paths.pointer, { force: true });
  signalProcess(pointer, 'SIGKILL');
  return { ok: true, pid: pointer.pid };
}

/**
 * Called by our tmux server when a control client of the coordinator was cut off: starts it again unless it lives, at most
 * three times in five minutes. Does nothing where there is no team any more.
 */
export async function reviveFromTmux(workspace: string): Promise<Refusal | undefined> {
  const paths = pathsOf(workspace);
  if (readIfThere(paths.ledger) === undefined) return undefined;
  const hello = await callSocket({
    socket: paths.socket,
    method: 'GET',
    path: '/hello',
    headers: {},
    signal: AbortSignal.timeout(ANSWER_DEADLINE),
  });
  if (hello.outcome === 'answered' || readPointer(paths)) return undefined;
  const recent = recentRevivals(paths);
  // Each client that was cut off with it calls: one end is one revival.
  const of = readIfThere(paths.pointer);
  if (of === undefined) return undefined;
  if (!recent.some((revival) => revival.of === of)) {
    if (recent.length >= REVIVALS) return gaveUp(recent);
    writePrivateFile(paths.revivals, JSON.stringify([...recent, { at: Date.now(), of }]));
  }
  return startCoordinator(paths);
}

/** Said loudly by `status` while no coordinator runs: it died too often to be revived by itself. */
export function whetherGaveUp(workspace: string): Refusal | undefined {
  const paths = pathsOf(workspace);
  const recent = recentRevivals(paths);
  // One that ended in order took its pointer along; one whose end is on the list is being revived.
  const of = readIfThere(paths.pointer);
  const leftDown = of !== undefined && !recent.some((revival) => revival.of === of);
  return leftDown && recent.length >= REVIVALS ? gaveUp(recent) : undefined;
}

/** One revival: when (UTC ms), and the pointer of the coordinator that had ended. */
interface Revival {
  readonly at: number;
  readonly of: string;
}

function recentRevivals(paths: Paths): readonly Revival[] {
  const all = JSON.parse(readIfThere(paths.revivals) ?? '[]') as readonly Revival[];
  return all.filter(({ at }) => at > Date.now() - REVIVAL_WINDOW);
}

function gaveUp(recent: readonly Revival[]): Refusal {
  return refuse(
    'coordinator_gave_up',
    `The coordinator ended ${recent.length + 1} times within five minutes and is left down. The agents live on; their mail waits.`,
    {
      evidence: { revived_at: recent.map(({ at }) => at) },
      next: ['tail -n 50 .team/run/coordinator.log', 'team-agent coordinator start'],
    },
  );
}

async function ask(
  paths: Paths,
  path: string,
  args: object | undefined,
  { signal, onLine }: { signal?: AbortSignal | undefined; onLine?: (line: string) => void },
): Promise<Answer | 'absent'> {
  const frozen: { refusal?: Refusal } = {};
  const silence = new AbortController();
  const outcome = await callSocket({
    socket: paths.socket,
    method: args === undefined ? 'GET' : 'POST',
    path,
    headers: callerHeaders(),
    ...(args === undefined ? {} : { body: JSON.stringify(args) }),
    silent: {
      after: ANSWER_DEADLINE,
      ask: () => {
        void askWhetherFrozen(paths).then((refusal) => {
          if (!refusal) return;
          frozen.refusal = refusal;
          silence.abort();
        });
      },
    },
    signal: signal ? AbortSignal.any([silence.signal, signal]) : silence.signal,
    ...(onLine ? { onLine } : {}),
  });
  return frozen.refusal ? { ...frozen.refusal } : answerOf(outcome);
}

function answerOf(outcome: CallOutcome): Answer | 'absent' {
  switch (outcome.outcome) {
    case 'absent':
      return 'absent';
    case 'answered':
      return outcome.body === '' ? { ok: true } : (JSON.parse(outcome.body) as Answer);
    case 'lost':
      return { ...lost(outcome.evidence) };
    default:
      return outcome satisfies never;
  }
}

function lost(evidence: string): Refusal {
  return refuse('coordinator_lost', `The connection to the coordinator broke before it answered (${evidence}).`, {
    evidence: { connection: evidence },
    next: ['team-agent status'],
  });
}

function callerHeaders(): Record<string, string> {
  const self = identifyProcess(process.pid);
  const token = process.env.TEAM_AGENT_TOKEN;
  return {
    [HEADERS.protocol]: String(PROTOCOL),
    [HEADERS.build]: packageVersion(),
    [HEADERS.caller]: `${process.pid}:${self?.start ?? ''}`,
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
}
