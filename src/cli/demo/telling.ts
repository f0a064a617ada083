import path from 'node:path';
import { printable } from '../../kernel/text.ts';
import type { DeliveryAnswer } from '../answers/index.ts';
import { receiptOf } from '../rendering/deliveries.ts';
import { type Look, took } from '../rendering/look.ts';
import { glyphOf, paintOf } from '../rendering/status.ts';
import { type Cell, type Column, table } from '../rendering/table.ts';
import { displayWidth, pad, truncate, wrap } from '../rendering/width.ts';
import type { Half } from './numbers.ts';
import type { Letter, Story } from './story.ts';

/** `12.34 s` since the start. */
export function clock(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(2)} s`;
}

/** Names as a spectator reads them. */
function nameOf(member: string): string {
  if (member === 'person') return 'you';
  return member === 'team-agent' ? 'team' : member;
}

const ROUTE = 16;
const STATE = 17;
const TIME = 8;

/** A letter on one line: when (ms since the start), from whom to whom, its first words, and how far it is. */
export function letterLine(letter: Letter, at: number, look: Look): string {
  const { paint } = look;
  const route = pad(`${nameOf(letter.from)} → ${nameOf(letter.to)}`, ROUTE);
  const words = look.columns - 1 - TIME - ROUTE - STATE - 6;
  const text = pad(letter.text === undefined ? '' : `"${truncate(wordsOf(letter.text), words - 2)}"`, words);
  const time = pad(clock(at), TIME, 'right');
  return ` ${paint.dim(time)}  ${paint.bold(route)}  ${text}  ${progress(letter, look)}`.trimEnd();
}

/** Ids say nothing to a spectator. */
function wordsOf(text: string): string {
  return text.replace(/^Result r_\w+ of /, 'Result of ');
}

function progress({ state, took: after, to }: Letter, { paint }: Look): string {
  switch (state) {
    case 'queued':
      return to === 'leader' ? paint.yellow('in the mailbox') : paint.dim('queued');
    case 'submitted':
      return paint.cyan('submitted');
    case 'consumed':
      return paint.green(`✓ ${to === 'leader' ? 'taken' : 'consumed'} ${took(after ?? 0)}`);
    case 'dead':
      return paint.red('✗ dead');
    default:
      return state satisfies never;
  }
}

export interface Scene {
  readonly start: number;
  readonly rows: number;
  /** What happens now, while the team does not work: it is being started, or ended. */
  readonly phase: string;
  readonly states: Readonly<Record<string, string | null>>;
}

/** The live picture: a header, the three, and the latest messages. Never more than `rows - 1` lines, nor wider than the look. */
export function frame(story: Story, scene: Scene, look: Look): string[] {
  const { paint } = look;
  const rule = paint.dim('─'.repeat(look.columns - 1));
  const elapsed = clock(look.now - scene.start);
  const title = 'Team Agent demo';
  const middle = truncate(scene.phase, look.columns - 4 - title.length - elapsed.length - 1);
  const gap = ' '.repeat(Math.max(1, look.columns - 3 - title.length - 2 - displayWidth(middle) - elapsed.length));
  const head = [` ${paint.bold(title)}  ${middle}${gap}${paint.dim(elapsed)}`, rule];
  const actors = story.actors.map((actor) => actorLine(actor, scene.states[actor.id] ?? null, look));
  const room = Math.max(1, scene.rows - 1 - head.length - actors.length - 1);
  const letters = story.letters.slice(-room).map((letter) => letterLine(letter, letter.storedAt - scene.start, look));
  return [...head, ...actors, rule, ...letters].slice(0, Math.max(1, scene.rows - 1));
}

function actorLine(actor: Story['actors'][number], state: string | null, look: Look): string {
  const shown = state ?? 'starting';
  const paint = paintOf(shown, look.paint);
  const glyph = actor.reported && shown === 'idle' ? look.paint.green('✓') : paint(glyphOf(shown));
  const words = truncate(state === null ? '' : actor.doing, look.columns - 27);
  return ` ${glyph} ${look.paint.bold(pad(actor.id, 8))} ${paint(pad(shown.replaceAll('_', ' '), 12))} ${words}`.trimEnd();
}

const HALF_COLUMNS: readonly Column[] = [
  { head: 'agent', least: 5 },
  { head: 'files', align: 'right' },
  { head: 'lines', align: 'right' },
  { head: 'code', align: 'right' },
  { head: 'comments', align: 'right' },
  { head: 'functions', align: 'right' },
  { head: 'TODO', align: 'right' },
  { head: 'longest file', least: 10 },
];

/** What each reader found, and both together. */
export function halvesTable(halves: readonly Half[], look: Look): string[] {
  const rows = [...halves, ...(halves.length > 1 ? [sumOf(halves)] : [])].map((half): Cell[] => [
    half.who,
    half.files.toLocaleString('en-US'),
    half.lines.toLocaleString('en-US'),
    percent(half.lines - half.blank - half.comment, half.lines),
    percent(half.comment, half.lines),
    half.functions.toLocaleString('en-US'),
    String(half.marks),
    half.longestFile ? `${path.basename(half.longestFile.path)}, ${half.longestFile.lines}` : '-',
  ]);
  return table(HALF_COLUMNS, rows, look);
}

function sumOf(halves: readonly Half[]): Half {
  const sum = (pick: (half: Half) => number): number => halves.reduce((total, half) => total + pick(half), 0);
  const longest = halves.flatMap((half) => half.longestFile ?? []).sort((one, other) => other.lines - one.lines)[0];
  return {
    who: 'both',
    files: sum((half) => half.files),
    lines: sum((half) => half.lines),
    blank: sum((half) => half.blank),
    comment: sum((half) => half.comment),
    functions: sum((half) => half.functions),
    marks: sum((half) => half.marks),
    longestFile: longest ?? null,
  };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${Math.round((100 * part) / whole)}%`;
}

