import { packageVersion } from '../kernel/installation.ts';
import { identifyProcess } from '../kernel/processes.ts';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { type CallOutcome, callSocket } from './call.ts';
import { askWhetherFrozen } from './frozen.ts';
import { ANSWER_DEADLINE, HEADERS, type Paths, PROTOCOL, pathsOf } from './protocol.ts';
import { outOfReach } from './sandbox.ts';
import { startCoordinator } from './starting.ts';

export type Answer = Readonly<Record<string, unknown>>;

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

/** Makes sure that a coordinator runs. */
export async function ensureCoordinator(workspace: string): Promise<Refusal | undefined> {
  const paths = pathsOf(workspace);
  const answer = await ask(paths, '/hello', undefined, {});
  if (answer === 'absent') return startCoordinator(paths);
  if (!isRefusal(answer)) return undefined;
  // One that went away while we asked: the ledger's lock sees to it that there is one in the end.
  return answer.reason === 'coordinator_lost' ? startCoordinator(paths) : answer;
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
    case 'forbidden':
      return { ...(outOfReach(outcome.evidence) ?? lost(outcome.evidence)) };
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
