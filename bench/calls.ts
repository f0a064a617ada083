import http from 'node:http';
import { HEADERS, PROTOCOL } from '../src/client/protocol.ts';
import { identifyProcess, packageVersion } from '../src/kernel/index.ts';

/** An answer of the local API, as far as the bench looks into it. */
export type Json = { readonly [key: string]: Json } & readonly Json[] & string & number;

/** A client that keeps its connection, as an agent does: what it measures is the answer, not the connecting. */
export class Client {
  readonly #where: http.RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new http.Agent({ keepAlive: true });

  constructor(where: { socketPath: string } | { port: number }, headers: Readonly<Record<string, string>>) {
    this.#where = 'port' in where ? { host: '127.0.0.1', ...where } : where;
    this.#headers = headers;
  }

  /** One request; its whole body as text, handed on piece by piece to `onText` when given. */
  request(path: string, body: object | undefined, onText?: (text: string) => void): Promise<string> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          ...this.#where,
          agent: this.#agent,
          path,
          method: text === undefined ? 'GET' : 'POST',
          headers: {
            ...this.#headers,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (response) => {
          let whole = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            if (onText) onText(part);
            else whole += part;
          });
          response.on('end', () => resolve(whole));
          response.on('error', reject);
        },
      );
      request.on('error', reject);
      request.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A client of the local API that says who it is, as the command line does. */
export function localClient(socketPath: string): Client {
  return new Client(
    { socketPath },
    {
      [HEADERS.protocol]: String(PROTOCOL),
      [HEADERS.build]: packageVersion(),
      [HEADERS.caller]: `${process.pid}:${identifyProcess(process.pid)?.start ?? ''}`,
    },
  );
}

/** The tool client of one agent, with that agent's own token. */
export class ToolClient {
  readonly #client: Client;
  #calls = 0;

  constructor(port: number, token: string) {
    this.#client = new Client(
      { port },
      { authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream' },
    );
  }

  /** One JSON-RPC request. Throws when it is answered with an error, of the protocol or of the tool. */
  async ask(method: string, params: object): Promise<string> {
    this.#calls += 1;
    const text = await this.#client.request('/mcp', { jsonrpc: '2.0', id: this.#calls, method, params });
    if (!text.includes('"result"') || text.includes('"isError":true')) throw new Error(`${method}: ${text}`);
    return text;
  }

  tool(name: string, args: object): Promise<string> {
    return this.ask('tools/call', {
      name,
      arguments: args,
      _meta: { 'claudecode/toolUseId': `bench-${process.pid}-${this.#calls}` },
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** What a client says first. */
export const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1' },
};
