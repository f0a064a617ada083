import path from 'node:path';
import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { collectLines, settleLines } from '../../rendering/collecting.ts';
import { bytesOfFile, jsonOf } from '../../result-files.ts';

/** What was reported and where it went; with a file, what the file brings. */
export async function run(context: Context, { resultFile }: { readonly resultFile?: string }): Promise<Outcome> {
  if (resultFile === undefined) return outcomeOf(await call(context, 'collect', {}), collectLines);
  const given = jsonOf(bytesOfFile(context, resultFile));
  if (isRefusal(given)) return refused(given);
  const envelopes = Array.isArray(given.value) ? (given.value as unknown[]) : [given.value];
  const imported = { envelopes, path: path.resolve(context.cwd, resultFile) };
  return outcomeOf(await call(context, 'import-results', imported), collectLines);
}

/** The same with the state of the team, kept as a file. */
export async function settle(context: Context): Promise<Outcome> {
  return outcomeOf(await call(context, 'settle', {}), settleLines);
}
