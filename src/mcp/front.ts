import { createMcpHandler } from '@modelcontextprotocol/server';
import type { AgentCaller, LeaderCaller, Runtime, ToolFront } from '../coordinator/index.ts';
import { teamTools } from './tools.ts';

/**
 * MCP over stateless HTTP: a fresh server for each request, so that a restart of the coordinator loses nothing. Who calls
 * was found out at the door.
 */
export function mcpFront(runtime: Runtime): ToolFront {
  const callers = new WeakMap<object, AgentCaller | LeaderCaller>();
  const handler = createMcpHandler(
    (context) => {
      const caller = context.authInfo && callers.get(context.authInfo);
      if (!caller) throw new Error('a request came in without a caller');
      return teamTools(runtime, caller);
    },
    { onerror: (error) => runtime.log.warn({ err: error }, 'mcp') },
  );
  return {
    fetch: (request, caller) => {
      const authInfo = { token: '', clientId: caller.incarnation, scopes: [] };
      callers.set(authInfo, caller);
      return handler.fetch(request, { authInfo });
    },
  };
}
