import http from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Where a bridge sends what it reads. */
export interface BridgeTarget {
  readonly url: string;
  readonly token: string;
}

interface Pipes {
  readonly input: Readable;
  readonly output: Writable;
  /** Asked for each message: the coordinator may be another one by now. */
  readonly target: () => BridgeTarget | undefined;
}

/**
 * MCP over stdio for clients without HTTP: each line is passed on to the coordinator, each answer is a line. A line that is
 * no JSON is answered with a null id; a coordinator that is away fails the one call, and the bridge goes on.
 */
export async function runBridge({ input, output, target }: Pipes): Promise<void> {
  const pending = new Set<Promise<void>>();
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const work = passOn(line, target()).then((answers) => {
      for (const answer of answers) output.write(`${answer}\n`);
    });
    pending.add(work);
    void work.finally(() => pending.delete(work));
  }
  await Promise.all(pending);
}

async function passOn(line: string, target: BridgeTarget | undefined): Promise<string[]> {
  const message = parse(line);
  if (message === undefined) return [errorAnswer(null, -32700, 'Parse error: the line is not JSON')];
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : undefined;
  if (!target) return id === undefined ? [] : [errorAnswer(id, -32000, 'No coordinator runs for this team now')];
  try {
    return answersTo(id, await post(line, target));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return id === undefined ? [] : [errorAnswer(id, -32000, `The coordinator could not be reached: ${what}`)];
  }
}

/**
 * Whoever asked waits for its own id: a refusal at the door has none, and something that is no JSON-RPC answers nobody.
 */
function answersTo(id: unknown, answers: readonly string[]): string[] {
  if (id === undefined) return [...answers];
  const named = answers.map((text) => {
    const answer = parse(text);
    if (typeof answer !== 'object' || answer === null) return errorAnswer(id, -32000, 'The answer was not understood');
    return JSON.stringify('id' in answer && answer.id === null ? { ...answer, id } : answer);
  });
  return named.length > 0 ? named : [errorAnswer(id, -32000, 'The request was not answered')];
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function post(body: string, { url, token }: BridgeTarget): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'content-length': Buffer.byteLength(body),
    };
    const request = http.request(url, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(answersIn(text, response.headers['content-type'] ?? '')));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An answer comes as one JSON object or as server-sent events; a notification has none. */
function answersIn(text: string, type: string): string[] {
  if (type.startsWith('text/event-stream')) {
    return text
      .split('\n')
      .flatMap((line) => (line.startsWith('data:') && line.length > 6 ? [line.slice(5).trim()] : []));
  }
  return text.trim() === '' ? [] : [text.trim()];
}

function errorAnswer(id: unknown, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}