/** A report of `what: found` lines, aligned. */
export function findingsLines(summary: string, look: Look): string[] {
  return printable(summary)
    .split('\n')
    .flatMap((line) => {
      const [, what = '', found = line] = /^([A-Z][\w ]{1,14}): (.*)$/.exec(line) ?? [];
      const [first = '', ...more] = wrap(found, look.columns - 18);
      return [`${look.paint.dim(pad(what, 15))} ${first}`, ...more.map((part) => `${' '.repeat(16)}${part}`)];
    });
}

/** Every message with the times and the receipt that the ledger holds. */
export function receiptsTable(
  deliveries: readonly DeliveryAnswer[],
  story: Story,
  start: number,
  look: Look,
): string[] {
  const texts = new Map(story.letters.map((letter) => [letter.id, letter.text]));
  const rows = deliveries.map((delivery): Cell[] => [
    clock((delivery.stored_at ?? start) - start),
    `${nameOf(delivery.from ?? '?')} → ${nameOf(delivery.to)}`,
    wordsOf(texts.get(delivery.message_id) ?? ''),
    readCell(delivery),
    delivery.channel ?? '-',
    receiptOf({ receipt: delivery.receipt ?? null }),
  ]);
  const columns: Column[] = [
    { head: 'at', align: 'right' },
    { head: 'from → to' },
    { head: 'message', least: 8 },
    { head: 'read after', align: 'right' },
    { head: 'by' },
    { head: 'receipt', least: 8 },
  ];
  return table(columns, rows, look);
}

/** How long it took to be read; its state when it was not. */
function readCell({ state, stored_at, consumed_at }: DeliveryAnswer): Cell {
  if (consumed_at && stored_at) return { text: took(consumed_at - stored_at), paint: (paint) => paint.green };
  return { text: state, paint: (paint) => (state === 'dead' ? paint.red : paint.yellow) };
}
