import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Holder } from '../agents/index.ts';
import type { Runtime, ToolFront } from '../coordinator/index.ts';
import { workerTools } from './tools.ts';

/**
 * MCP over stateless HTTP: a fresh server for each request, so that a restart of the coordinator loses nothing. Who calls
 * was found out at the door.
 */
export function mcpFront(runtime: Runtime): ToolFront {
  const callers = new WeakMap<object, Holder>();
  const handler = createMcpHandler(
    (context) => {
      const holder = context.authInfo && callers.get(context.authInfo);
      if (!holder) throw new Error('a request came in without a caller');
      return workerTools(runtime, { kind: 'agent', ...holder });
    },
    { onerror: (error) => runtime.log.warn({ err: error }, 'mcp') },
  );
  return {
    fetch: (request, holder) => {
      const authInfo = { token: '', clientId: holder.incarnation, scopes: [] };
      callers.set(authInfo, holder);
      return handler.fetch(request, { authInfo });
    },
  };
}
