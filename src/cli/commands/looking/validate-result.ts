import { isRefusal } from '../../../kernel/reasons.ts';
import type { Context } from '../../context.ts';
import { usage } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { validLines } from '../../rendering/collecting.ts';
import { bytesOfFile, bytesOfInput, FORMS, jsonOf } from '../../result-files.ts';

/** Checks one result envelope: given as a word, in a file, or on standard input. */
export async function run(
  context: Context,
  [json]: readonly string[],
  { file }: { readonly file?: string },
): Promise<Outcome> {
  if (json !== undefined && file !== undefined)
    return refused(usage('validate-result checks one result: as a word or in a file, not both.', FORMS));
  if (json === undefined && file === undefined && context.stdin().isTTY === true)
    return refused(usage('validate-result needs a result: as a word, in a file, or on standard input.', FORMS));
  const given = jsonOf(json ?? (file === undefined ? await bytesOfInput(context) : bytesOfFile(context, file)));
  if (isRefusal(given)) return refused(given);
  const { checkEnvelope } = await import('../../../results/envelope.ts');
  const envelope = checkEnvelope(given.value);
  if (isRefusal(envelope)) return refused(envelope);
  const { task_id, agent_id, status } = envelope;
  return outcomeOf({ ok: true as const, task_id, agent_id, status }, validLines);
}
