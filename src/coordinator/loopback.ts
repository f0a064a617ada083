import { type Context, Hono } from 'hono';
import { type AgentCaller, bearerOf, callerByToken, type LeaderCaller } from './callers.ts';
import type { Runtime } from './runtime.ts';

/** What serves the agents' tools; it stands above this room and is given to it. */
export interface ToolFront {
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
    const body = context.req.method === 'POST' ? await readJson(context) : undefined;
    if (body === MALFORMED) return refusal(context, 400, 'the body is not JSON', -32700);
    const response = await made.fetch(context.req.raw, caller, body);
    if (caller.kind === 'agent' && asksForTools(body)) house.effects.roster.sawToolsListed(caller.incarnation);
    return response;
  });
  app.post('/hooks', async (context) => {
    const house = await runtime;
    const caller = callerAt(context, house, port());
    if (caller instanceof Response) return caller;
    const payload = await readJson(context);
    if (payload === MALFORMED) return refusal(context, 400, 'the body is not JSON', -32700);
    const { roster, leaders } = house.effects;
    const who = roster.byIncarnation(caller.incarnation) ?? leaders.conversation(caller.incarnation);
    return context.json((await who?.hook(payload, context.req.raw.signal)) ?? {});
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

const MALFORMED = Symbol('malformed');

async function readJson(context: Context): Promise<unknown> {
  try {
    return JSON.parse(await context.req.raw.clone().text());
  } catch {
    return MALFORMED;
  }
}

function asksForTools(body: unknown): boolean {
  const requests: unknown[] = Array.isArray(body) ? body : [body];
  return requests.some(
    (request) =>
      typeof request === 'object' && request !== null && 'method' in request && request.method === 'tools/list',
  );
}

/** A refusal in the words of JSON-RPC, which is all that an MCP client reads. */
function refusal(context: Context, status: 400 | 401 | 403, message: string, code = -32001): Response {
  return context.json({ jsonrpc: '2.0', id: null, error: { code, message } }, status);
}
