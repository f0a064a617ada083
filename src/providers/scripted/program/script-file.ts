import { constants } from 'node:os';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BUILT_IN, type Script, type Step } from './script.ts';

/** Why a script cannot be played: where it stands and what is wrong there. `line` counts from 1. */
export interface ScriptFault {
  readonly file: string;
  readonly line: number;
  /** The path of keys, such as `rules.0.do.1.wait`; empty for the document itself. */
  readonly key: string;
  readonly message: string;
}

/** Longest wait that a timer can take, in ms (2^31 - 1, 24.8 days). */
const LONGEST_WAIT = 2_147_483_647;
const text = z.string();
const milliseconds = z.number().int().min(0).max(LONGEST_WAIT);
const yes = z.literal(true);

const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'm');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const variable = z
  .string()
  .refine((name) => !BUILT_IN.some((own) => own === name), { message: 'this name is taken by a template of our own' });
const values = z.record(
  variable,
  z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value)),
);
const signal = z
  .string()
  .refine((name): name is NodeJS.Signals => Object.hasOwn(constants.signals, name), 'not the name of a signal');

/** One entry per kind of step: what may stand behind its key, and the step that it makes. */
const STEPS = {
  say: text.transform((value): Step => ({ kind: 'say', text: value })),
  wait: milliseconds.transform((ms): Step => ({ kind: 'wait', ms })),
  send: z
    .looseObject({
      to: z.union([text, z.array(text)]),
      text,
      expects: z.enum(['nothing', 'reply', 'result']).optional(),
    })
    .transform(({ text: content, ...rest }): Step => ({ kind: 'send', arguments: { ...rest, content } })),
  report: z
    .looseObject({ summary: text, status: text.default('success') })
    .transform((value): Step => ({ kind: 'report', arguments: value })),
  ask_approval: text.transform((value): Step => ({ kind: 'ask_approval', text: value })),
  show_dialog: text.transform((value): Step => ({ kind: 'show_dialog', text: value })),
  draft: text.transform((value): Step => ({ kind: 'draft', text: value })),
  clear_draft: yes.transform((): Step => ({ kind: 'clear_draft' })),
  ignore_keys: milliseconds.transform((ms): Step => ({ kind: 'ignore_keys', ms })),
  hang: yes.transform((): Step => ({ kind: 'hang' })),
  flood: z
    .strictObject({ lines: z.number().int().min(1).max(10_000_000) })
    .transform(({ lines }): Step => ({ kind: 'flood', lines })),
  crash: z
    .union([signal, yes.transform(() => 'SIGKILL' as const)])
    .transform((name): Step => ({ kind: 'crash', signal: name })),
  exit: z
    .number()
    .int()
    .min(0)
    .max(255)
    .transform((code): Step => ({ kind: 'exit', code })),
  run: text.transform((command): Step => ({ kind: 'run', command })),
  set: values.transform((set): Step => ({ kind: 'set', values: set })),
  when: z
    .strictObject({
      known: z.array(text).default([]),
      is: values.default({}),
      do: z.lazy((): z.ZodType<Step[]> => steps),
    })
    .transform((value): Step => ({ kind: 'when', known: value.known, is: value.is, steps: value.do })),
} satisfies Record<Step['kind'], z.ZodType<Step>>;

/** A step is a map with one key; the key says which schema the rest answers to. */
const step: z.ZodType<Step> = z.unknown().transform((raw, context): Step => {
  const entries = typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? Object.entries(raw) : [];
  const [name = '', value] = entries[0] ?? [];
  if (entries.length !== 1 || !Object.hasOwn(STEPS, name)) {
    const known = Object.keys(STEPS).join(', ');
    context.addIssue({ code: 'custom', message: `a step is a map with one key, one of: ${known}` });
    return z.NEVER;
  }
  const parsed = STEPS[name as Step['kind']].safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    context.addIssue({ code: 'custom', message: issue.message, path: [name, ...issue.path] });
  }
  return z.NEVER;
});
const steps: z.ZodType<Step[]> = z.array(step);

const rule = z
  .strictObject({
    match: pattern.optional(),
    from: z.union([text.transform((one) => [one]), z.array(text)]).optional(),
    task: text.optional(),
    times: z.number().int().min(1).default(Number.POSITIVE_INFINITY),
    do: steps,
  })
  .transform(({ match, from, task, times, do: played }) => ({ match, from, task, times, steps: played }));

const script = z
  .strictObject({
    channel: z.enum(['protocol', 'paste']).default('protocol'),
    columns: z.number().int().min(20).max(500).optional(),
    before_greeting: steps.default([]),
    on_start: steps.default([]),
    rules: z.array(rule).default([]),
    otherwise: steps.optional(),
  })
  .transform(
    (value): Script => ({
      channel: value.channel,
      columns: value.columns,
      beforeGreeting: value.before_greeting,
      onStart: value.on_start,
      rules: value.rules,
      otherwise: value.otherwise,
    }),
  );

/** Reads a script (strict YAML 1.2). An empty document is the script of an agent without a script. */
export function parseScript(
  file: string,
  source: string,
): { readonly ok: true; readonly script: Script } | { readonly ok: false; readonly faults: readonly ScriptFault[] } {
  const counter = new LineCounter();
  const document = parseDocument(source, { version: '1.2', uniqueKeys: true, lineCounter: counter });
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => ({
      file,
      line: counter.linePos(error.pos[0]).line,
      key: '',
      message: error.message.split('\n', 1)[0] ?? error.code,
    }));
    return { ok: false, faults };
  }
  const parsed = script.safeParse(document.toJS() ?? {});
  if (parsed.success) return { ok: true, script: parsed.data };
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
    }
    return 1;
  };
  const faults = parsed.error.issues.map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    return { file, line: lineOf(path), key: path.join('.'), message: issue.message };
  });
  return { ok: false, faults };
}
