import http from 'node:http';
import type net from 'node:net';

export interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
  readonly id: unknown;
}

/** The MCP side of a coordinator: it notes the calls, and answers as JSON or as an event stream. */
export class ToyCoordinator {
  readonly calls: ToolCall[] = [];
  readonly methods: string[] = [];
  readonly tokens = new Set<string | undefined>();
  /** Cuts the connection when it sees this tool called, after it has noted the call. */
  cutsAt: string | undefined;
  refuses: string | undefined;
  readonly #stream: boolean;
  #server: http.Server | undefined;
  readonly #sockets = new Set<net.Socket>();

  constructor({ stream = false } = {}) {
    this.#stream = stream;
  }

  /** Its address. The same port again when it was stopped before. */
  async start(port = 0): Promise<string> {
    const server = http.createServer((request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no address');
    return `http://127.0.0.1:${address.port}/mcp`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += String(piece);
    const { id, method, params } = JSON.parse(text);
    this.methods.push(method);
    this.tokens.add(request.headers.authorization);
    if (method === 'tools/call') {
      this.calls.push({ name: params.name, arguments: params.arguments, id: params._meta?.['team-agent/call'] });
      if (params.name === this.cutsAt) return void request.socket.destroy();
    }
    if (id === undefined) return void response.writeHead(202).end();
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: this.#result(method) });
    response.writeHead(200, { 'content-type': this.#stream ? 'text/event-stream' : 'application/json' });
    response.end(this.#stream ? `event: message\ndata: ${answer}\n\n` : answer);
  }

  #result(method: string): unknown {
    if (method === 'tools/list') return { tools: [{ name: 'report_result' }, { name: 'send_message' }] };
    if (method === 'initialize')
      return { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'team' } };
    const text = this.refuses ?? 'ok';
    return { content: [{ type: 'text', text }], isError: this.refuses !== undefined };
  }
}
