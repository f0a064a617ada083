import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GreetingServer {
  readonly url: string;
  /** Has whoever has this token asked what tools there are? */
  readonly listedBy: (token: string) => boolean;
  readonly close: () => void;
}

/** An MCP server on loopback with one tool, `greet`, that answers `greeted NAME`. It stands in for the product's own. */
export async function startGreetingServer(): Promise<GreetingServer> {
  const listed = new Set<string>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call: { id?: number; method?: string; params?: { protocolVersion?: string; arguments?: { name?: string } } } =
      request.method === 'POST' ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {};
    if (call.id === undefined) {
      response.writeHead(request.method === 'POST' ? 202 : 405).end();
      return;
    }
    if (call.method === 'tools/list') response.once('finish', () => listed.add(request.headers.authorization ?? ''));
    const answers: Readonly<Record<string, unknown>> = {
      initialize: {
        protocolVersion: call.params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'team', version: '1' },
      },
      'tools/list': {
        tools: [{ name: 'greet', inputSchema: { type: 'object', properties: { name: { type: 'string' } } } }],
      },
      'tools/call': { content: [{ type: 'text', text: `greeted ${call.params?.arguments?.name}` }] },
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: answers[call.method ?? ''] ?? {} }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/mcp`, listedBy: (token) => listed.has(`Bearer ${token}`), close };
}
