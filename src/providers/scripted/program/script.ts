import type { Message } from './message.ts';

/** What an agent plays. Made from YAML by `script-file.ts`, which also says what each key means and refuses the rest. */
export interface Script {
  /** `protocol`: the socket, and the composer beside it. `paste`: the composer alone. */
  readonly channel: 'protocol' | 'paste';
  /** Draws as if the terminal had at most so many columns. */
  readonly columns: number | undefined;
  readonly beforeGreeting: readonly Step[];
  readonly onStart: readonly Step[];
  readonly rules: readonly Rule[];
  /** Played when no rule matches; undefined: what an agent without a script does. */
  readonly otherwise: readonly Step[] | undefined;
}

export interface Rule {
  readonly match: RegExp | undefined;
  readonly from: readonly string[] | undefined;
  readonly task: string | undefined;
  readonly times: number;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'send'; readonly arguments: ToolArguments }
  | { readonly kind: 'report'; readonly arguments: ToolArguments }
  | { readonly kind: 'ask_approval'; readonly text: string }
  | { readonly kind: 'show_dialog'; readonly text: string }
  | { readonly kind: 'draft'; readonly text: string }
  | { readonly kind: 'clear_draft' }
  | { readonly kind: 'ignore_keys'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'flood'; readonly lines: number }
  | { readonly kind: 'crash'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'set'; readonly values: Readonly<Record<string, string>> }
  | {
      readonly kind: 'when';
      readonly known: readonly string[];
      readonly is: Readonly<Record<string, string>>;
      readonly steps: readonly Step[];
    };

/** Arguments of a team tool; every text in them may hold templates. */
export type ToolArguments = Readonly<Record<string, unknown>>;

export const NO_SCRIPT: Script = {
  channel: 'protocol',
  columns: undefined,
  beforeGreeting: [],
  onStart: [],
  rules: [],
  otherwise: undefined,
};

/** Names that templates know by themselves; a script cannot set them. */
export const BUILT_IN = ['body', 'from', 'task', 'node', 'workspace', 'folder'] as const;

/** The first rule for this message that has times left, with the groups of its match. `used` counts by rule. */
export function chooseRule(
  rules: readonly Rule[],
  used: readonly number[],
  message: Message,
): { readonly index: number; readonly rule: Rule; readonly groups: readonly string[] } | undefined {
  for (const [index, rule] of rules.entries()) {
    if ((used[index] ?? 0) >= rule.times) continue;
    if (rule.from && !rule.from.includes(message.from)) continue;
    if (rule.task !== undefined && rule.task !== message.task) continue;
    const found = rule.match ? rule.match.exec(message.body) : [];
    if (found) return { index, rule, groups: found.slice(1).map((group: string | undefined) => group ?? '') };
  }
  return undefined;
}

const TEMPLATE = /\{\{\s*([A-Za-z0-9_-]+)\s*\}\}/g;

/** Fills in `{{name}}`, once: what is filled in is not looked at again. A name that nobody knows stays as it stands. */
export function fillIn(
  text: string,
  values: ReadonlyMap<string, string>,
  quote: (value: string) => string = (value) => value,
): string {
  return text.replace(TEMPLATE, (template, name: string) => {
    const value = values.get(name);
    return value === undefined ? template : quote(value);
  });
}

/** `fillIn` for every text inside a tool's arguments. */
export function fillInAll(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return fillIn(value, values);
  if (Array.isArray(value)) return value.map((item) => fillInAll(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillInAll(item, values)]));
}
