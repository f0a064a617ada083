import { firstLine, printable, type Refusal, refuse, type SessionId } from '../../../kernel/index.ts';
import type { Continues } from '../../shape.ts';
import { marksIn } from '../record.ts';
import { TEAM_SERVER } from '../settings/overrides.ts';
import { type Answer, type Call, Connection, isObject, type Parameters, type Word } from './connection.ts';
import { saidInstead, wasToldLast } from './told.ts';

export interface OpenedThread {
  readonly session: SessionId;
  readonly record: string;
}

/** Which thread to open: a new one, one that was written down before, or a new one that begins with such a one. */
export interface Opening {
  readonly socket: string;
  readonly settings: Parameters;
  /** The thread's title. */
  readonly name: string;
  readonly from?: Pick<Continues, 'how'> & { readonly session: string };
}

const METHODS = { start: 'thread/start', resume: 'thread/resume', fork: 'thread/fork' } as const;

/** What the server answered, whichever way it went. */
interface Opened {
  readonly account: Answer;
  readonly thread: Answer;
  readonly settled: boolean;
}

/**
 * Waits for a server that was just started, opens a thread on it and sees its team tools come up. A fault comes in the
 * server's own words; without any when it never answered.
 */
export async function openThread(
  opening: Opening,
  signal: AbortSignal,
): Promise<OpenedThread | Refusal | { readonly fault: string | undefined }> {
  const tools = new ToolStart();
  const { account, thread, settled } = await converse(opening, tools, signal);
  if (thread.answered === 'error') return { fault: thread.message };
  if (lacksLogin(account)) return notLoggedIn();
  if (tools.failure !== undefined)
    return { fault: `it could not reach the team's tools: ${firstLine(printable(tools.failure), 200)}` };
  const opened = thread.answered === 'result' ? threadIn(thread.result) : undefined;
  return settled && opened ? opened : { fault: undefined };
}

async function converse(
  { socket, settings, name, from }: Opening,
  tools: ToolStart,
  signal: AbortSignal,
): Promise<Opened> {
  const none: Opened = { account: { answered: 'none' }, thread: { answered: 'none' }, settled: false };
  const talk = async (call: Call): Promise<Opened> => {
    const account = await call('account/read', {});
    if (from?.how === 'resume') await takeBack(call, from.session);
    const thread = await call(METHODS[from?.how ?? 'start'], {
      ...settings,
      ...(from ? { threadId: from.session, excludeTurns: true } : {}),
    });
    const opened = thread.answered === 'result' ? threadIn(thread.result) : undefined;
    if (opened && from?.how !== 'resume') await call('thread/name/set', { threadId: opened.session, name });
    const told = opened && from ? await tellAgain(call, opened, from.how, settings.developerInstructions) : undefined;
    if (told?.answered === 'error') return { account, thread: told, settled: false };
    return { account, thread, settled: opened !== undefined && (await tools.settled(signal)) };
  };
  return (await askServer(socket, signal, talk, (word) => tools.hear(word))) ?? none;
}

/**
 * Takes messages of the team out of a thread's queue before it is resumed: it would run at once, before anybody follows the
 * life and knows whether it stays. What becomes of them is settled like everything else that is found nowhere.
 */
async function takeBack(call: Call, threadId: string): Promise<void> {
  const queue = await call('thread/queue/list', { threadId });
  const entries = queue.answered === 'result' && isObject(queue.result) ? queue.result.data : [];
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (isObject(entry) && isOurs(entry)) {
      await call('thread/queue/delete', { threadId, queuedSubmissionId: String(entry.id) });
    }
  }
}

/** Its id stands in its own header, as we write them. */
function isOurs({ clientUserMessageId, input }: Parameters): boolean {
  const parts = Array.isArray(input) ? input : [];
  return parts.some(
    (part: unknown) =>
      isObject(part) &&
      typeof part.text === 'string' &&
      marksIn(part.text).some((mark) => mark === clientUserMessageId),
  );
}

/** Says to a conversation that is gone on with who it is now, unless that is what it was told last. */
async function tellAgain(
  call: Call,
  { session, record }: OpenedThread,
  how: Continues['how'],
  text: unknown,
): Promise<Answer | undefined> {
  if (typeof text !== 'string' || text === '' || (how === 'resume' && wasToldLast(record, text))) return undefined;
  return call('thread/inject_items', saidInstead(session, text));
}

/** Has one talk with a server, as soon as it answers, and hangs up. Undefined when `signal` aborts first. */
export function askServer<Result>(
  socket: string,
  signal: AbortSignal,
  talk: (call: Call) => Promise<Result>,
  heard: (word: Word) => void = () => undefined,
): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const finish = (result: Result | undefined): void => {
      signal.removeEventListener('abort', abort);
      connection.close();
      resolve(result);
    };
    const abort = (): void => finish(undefined);
    const greeted = async (call: Call): Promise<boolean> => {
      await talk(call).then(finish, reject);
      return true;
    };
    const listener = { lives: () => !signal.aborted, heard, greeted, changed: () => undefined };
    const connection = new Connection(socket, listener, false);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else connection.open();
  });
}

function threadIn(result: unknown): OpenedThread | undefined {
  const thread = isObject(result) ? result.thread : undefined;
  if (!isObject(thread) || typeof thread.id !== 'string' || typeof thread.path !== 'string') return undefined;
  return { session: thread.id as SessionId, record: thread.path };
}

/** The start of the team's MCP server, as the app-server tells it. */
class ToolStart {
  #state: 'ready' | 'failed' | undefined;
  #failure: string | undefined;
  #wake: () => void = () => undefined;

  get failure(): string | undefined {
    return this.#failure;
  }

  hear({ method, params }: Word): void {
    if (method !== 'mcpServer/startupStatus/updated' || params.name !== TEAM_SERVER) return;
    if (params.status === 'ready') this.#state = 'ready';
    if (params.status === 'failed' || params.status === 'cancelled') {
      this.#state = 'failed';
      this.#failure = typeof params.error === 'string' ? params.error : params.status;
    }
    this.#wake();
  }

  /** True once it is ready; false when it failed, or the signal aborts first. */
  settled(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#state === undefined && !signal.aborted) return;
        signal.removeEventListener('abort', look);
        resolve(this.#state === 'ready');
      };
      this.#wake = look;
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }
}

/** Proof that there is no login: the server itself says that it needs one and has none. */
function lacksLogin(account: Answer): boolean {
  if (account.answered !== 'result' || !isObject(account.result)) return false;
  return account.result.requiresOpenaiAuth === true && account.result.account === null;
}

export function notLoggedIn(why = 'its app-server says that nobody is logged in'): Refusal {
  return refuse('provider_not_logged_in', `Codex cannot reach a model: ${why}.`, {
    evidence: { provider: 'codex', why },
    next: ['codex login', 'codex login status'],
  });
}
