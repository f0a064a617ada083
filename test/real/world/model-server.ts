import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Entry, type Prompt, promptOf } from './conversation.ts';
import { type Act, filled, type Step, stepsOf } from './directives.ts';
import { Cut, type Wire, wireOf } from './wire.ts';

/**
 * Why a CLI asks: for the next step of a turn, for a summary of the conversation, or for something of its own (a title, a
 * look whether the account works), which is answered harmlessly and plays no directives.
 */
export type Purpose = 'turn' | 'compaction' | 'own';

/** What one request of a CLI says, whichever API it speaks. */
export interface Reading {
  readonly purpose: Purpose;
  readonly model: string;
  /** The CLI's id of its session or thread. */
  readonly session: string;
  /** The instructions beside the conversation. */
  readonly system: string;
  /** The names of the tools on offer; those of an MCP server as `mcp__SERVER__TOOL`. */
  readonly tools: readonly string[];
  readonly history: readonly Entry[];
  /** The schema that the answer has to fit. */
  readonly schema: unknown;
  readonly streams: boolean;
}

/** A request as it is kept for a test, in the order of arrival. */
export interface ModelRequest extends Reading {
  readonly number: number;
  /** With what it was asked: `authorization`, else `x-api-key`. */
  readonly credential: string;
  /** The human text that is played; empty when there is none. */
  readonly prompt: string;
  /** What the tools returned since that text, oldest first. */
  readonly results: readonly string[];
  /** `open` until the answer is whole; `refused` is a scripted HTTP error, `abandoned` a caller who hung up. */
  outcome: 'open' | 'answered' | 'refused' | 'cut' | 'abandoned';
}

/** What the model answers. */
export type Reply =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'call'; readonly act: Exclude<Act, { kind: 'say' }> };

/** One of the two APIs. */
export interface Dialect {
  /** Reads a request of the conversation; undefined when the request is another one. */
  readonly read: (path: string, body: unknown, headers: http.IncomingHttpHeaders) => Reading | undefined;
  /** The answer to every other request; undefined is a 404. */
  readonly aside: (method: string, path: string) => unknown;
  readonly failure: (status: number) => unknown;
  readonly answer: (reply: Reply, request: Reading, wire: Wire) => Promise<void>;
}

/** Holds the answers to all requests that come while it is closed. */
export interface Gate {
  /** Lets everything go that waits, and all that comes. */
  readonly release: () => void;
}

/** A scripted model on a loopback port: it reads its part from the prompts (directives.ts) and keeps every request. */
export class ModelServer {
  readonly requests: ModelRequest[] = [];
  readonly #dialect: Dialect;
  readonly #server: http.Server;
  readonly #gates = new Set<{ readonly holds: (request: ModelRequest) => boolean; readonly released: Promise<void> }>();
  readonly #failed = new Map<string, number>();
  readonly #end = new AbortController();

