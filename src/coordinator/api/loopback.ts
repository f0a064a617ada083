import { type Context, Hono } from 'hono';
import type { Runtime } from '../runtime.ts';
import { type AgentCaller, bearerOf, callerByToken, type LeaderCaller } from './callers.ts';
import { type RequestBody, readBody } from './request-body.ts';

/** What serves the agents' tools; it stands above this room and is given to it. */
export interface ToolFront {
  /** `body` is what a POST brought: the request itself has been read. */
  fetch(request: Request, caller: AgentCaller | LeaderCaller, body: unknown): Promise<Response>;
}

/**
 * What agents reach over loopback: only with the token of a life that goes on, only under our own name, and never from a
 * page in a browser (those send an Origin).
 */
export function loopbackApp(
  runtime: Promise<Runtime>,
  front: (runtime: Runtime) => ToolFront,
  port: () => number,
): Hono {
  const app = new Hono();
  let made: ToolFront | undefined;
  app.all('/mcp', async (context) => {
    const house = await runtime;
    made ??= front(house);
    const caller = callerAt(context, house, port());
    if (caller instanceof Response) return caller;
    const { raw } = context.req;
    if (context.req.method !== 'POST') return made.fetch(raw, caller, undefined);
    const read = await readBody(raw);
    if (read.body !== 'json') return unreadable(context, read);
    const response = await made.fetch(raw, caller, read.value);
    if (caller.kind === 'agent' && asksForTools(read.value)) house.effects.roster.sawToolsListed(caller.incarnation);
    return response;
  });
  app.post('/hooks', async (context) => {
    const house = await runtime;
    const caller = callerAt(context, house, port());
    if (caller instanceof Response) return caller;
    const read = await readBody(context.req.raw);
    if (read.body !== 'json') return unreadable(context, read);
    const { roster, leaders } = house.effects;
    const who = roster.byIncarnation(caller.incarnation) ?? leaders.conversation(caller.incarnation);
    return context.json((await who?.hook(read.value, context.req.raw.signal)) ?? {});
  });
  return app;
}

/** Who comes in by this door; the answer for those who may not. */
function callerAt(context: Context, { effects }: Runtime, port: number): AgentCaller | LeaderCaller | Response {
  const refused = wrongDoor(context, port);
  if (refused) return refused;
  const token = bearerOf((name) => context.req.header(name));
  const caller = token === undefined ? undefined : callerByToken(effects, token);
  return caller ?? refusal(context, 401, 'this token belongs to no agent that lives');
}

function wrongDoor(context: Context, port: number): Response | undefined {
  const host = context.req.header('host');
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    return refusal(context, 403, 'this is not the host you asked for');
  if (context.req.header('origin') !== undefined) return refusal(context, 403, 'web pages may not use the team');
  return undefined;
}

function unreadable(context: Context, read: Exclude<RequestBody, { body: 'json' }>): Response {
  if (read.body === 'malformed') return refusal(context, 400, 'the body is not JSON', -32700);
  return refusal(context, 413, `a request of ${read.bytes} bytes is too large`, -32600);
}

function asksForTools(body: unknown): boolean {
  const requests: unknown[] = Array.isArray(body) ? body : [body];
  return requests.some(
    (request) =>
      typeof request === 'object' && request !== null && 'method' in request && request.method === 'tools/list',
  );
}

/** A refusal in the words of JSON-RPC, which is all that an MCP client reads. */
function refusal(context: Context, status: 400 | 401 | 403 | 413, message: string, code = -32001): Response {
  return context.json({ jsonrpc: '2.0', id: null, error: { code, message } }, status);
}
