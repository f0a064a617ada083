import { z } from 'zod';
import { PROTOCOL } from '../../client/index.ts';
import { type DeliveryId, isRefusal, LEADER, type Refusal, type TeamId } from '../../kernel/index.ts';
import { dumpTables, mailFor, oldestPending, type TeamRow } from '../../ledger/index.ts';
import { takeByPerson } from '../../messages/index.ts';
import { ownTeamOnly, ownTeamsOf, workerMayNot } from '../api/callers.ts';
import { selectTeam, selectTeamOf } from '../teams.ts';
import {
  deliveriesView,
  eventsView,
  identityView,
  inboxView,
  leadersView,
  messageStoredView,
  parseSince,
  resultsView,
  statusView,
  takenView,
  whyView,
} from '../views/index.ts';
import { mailGoesElsewhere } from './leading/mailbox.ts';
import { type Asked, verb } from './verb.ts';

const since = z.union([z.string(), z.number()]).optional();
const team = z.string().optional();

/** A verb about one team: the caller's own, or the one that `--team` names. */
function teamVerb<Input extends { team?: string | undefined; message_id?: string | undefined }>(
  input: z.ZodType<Input>,
  run: (asked: Asked, team: TeamRow, input: Input) => Promise<object | Refusal>,
) {
  return verb({
    input,
    agents: true,
    run: async (asked, args) => {
      const { db } = asked.runtime.effects.ledger;
      const selected = await selectTeamOf(db, args.team, args.message_id, ownTeamsOf(asked.caller));
      if (isRefusal(selected)) return selected;
      return ownTeamOnly(asked.caller, selected.team) ?? run(asked, selected, args);
    },
  });
}

export const status = teamVerb(
  z.object({ team, detail: z.boolean().default(false) }),
  async ({ runtime }, selected, { detail }) => {
    const { ledger, clock, workspace } = runtime.effects;
    const coordinator = { status: 'running', ...(await health(runtime)) };
    return statusView(ledger.db, runtime, selected, clock, workspace, coordinator, detail);
  },
);

export const deliveries = teamVerb(
  z.object({ message_id: z.string().optional(), limit: z.number().int().positive().optional(), team }),
  ({ runtime }, selected, args) => deliveriesView(runtime.effects.ledger.db, runtime, selected, args),
);

export const identity = teamVerb(
  z.object({ environment: z.record(z.string(), z.string()).default({}), team }),
  ({ runtime, caller }, selected, args) =>
    identityView(runtime.effects.ledger.db, runtime, selected, runtime.effects.workspace, caller, args),
);

/** Every team, or the one that is named. */
export const leaders = verb({
  input: z.object({ team }),
  agents: true,
  run: async ({ runtime, caller }, args) => {
    const { db } = runtime.effects.ledger;
    const named = args.team ?? (caller.kind === 'agent' ? caller.team : undefined);
    const selected = named === undefined ? undefined : await selectTeam(db, named);
    if (isRefusal(selected)) return selected;
    return (
      (selected && ownTeamOnly(caller, selected.team)) ??
      leadersView(db, { observer: runtime, leaders: runtime.effects.leaders }, selected)
    );
  },
});

export const results = teamVerb(
  z.object({ agent: z.string().optional(), task: z.string().optional(), since, team }),
  ({ runtime }, selected, args) => resultsView(runtime.effects.ledger.db, selected, args),
);

export const inbox = teamVerb(
  z.object({ agent: z.string(), limit: z.number().int().positive().optional(), since, team }),
  async ({ runtime, caller }, selected, args) => {
    if (caller.kind === 'agent' && caller.agent !== args.agent)
      return workerMayNot(caller, 'the inbox of somebody else') ?? {};
    return inboxView(runtime.effects.ledger.db, runtime, selected, args);
  },
);

export const events = teamVerb(
  z.object({ since, limit: z.number().int().positive().optional(), team }),
  ({ runtime }, selected, args) => eventsView(runtime.effects.ledger.db, selected, args),
);

export const why = teamVerb(z.object({ agent: z.string(), team }), ({ runtime }, selected, args) =>
  whyView(runtime.effects.ledger.db, runtime, selected, args),
);

/** How much one call takes out of the mailbox, at most. */
const LONGEST_TAKE = 1_000;

/**
 * A person, or whoever leads, takes the leader's mail out of the mailbox, oldest first: what was waiting is consumed by
 * being shown.
 */
export const inboxTake = verb({
  input: z.object({
    agent: z.literal(LEADER),
    limit: z.number().int().positive().max(LONGEST_TAKE).default(LONGEST_TAKE),
    since,
    team,
  }),
  agents: false,
  run: async (asked, { limit, ...args }) => {
    const { runtime, caller } = asked;
    const { ledger } = runtime.effects;
    const selected = await selectTeam(ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(selected)) return selected;
    const from = parseSince(args.since);
    if (isRefusal(from)) return from;
    const team = selected.team as TeamId;
    const taken = await ledger.change(team, 'person', async (change) => {
      const elsewhere = await mailGoesElsewhere(asked, team, change.tx);
      if (elsewhere) return elsewhere;
      const waiting = await mailFor(change.tx, team, LEADER, { ...from, limit });
      for (const row of waiting) await takeByPerson(change, row.delivery_id as DeliveryId);
      return waiting;
    });
    return isRefusal(taken) ? taken : takenView(ledger.db, selected, taken);
  },
});

export const messageStored = verb({
  input: z.object({ message_id: z.string() }),
  agents: true,
  run: ({ runtime }, args) => messageStoredView(runtime.effects.ledger.db, args),
});

export const coordinatorStatus = verb({
  input: z.object({}),
  agents: true,
  run: async ({ runtime }) => ({ ok: true, ...(await health(runtime)) }),
});

export const coordinatorStop = verb({
  input: z.object({}),
  agents: false,
  run: async ({ runtime }) => {
    runtime.endSoon('it was asked to stop');
    return { ok: true, pid: process.pid };
  },
});

export const ledgerDump = verb({
  input: z.object({}),
  agents: false,
  run: async ({ runtime }) => ({ ok: true, tables: await dumpTables(runtime.effects.ledger.db) }),
});

/** How long the event loop takes to come round once, ms. */
function loopLag(): Promise<number> {
  const asked = performance.now();
  return new Promise((resolve) => setImmediate(() => resolve(Math.round((performance.now() - asked) * 100) / 100)));
}

async function health(runtime: Asked['runtime']) {
  const { ledger, clock } = runtime.effects;
  const oldest = await oldestPending(ledger.db);
  return {
    pid: process.pid,
    build: runtime.build,
    protocol: PROTOCOL,
    uptime_ms: clock.now() - runtime.startedAt,
    oldest_pending_ms: oldest === undefined ? null : clock.now() - oldest,
    loop_lag_ms: await loopLag(),
    rss_bytes: process.memoryUsage.rss(),
    port: runtime.port,
  };
}
