import { type Refusal, refuse } from '../kernel/index.ts';
import type { ResultEnvelope } from './envelope.ts';

/** A report as it is stored. Every text is as the agent wrote it, up to {@link TEXT_LIMIT} bytes. */
export interface NormalisedResult extends Omit<ResultEnvelope, 'task_id' | 'agent_id'> {
  /** The task that the agent named; null when it named none. */
  readonly task_id: string | null;
  /** What the intake changed, guessed or could not place, one sentence each. */
  readonly notes: readonly string[];
}

type ResultStatus = ResultEnvelope['status'];
type Change = ResultEnvelope['changes'][number];
type Test = ResultEnvelope['tests'][number];
type Risk = ResultEnvelope['risks'][number];

/** The most bytes of UTF-8 that one text of a report keeps: 200 kB. */
export const TEXT_LIMIT = 200_000;

/** How much of something unplaced a note repeats, in characters. */
const NOTE_LIMIT = 500;

type Fields = Readonly<Record<string, unknown>>;
type Note = (sentence: string) => void;

/**
 * Takes in the arguments of `report_result`, however loosely they were written. An unknown status becomes `partial`,
 * never `success`; nothing is dropped without a note. Refuses only what is not an object.
 */
export function normaliseResult(input: unknown): NormalisedResult | Refusal {
  if (!isFields(input)) {
    return refuse('tool_arguments_invalid', 'A result is an object; write {"summary": "what was done"}.', {
      evidence: { given: input === null ? 'null' : Array.isArray(input) ? 'array' : typeof input },
    });
  }
  const notes: string[] = [];
  const note: Note = (sentence) => notes.push(sentence);
  const given = opened(input);
  const status = statusOf(given.status, note);
  const summary = summaryOf(given.summary, status, note);
  const task = firstText(given, ['task', 'task_id']);
  noteUnknownFields(given, note);
  return {
    schema_version: 'result_envelope_v1',
    task_id: task ?? null,
    status,
    summary,
    changes: each('changes', given.changes, note, (item) => change(item, summary)),
    tests: each('tests', given.tests, note, (item) => test(item, note)),
    risks: each('risks', given.risks, note, (item) => risk(item, note)),
    artifacts: each('artifacts', given.artifacts, note, artifact),
    next_actions: each('next_actions', given.next_actions, note, nextAction),
    notes,
  };
}

/** `agent_id` is understood and never believed: who reports is known from the connection. */
const FIELDS = new Set([
  ...['schema_version', 'task', 'task_id', 'agent_id', 'status', 'summary'],
  ...['changes', 'tests', 'risks', 'artifacts', 'next_actions', 'envelope'],
]);

/** A report inside `envelope`, as older role texts ask for, with the fields beside it going first. */
function opened(input: Fields): Fields {
  const inner = parsedText(input.envelope);
  if (!isFields(inner)) return input;
  const { envelope: _, ...beside } = input;
  return { ...inner, ...Object.fromEntries(Object.entries(beside).filter(([, value]) => !isAbsent(value))) };
}

function noteUnknownFields(given: Fields, note: Note): void {
  for (const [name, value] of Object.entries(given)) {
    const placed = FIELDS.has(name) && !(name === 'envelope' && !isAbsent(value));
    if (!placed) note(`unknown field ${noted(name)}: ${noted(value)}`);
  }
}

const STATUSES = words<ResultStatus>(
  ['success', 'success succeeded successful ok done complete completed pass passed'],
  ['blocked', 'blocked block'],
  ['failed', 'failed fail failure error'],
  ['partial', 'partial partially_done'],
);

function statusOf(value: unknown, note: Note): ResultStatus {
  if (value === undefined || value === null) return 'success';
  const status = STATUSES.get(plainWord(value));
  if (status === undefined) note(`unknown status ${noted(value)} was taken as partial`);
  return status ?? 'partial';
}

function summaryOf(value: unknown, status: ResultStatus, note: Note): string {
  const summary = textOf(value);
  if (summary !== undefined) return summary;
  note('no summary was given');
  return status === 'success' ? 'completed' : status;
}

const PATHS = ['path', 'file', 'filepath', 'filename'];
const DESCRIPTIONS = ['description', 'summary', 'detail', 'details', 'message'];
const KINDS = words<Change['kind']>(
  ['created', 'created create add added new'],
  ['modified', 'modified modify edit edited update updated change changed fix fixed'],
  ['deleted', 'deleted delete remove removed'],
  ['observed', 'observed observe read reviewed inspected viewed'],
);

