import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import { z } from 'zod';
import { HEADERS, PROTOCOL } from '../../client/index.ts';
import { isRefusal, type Refusal, refuse, type TeamId } from '../../kernel/index.ts';
import { eventsSince, LedgerUnwritable } from '../../ledger/index.ts';
import type { Runtime } from '../runtime.ts';
import { selectTeam } from '../teams.ts';
import { VERBS } from '../verbs/index.ts';
import { eventView } from '../views/index.ts';
import { type Caller, identifyCaller, ownTeamOnly, ownTeamsOf, workerMayNot } from './callers.ts';
import { type RequestBody, readBody } from './request-body.ts';

/**
 * What the command line calls, over a unix socket that only this OS user can open. `runtime` resolves once boot has settled
 * everything; until then callers wait, but for `/hello`, which answers at once.
 */
export function localApi(runtime: Promise<Runtime>, hello: () => object): Hono {
  const app = new Hono();
  app.get('/hello', (context) => context.json(hello()));
  app.post('/verbs/:verb', async (context) => context.json(await answer(await runtime, context)));
  app.post('/stream/events', async (context) => followEvents(await runtime, context));
  return app;
}

async function answer(runtime: Runtime, context: Context): Promise<object> {
  const name = context.req.param('verb') ?? '';
  const verb = VERBS[name];
  if (!verb) return refuse('usage', `There is no verb ${name}.`, { next: ['team-agent --help'] });
  const caller = callerOf(runtime, context);
  if (isRefusal(caller)) return caller;
  const mayNot = verb.agents ? undefined : workerMayNot(caller, name);
  if (mayNot) return mayNot;
  const read = await readBody(context.req.raw);
  if (read.body !== 'json') return unreadable(name, read);
  const parsed = verb.input.safeParse(read.value);
  if (!parsed.success) return refuse('usage', z.prettifyError(parsed.error), { next: [`team-agent ${name} --help`] });
  try {
    return await verb.run({ runtime, caller, gone: context.req.raw.signal }, parsed.data);
  } catch (error) {
    return failed(runtime, name, error);
  }
}

function unreadable(verb: string, read: Exclude<RequestBody, { body: 'json' }>): Refusal {
  const next = [`team-agent ${verb} --help`];
  if (read.body === 'malformed') return refuse('usage', `What was asked of ${verb} is not JSON.`, { next });
  return refuse('message_too_large', `A request of ${read.bytes} bytes is too large for ${verb}.`, { next });
}

/** A failed commit is told as what it is; anything else is a bug: its trace goes to the log, never to the caller. */
function failed(runtime: Runtime, verb: string, error: unknown): Refusal {
  runtime.log.error({ err: error, verb }, 'a verb failed');
  if (error instanceof LedgerUnwritable) return error.refusal;
  return refuse('internal_error', `${verb} failed: ${error instanceof Error ? error.message : String(error)}.`, {
    next: ['tail -n 50 .team/run/coordinator.log'],
  });
}

function callerOf(runtime: Runtime, context: Context): Caller | Refusal {
  const protocol = Number(context.req.header(HEADERS.protocol) ?? 0);
  if (protocol > PROTOCOL) {
    return refuse(
      'coordinator_older',
      `The running coordinator (${runtime.build}) is older than this command. Its agents keep running while it is replaced.`,
      {
        evidence: { protocol: PROTOCOL, asked: protocol },
        next: ['team-agent coordinator stop', 'team-agent coordinator start'],
      },
    );
  }
  return identifyCaller(runtime.effects, (header) => context.req.header(header));
}

const following = z.object({ since: z.union([z.string(), z.number()]).optional(), team: z.string().optional() });

/** Events as JSON lines: what there is after `since`, then each as it is committed, until the caller goes. */
async function followEvents(runtime: Runtime, context: Context): Promise<Response> {
  const read = await readBody(context.req.raw);
  const args = following.safeParse(read.body === 'json' ? read.value : undefined);
  const caller = callerOf(runtime, context);
  const { db } = runtime.effects.ledger;
  const team = isRefusal(caller) ? caller : await selectTeam(db, args.data?.team, ownTeamsOf(caller));
  if (isRefusal(team) || !args.success)
    return context.json(isRefusal(team) ? team : refuse('usage', 'since or team is malformed.'));
  const foreign = isRefusal(caller) ? undefined : ownTeamOnly(caller, team.team);
  if (foreign) return context.json(foreign);
  const time = Number.isNaN(Number(args.data.since ?? 0)) ? Date.parse(String(args.data.since)) : undefined;
  let after = time === undefined ? Number(args.data.since ?? 0) : 0;
  const gone = new AbortController();
  return stream(context, async (out) => {
    out.onAbort(() => gone.abort());
    while (!gone.signal.aborted) {
      const rows = await runtime.effects.changes.until(
        async () => {
          const found = await eventsSince(db, team.team as TeamId, { afterSeq: after, sinceTime: time, limit: 1_000 });
          return found.length > 0 ? found : undefined;
        },
        24 * 3_600_000,
        gone.signal,
      );
      for (const row of rows ?? []) {
        after = row.seq;
        await out.write(`${JSON.stringify(eventView(row))}\n`);
      }
    }
  });
}
