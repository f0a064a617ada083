import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';

/** Every row of the ledger that holds no secret. In text: a JSON line per row, behind its table. */
export async function dump(context: Context): Promise<Outcome> {
  return outcomeOf(await call(context, 'ledger-dump', {}), ({ tables }) =>
    Object.entries(tables).flatMap(([table, rows]) => rows.map((row) => `${table} ${JSON.stringify(row)}`)),
  );
}
