import { createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { AgentCaller, LeaderCaller, Runtime, ToolFront } from '../coordinator/index.ts';
import { refuse } from '../kernel/index.ts';
import { LEADER_TOOLS, teamTools, toolAnswer } from './tools.ts';

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
    fetch: async (request, caller, body) => {
      const refused = caller.kind === 'agent' ? leaderOnly(body) : undefined;
      if (refused) return Response.json(refused);
      const authInfo = { token: '', clientId: caller.incarnation, scopes: [] };
      callers.set(authInfo, caller);
      return handler.fetch(request, { authInfo, ...(body === undefined ? {} : { parsedBody: body }) });
    },
  };
}

const toolCall = z.object({
  id: z.union([z.string(), z.number()]),
  method: z.literal('tools/call'),
  params: z.object({ name: z.string().refine((name) => LEADER_TOOLS.includes(name)) }),
});

/** An agent's call of a tool that only a leader has. It is not on the agent's list, but older role texts name such tools. */
function leaderOnly(body: unknown): object | undefined {
  const call = toolCall.safeParse(body);
  if (!call.success) return undefined;
  const { id, params } = call.data;
  const refusal = refuse('worker_may_not', `${params.name} is a tool of the leader: ask the leader with send_message.`);
  return { jsonrpc: '2.0', id, result: toolAnswer(refusal) };
}