function change(item: unknown, summary: string): Change | undefined {
  const path = isFields(item) ? firstText(item, PATHS) : undefined;
  if (!isFields(item) || path === undefined) return undefined;
  const written = firstText(item, DESCRIPTIONS);
  const kind = KINDS.get(plainWord(firstText(item, ['kind', 'type', 'action']))) ?? kindToldBy(written ?? '');
  return { path, kind, description: written ?? summary };
}

/** The kind of the first word that tells one; `modified` when none does. */
function kindToldBy(description: string): Change['kind'] {
  const told = (description.toLowerCase().match(/[a-z]+/g) ?? []).map((word) => KINDS.get(word));
  return told.find((kind) => kind !== undefined) ?? 'modified';
}

const TEST_STATUSES = words<Test['status']>(
  ['passed', 'passed pass ok success true'],
  ['failed', 'failed fail failure error false'],
  ['skipped', 'skipped skip'],
  ['not_run', 'not_run'],
);

function test(item: unknown, note: Note): Test | undefined {
  if (!isFields(item)) {
    const command = textOf(item);
    return command === undefined ? undefined : { command, status: 'not_run' };
  }
  const command = firstText(item, ['command', 'cmd', 'name', 'test']);
  if (command === undefined) return undefined;
  const detail = firstText(item, ['detail', 'output', 'stdout', 'stderr', 'summary', 'message']);
  const status = TEST_STATUSES.get(plainWord(item.status));
  if (status === undefined && !isAbsent(item.status))
    note(`unknown test status ${noted(item.status)} was taken as not_run`);
  return { command, status: status ?? 'not_run', ...(detail === undefined ? {} : { detail }) };
}

const SEVERITIES = words<Risk['severity']>(
  ['low', 'low minor'],
  ['medium', 'medium moderate'],
  ['high', 'high critical severe major'],
);

function risk(item: unknown, note: Note): Risk | undefined {
  const description = isFields(item) ? firstText(item, [...DESCRIPTIONS, 'risk']) : textOf(item);
  if (description === undefined) return undefined;
  const written = isFields(item) ? firstText(item, ['severity', 'level']) : undefined;
  const severity = SEVERITIES.get(plainWord(written));
  if (severity === undefined && written !== undefined) note(`unknown severity ${noted(written)} was taken as low`);
  return { severity: severity ?? 'low', description };
}

function artifact(item: unknown): ResultEnvelope['artifacts'][number] | undefined {
  const path = isFields(item) ? firstText(item, PATHS) : textOf(item);
  if (path === undefined) return undefined;
  return { path, description: (isFields(item) ? firstText(item, DESCRIPTIONS) : undefined) ?? path };
}

function nextAction(item: unknown): ResultEnvelope['next_actions'][number] | undefined {
  const names = ['description', 'summary', 'action', 'todo', 'message'];
  const description = isFields(item) ? firstText(item, names) : textOf(item);
  return description === undefined ? undefined : { description };
}

/** Reads a list item by item. One value counts as a list of one; what cannot be read goes into a note. */
function each<Item>(name: string, value: unknown, note: Note, read: (item: unknown) => Item | undefined): Item[] {
  const parsed = parsedText(value);
  const items = isAbsent(parsed) ? [] : Array.isArray(parsed) ? parsed : [parsed];
  return items.flatMap((item) => {
    const taken = read(item);
    if (taken === undefined) note(`could not place an item of ${name}: ${noted(item)}`);
    return taken === undefined ? [] : [taken];
  });
}

function words<const Canonical extends string>(
  ...table: readonly (readonly [Canonical, string])[]
): ReadonlyMap<string, Canonical> {
  return new Map(table.flatMap(([canonical, all]) => all.split(' ').map((word) => [word, canonical] as const)));
}

/** A word without regard to case, and to whether its parts are joined by blanks, hyphens or underscores. */
function plainWord(value: unknown): string {
  return String(textOf(value) ?? '')
    .trim()
    .toLowerCase()
    .replace(/[-\s]+/g, '_');
}

function firstText(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = Object.hasOwn(fields, name) ? textOf(fields[name]) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A value as text, cut at the limit; undefined when it says nothing. */
function textOf(value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  return cut(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** The longest beginning within the limit that ends between two characters, and how much of the text it is. */
function cut(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= TEXT_LIMIT) return text;
  const raw = Buffer.from(text);
  let end = TEXT_LIMIT;
  while (((raw[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${raw.toString('utf8', 0, end)}\n[cut: ${end} of ${bytes} bytes are kept]`;
}

/** Lists and objects that a model wrote as JSON inside a string. Any other value comes back as it is. */
function parsedText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function noted(value: unknown): string {
  const whole = JSON.stringify(value) ?? String(value);
  return whole.length <= NOTE_LIMIT ? whole : `${whole.slice(0, NOTE_LIMIT)}… (${whole.length} characters)`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
