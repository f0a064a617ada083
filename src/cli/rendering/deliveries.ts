import { printable } from '../../kernel/text.ts';
import type { Answers, DeliveryAnswer, ResultAnswer, UnendedAnswer } from '../answers/index.ts';
import { age, type Look, type Paint, took } from './look.ts';
import { refusalLines } from './refusal.ts';
import { type Cell, table } from './table.ts';
import { wrap } from './width.ts';

/** What became of a message so far: a line for each recipient. */
export function sentLines(sent: Answers['send'], look: Look): string[] {
  const rows = sent.deliveries.map((delivery) => [delivery.to, stateCell(delivery), tookOf(delivery)]);
  return [
    `${look.paint.green('stored')} ${sent.message_id}`,
    ...table([{ head: '' }, { head: '', least: 12 }, { head: '' }], rows, look).map((line) => `  ${line}`),
    ...(sent.results ? ['', ...answerLines(sent.results, look)] : []),
    ...(sent.next ?? []).map((command) => `${look.paint.dim('next:')} ${look.paint.bold(command)}`),
  ];
}

/** Whom a message was taken back from. */
export function cancelledLines({ message_id, deliveries }: Answers['cancel'], { paint }: Look): string[] {
  return [`${paint.green('cancelled')} ${message_id}`, ...deliveries.map(({ to, state }) => `  ${to}  ${state}`)];
}

export function deliveriesLines(answer: Answers['deliveries'], look: Look): string[] {
  if (answer.deliveries.length === 0) return ['no message yet'];
  const rows = answer.deliveries.map((delivery): Cell[] => [
    age(delivery.stored_at, look.now),
    delivery.message_id,
    delivery.from ? `${delivery.from} → ${delivery.to}` : delivery.to,
    stateCell(delivery),
    receiptOf(delivery),
  ]);
  const columns = [
    { head: 'age', align: 'right' as const },
    { head: 'message', least: 14 },
    { head: 'from → to', least: 12 },
    { head: 'state', least: 10 },
    { head: 'receipt', least: 8 },
  ];
  return table(columns, rows, look);
}

/** The state of a delivery, with the reason it is in it. */
export function stateText(delivery: Pick<DeliveryAnswer, 'state' | 'reason' | 'waits_for'>): string {
  if (delivery.waits_for?.length) return `${delivery.state} (waits for ${delivery.waits_for.join(', ')})`;
  return delivery.reason ? `${delivery.state} (${delivery.reason})` : delivery.state;
}

function stateCell(delivery: DeliveryAnswer): Cell {
  return { text: stateText(delivery), paint: (paint) => statePaint(delivery.state, paint) };
}

function statePaint(state: string, paint: Paint): (text: string) => string {
  if (state === 'consumed' || state === 'answered') return paint.green;
  if (state === 'dead') return paint.red;
  return state === 'held' ? paint.yellow : paint.cyan;
}

/** From stored to consumed. */
function tookOf({ stored_at, consumed_at }: DeliveryAnswer): string {
  return stored_at && consumed_at ? `after ${took(consumed_at - stored_at)}` : '';
}

/** Where the proof stands: a byte of the recipient's own record (`--json` names the file). */
export function receiptOf({ receipt, channel }: Pick<DeliveryAnswer, 'receipt' | 'channel'>): string {
  if (!receipt) return channel ? `(${channel})` : '-';
  return receipt.offset === undefined ? receipt.source : `${receipt.source} @${receipt.offset}`;
}

export function resultsLines(results: readonly ResultAnswer[], look: Look): string[] {
  if (results.length === 0) return ['no result yet'];
  return results.flatMap((result, index) => [...(index === 0 ? [] : ['']), ...resultLines(result, look)]);
}

/** What a wait for an answer brought: a request can be answered without a result. */
export function answerLines(results: readonly ResultAnswer[], look: Look): string[] {
  return results.length === 0 ? ['answered by a message: team-agent inbox leader'] : resultsLines(results, look);
}

/** A wait that did not end well: what came all the same, then what did not. */
export function unendedLines({ results, ...refusal }: UnendedAnswer, look: Look): string[] {
  return [...resultsLines(results, look), '', ...refusalLines(refusal, look)];
}

/** One result with its whole summary. */
function resultLines(result: ResultAnswer, look: Look): string[] {
  const { paint } = look;
  const status = result.status === 'success' ? paint.green(result.status) : paint.yellow(result.status);
  const task = result.task_id ? `  task ${result.task_id}` : '';
  const summary = wrap(printable(result.summary), look.columns - 2).map((line) => `  ${line}`);
  return [
    `${paint.bold(result.agent_id)}  ${status}${task}  ${result.result_id}  ${age(result.created_at, look.now)}`,
    ...summary,
  ];
}