  protected constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
  }

  protected async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** The requests that belong to turns. */
  get turns(): readonly ModelRequest[] {
    return this.requests.filter(({ purpose }) => purpose === 'turn');
  }

  /** The requests of turns whose played prompt, or else whose tool results, hold `text`; oldest first. */
  requestsWith(text: string): readonly ModelRequest[] {
    return this.turns.filter(({ prompt, results }) => [prompt, ...results].some((part) => part.includes(text)));
  }

  /** The newest of them. */
  requestWith(text: string): ModelRequest | undefined {
    return this.requestsWith(text).at(-1);
  }

  /**
   * From now on no answer goes out, so whoever asks stays busy, until the gate is released. With `holds` only the answers
   * to requests that it is true of.
   */
  holdAnswers(holds: (request: ModelRequest) => boolean = ({ purpose }) => purpose === 'turn'): Gate {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const gate = { holds, released };
    this.#gates.add(gate);
    return {
      release: () => {
        this.#gates.delete(gate);
        resolve();
      },
    };
  }

  /** Ends every connection, answered or not. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#end.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const { method = '', headers } = request;
    const { pathname } = new URL(request.url ?? '/', this.url);
    const reading = method === 'POST' ? this.#dialect.read(pathname, JSON.parse(text), headers) : undefined;
    if (reading) return this.#converse(reading, credentialIn(headers), response);
    const aside = this.#dialect.aside(method, pathname);
    response.writeHead(aside === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(aside ?? this.#dialect.failure(404)));
  }

  async #converse(reading: Reading, credential: string, response: http.ServerResponse): Promise<void> {
    const prompt = reading.purpose === 'turn' ? promptOf(reading.history) : undefined;
    const since = prompt ? reading.history.slice(prompt.index) : [];
    const results = since.filter(({ kind }) => kind === 'result');
    const request: ModelRequest = {
      ...reading,
      credential,
      number: this.requests.length + 1,
      prompt: prompt?.text ?? '',
      results: results.map(({ text }) => text),
      outcome: 'open',
    };
    this.requests.push(request);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const over = AbortSignal.any([gone.signal, this.#end.signal]);
    try {
      await this.#play(request, prompt, response, over);
    } catch (error) {
      if (!over.aborted && !(error instanceof Cut)) throw error;
      request.outcome = error instanceof Cut ? 'cut' : 'abandoned';
      response.destroy();
    }
  }

  async #play(
    request: ModelRequest,
    prompt: Prompt | undefined,
    response: http.ServerResponse,
    over: AbortSignal,
  ): Promise<void> {
    for (const gate of this.#gates) if (gate.holds(request)) await unless(over, gate.released);
    const steps = stepsOf(prompt?.text ?? '');
    const at = Math.min(prompt?.calls ?? 0, steps.length - 1);
    const step = steps[at];
    if (!step) throw new Error('a prompt without a last step');
    if (step.hold > 0) await pause(step.hold, undefined, { signal: over });
    const place = `${request.session}#${prompt?.index}#${at}#${prompt?.text}`;
    if (step.error && this.#again(`error ${place}`, step.error.times)) {
      request.outcome = 'refused';
      response.writeHead(step.error.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.#dialect.failure(step.error.status)));
      return;
    }
    const cut = this.#again(`cut ${place}`, step.cuts);
    const wire = wireOf(response, { drip: step.drip, cut, over });
    await this.#dialect.answer(replyOf(step, request, prompt), request, wire);
    if (cut) throw new Cut();
    response.end();
    request.outcome = 'answered';
  }

  /** Counts one more failure at `place` unless there were `times` already. */
  #again(place: string, times: number): boolean {
    const before = this.#failed.get(place) ?? 0;
    if (before >= times) return false;
    this.#failed.set(place, before + 1);
    return true;
  }
}

function credentialIn({ authorization, 'x-api-key': key }: http.IncomingHttpHeaders): string {
  return authorization ?? String(key ?? '');
}

function replyOf(step: Step, request: ModelRequest, prompt: Prompt | undefined): Reply {
  if (request.schema !== undefined) return { kind: 'say', text: JSON.stringify(sampleOf(request.schema)) };
  if (request.purpose === 'compaction') return { kind: 'say', text: '<summary>What was said so far.</summary>' };
  if (request.purpose === 'own') return { kind: 'say', text: 'yes' };
  const words = { message: prompt?.message ?? '', result: prompt?.result ?? '' };
  const { act } = step;
  switch (act.kind) {
    case 'say':
      return { kind: 'say', text: filled(act.text ?? echo(prompt?.text ?? ''), words) };
    case 'shell':
    case 'escalate':
    case 'background':
      return { kind: 'call', act: { ...act, command: filled(act.command, words) } };
    case 'team':
    case 'tool':
      return { kind: 'call', act: { ...act, input: filled(act.input, words) } };
    default:
      return act satisfies never;
  }
}

const echo = (prompt: string): string => `heard: ${prompt.replace(/\s+/g, ' ').slice(0, 80)}`;

/** Something small that fits a JSON schema. */
function sampleOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return '';
  if ('enum' in schema && Array.isArray(schema.enum)) return schema.enum[0];
  const type = 'type' in schema ? schema.type : undefined;
  if (type === 'object') {
    const properties = 'properties' in schema && schema.properties ? Object.entries(schema.properties) : [];
    return Object.fromEntries(properties.map(([name, part]) => [name, sampleOf(part)]));
  }
  if (type === 'array') return [];
  if (type === 'boolean') return false;
  return type === 'number' || type === 'integer' ? 0 : 'A small task';
}

/** Waits for `promise`; throws when it is over first. */
async function unless(over: AbortSignal, promise: Promise<void>): Promise<void> {
  over.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(over.reason);
  over.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    over.removeEventListener('abort', stop);
  }
}
