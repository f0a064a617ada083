import type { IncomingMessage } from 'node:http';
import { packageVersion } from '../../../kernel/index.ts';

/** The MCP revision this client speaks; the server's tools and calls are the same in later ones. */
const PROTOCOL_VERSION = '2025-06-18';
/** Under this key of `_meta` each call carries an id of its own, so that a repeated report is known as one. */
const CALL_ID = 'team-agent/call';
/** Answers of a proxy whose server is away. */
const AWAY = new Set([502, 503, 504]);

export type ToolOutcome =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string; readonly unreached?: true };

interface Answer {
  readonly result?: { readonly content?: readonly { readonly text?: string }[]; readonly isError?: boolean };
  readonly error?: { readonly message?: string };
}

/** The coordinator could not be reached, or the connection broke before its answer. */
class Unreached extends Error {}

/**
 * The tools of the team, over stateless MCP. A call that does not reach the coordinator fails at once and is not
 * repeated: a real agent's CLI does the same, and the runtime takes such calls in from the record.
 */
export class TeamTools {
  readonly #url: string | undefined;
  readonly #token: string;
  #connected: Promise<boolean> = Promise.resolve(false);
  #count = 0;

  constructor(url: string | undefined, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Introduces the agent and asks for its tools. With no coordinator there, it stays without tools. */
  connect(): void {
    this.#connected = this.#introduce().catch(() => false);
  }

  async call(name: string, args: unknown, id: string, signal: AbortSignal): Promise<ToolOutcome> {
    if (!(await this.#connected)) {
      return { ok: false, error: 'no team tools: the coordinator was away when this agent started', unreached: true };
    }
    try {
      const answer = await this.#request('tools/call', { name, arguments: args, _meta: { [CALL_ID]: id } }, signal);
      if (answer.error) return { ok: false, error: answer.error.message ?? 'refused' };
      const text = (answer.result?.content ?? []).map((part) => part.text ?? '').join('\n');
      return answer.result?.isError ? { ok: false, error: text } : { ok: true, text };
    } catch (error) {
      if (signal.aborted) return { ok: false, error: 'interrupted' };
      const message = error instanceof Error ? error.message : String(error);
      return error instanceof Unreached
        ? { ok: false, error: message, unreached: true }
        : { ok: false, error: message };
    }
  }

  async #introduce(): Promise<boolean> {
    if (this.#url === undefined) return false;
    const clientInfo = { name: 'team-agent-scripted', version: packageVersion() };
    await this.#request('initialize', { protocolVersion: PROTOCOL_VERSION, capabilities: {}, clientInfo });
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const listed = await this.#request('tools/list', {});
    return listed.error === undefined;
  }

  async #request(method: string, params: unknown, signal?: AbortSignal): Promise<Answer> {
    const id = ++this.#count;
    const text = await this.#post({ jsonrpc: '2.0', id, method, params }, signal);
    const answer = answerTo(id, text);
    if (!answer) throw new Unreached('the connection ended before the answer');
    return answer;
  }

  /** A connection of its own for each request: one kept open may be cut just when it is used again. */
  async #post(message: unknown, signal?: AbortSignal): Promise<string> {
    const { default: http } = await import('node:http');
    const body = JSON.stringify(message);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = http.request(this.#url ?? '', {
        method: 'POST',
        agent: false,
        ...(signal ? { signal } : {}),
        headers: {
          authorization: `Bearer ${this.#token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'mcp-protocol-version': PROTOCOL_VERSION,
        },
      });
      request.once('response', resolve);
      request.once('error', (error) => reject(new Unreached(error.message)));
      request.end(body);
    });
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    if (AWAY.has(status)) throw new Unreached(`HTTP ${status}`);
    if (status >= 400 && !text.includes('"jsonrpc"')) throw new Error(`HTTP ${status}: ${text.slice(0, 200)}`);
    return text;
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const piece of response) text += String(piece);
  } catch (error) {
    throw new Unreached(error instanceof Error ? error.message : String(error));
  }
  return text;
}

/** The answer with this id, from a JSON body or from the `data:` lines of an event stream. */
export function answerTo(id: number, text: string): Answer | undefined {
  const stream = /^(?:event|data|id|:)/m.test(text) && !text.trimStart().startsWith('{');
  const candidates = stream
    ? text.split(/\r?\n\r?\n/).map((event) =>
        event
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice('data:'.length).trimStart())
          .join('\n'),
      )
    : [text];
  for (const candidate of candidates) {
    try {
      const value: unknown = JSON.parse(candidate);
      if (typeof value !== 'object' || value === null || !('id' in value)) continue;
      // A refusal of the transport itself has no id.
      if (value.id === id || (value.id === null && 'error' in value)) return value as Answer;
    } catch {
      // Keep-alive comments and half an event are no answer.
    }
  }
  return undefined;
}
