import path from 'node:path';
import { z } from 'zod';
import { isRefusal, type Refusal, refuse, type TeamId, writePrivateFile } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';
import { importResults } from '../../results/index.ts';
import { type Caller, ownTeamsOf, senderIn } from '../api/callers.ts';
import { nextActions, settledSummary } from '../export/settle.ts';
import type { Runtime } from '../runtime.ts';
import { selectTeam } from '../teams.ts';
import { type CollectView, collectView, peerTalkView, statusView } from '../views/index.ts';
import { verb } from './verb.ts';

const team = z.string().optional();

/** What was reported, as it was taken in. Nothing is left to be collected: each result went into its task as it came. */
export const collect = verb({
  input: z.object({ team }),
  agents: false,
  run: ({ runtime, caller }, args) => inTeam(runtime, caller, args.team, (row) => collected(runtime, row)),
});

/** Takes in the results of a file: the good ones, whatever else stands beside them. */
export const importFile = verb({
  input: z.object({ envelopes: z.array(z.unknown()), path: z.string(), team }),
  agents: false,
  run: ({ runtime, caller }, { envelopes, path: file, team: named }) =>
    inTeam(runtime, caller, named, async (row) => {
      const { sender } = senderIn(row.team, caller);
      const imported = await importResults(runtime.effects, row.team as TeamId, sender, { envelopes, path: file });
      const view = await collectView(runtime.effects.ledger.db, row, coordinator(), imported);
      return importAnswer(view, envelopes.length);
    }),
});

/** What there is and how the team stands, also as a file for whoever looks into it later. */
export const settle = verb({
  input: z.object({ team }),
  agents: false,
  run: ({ runtime, caller }, args) =>
    inTeam(runtime, caller, args.team, async (row) => {
      const { ledger, clock, workspace, runFolder } = runtime.effects;
      const collect = await collected(runtime, row);
      const status = await statusView(ledger.db, runtime, row, clock, workspace, coordinator());
      const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]/g, '');
      const details_log = path.join(runFolder, `settle-${stamp}.json`);
      writePrivateFile(details_log, `${JSON.stringify({ at: clock.now(), status, collect }, null, 2)}\n`);
      return {
        ok: true,
        summary: settledSummary(status, collect),
        next_actions: nextActions(status, row),
        details_log,
        collect,
      };
    }),
});

/** Agents of a team may write to each other, or not, as its documents say: nothing is left to be allowed for a pair. */
export const allowPeerTalk = verb({
  input: z.object({ a: z.string(), b: z.string(), team }),
  agents: false,
  run: ({ runtime, caller }, { a, b, team: named }) =>
    inTeam(runtime, caller, named, (row) => peerTalkView(runtime.effects.ledger.db, row, { a, b })),
});

async function inTeam(
  runtime: Runtime,
  caller: Caller,
  named: string | undefined,
  run: (team: TeamRow) => Promise<object | Refusal>,
): Promise<object | Refusal> {
  const selected = await selectTeam(runtime.effects.ledger.db, named, ownTeamsOf(caller));
  return isRefusal(selected) ? selected : run(selected);
}

function collected(runtime: Runtime, row: TeamRow): Promise<CollectView> {
  return collectView(runtime.effects.ledger.db, row, coordinator());
}

const coordinator = () => ({ status: 'running' as const, pid: process.pid });

/** How much of what is wrong the message of a refusal repeats: so many results, so many lines of each. The answer has all. */
const TOLD = { results: 10, lines: 4 };

/** Good ones were taken in whatever the others are; what was wrong is said of each. */
function importAnswer(view: CollectView, count: number): object | Refusal {
  const { invalid_results: invalid } = view;
  if (count > 0 && invalid.length === 0) return view;
  const taken = view.collected.length;
  const told = invalid.slice(0, TOLD.results).map(({ agent_id, error }) => {
    const lines = error.split('\n');
    const more = lines.length > TOLD.lines ? ['...'] : [];
    return `${agent_id ?? '(nobody)'}: ${[...lines.slice(0, TOLD.lines), ...more].join('\n  ')}`;
  });
  const counts = taken === 0 ? 'No result was taken in.' : `Taken in: ${taken}. Not taken in: ${invalid.length}.`;
  const refusal = refuse('result_invalid', count === 0 ? 'The file holds no result.' : [counts, ...told].join('\n'), {
    next: ['team-agent collect', 'team-agent validate-result --help'],
  });
  return { ...view, ...refusal, ...(taken > 0 ? { partial: true } : {}) };
}
