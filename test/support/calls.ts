import http from 'node:http';
import { HEADERS, PROTOCOL } from '../../src/client/protocol.ts';
import { identifyProcess, type MessageId, mint } from '../../src/kernel/index.ts';
import type { Product } from './product.ts';

/** What came back over a connection: a status of HTTP and a text. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** One request as any program on this machine can make it; `body` goes out as it is. */
export function request(
  where: { readonly socketPath: string } | { readonly port: number },
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      ...('port' in where ? { host: '127.0.0.1', ...where } : where),
      path,
      method: 'POST',
      agent: false,
    };
    const asked = http.request(
      { ...options, headers: { 'content-length': Buffer.byteLength(body), ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** What the command line says of itself when it calls. */
export function callerHeaders(): Record<string, string> {
  return {
    'content-type': 'application/json',
    [HEADERS.protocol]: String(PROTOCOL),
    [HEADERS.caller]: `${process.pid}:${identifyProcess(process.pid)?.start}`,
  };
}

/** A verb of the local API, asked by this process as a person. A command costs a process for each call, this does not. */
export async function callVerb<Answer>(
  product: Product,
  verb: string,
  args: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const where = { socketPath: product.paths.socket };
  const { status, text } = await request(
    where,
    `/verbs/${verb}`,
    { ...callerHeaders(), ...headers },
    JSON.stringify(args),
  );
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${verb}: ${status} ${text}`, { cause: error });
  }
}

/** Stores a message of a person who wants nothing back; returns its id. */
export async function sendText(product: Product, to: string, text: string, more: object = {}): Promise<MessageId> {
  const message_id = mint.message();
  const args = { message_id, to: [to], text, expects: 'nothing', ...more };
  const answer = await callVerb<{ ok: boolean }>(product, 'send', args);
  if (!answer.ok) throw new Error(`send: ${JSON.stringify(answer)}`);
  return message_id;
}

/** A call of a team tool with an agent's own token; `call` is the id that its CLI would give to it. */
export async function callTool<Answer>(
  port: number,
  token: string,
  tool: { readonly name: string; readonly arguments: object; readonly call: string },
): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const { call, ...params } = tool;
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { ...params, _meta: { 'team-agent/call': call } },
  };
  const { status, text } = await request({ port }, '/mcp', headers, JSON.stringify(body));
  const json = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  const [part] = JSON.parse(json).result?.content ?? [];
  if (part?.type !== 'text') throw new Error(`${tool.name}: ${status} ${text}`);
  return JSON.parse(part.text);
}
