/**
 * What a test writes into a prompt so that a scripted model plays it. One grammar for both model servers:
 *
 *   [[say TEXT]]            the last words of the turn; without it a short echo of the prompt
 *   [[team TOOL {json}]]    a call of the product's own tool over MCP
 *   [[shell CMD]]           a call of the CLI's shell tool
 *   [[escalate CMD]]        the same, outside the sandbox: opens an approval (Claude Code asks in manual mode anyhow)
 *   [[background CMD]]      the same, in the background (Claude Code); Codex has no such choice and runs it as shell
 *   [[tool NAME {json}]]    a call of any other tool
 *   [[hold MS]]             silence of MS ms before the answer
 *   [[drip MS]]             the words of the answer come MS ms apart
 *   [[error STATUS N]]      the first N requests get this HTTP status; N is 1 when left out, `always` for all
 *   [[cut N]]               the first N answers lose their connection midway; N as above
 *
 * Tool calls run in their order, one for each request of the CLI, then comes what is said. hold, drip, error and cut belong
 * to the tool call that follows them, else to what is said. Only `]]` ends a directive: nested JSON arrays are written
 * `[["a"] ]`. In every text `{{message}}` is the id of the team message that holds the directives, and `{{result}}` what the
 * newest tool call returned.
 */
export type Act =
  | { readonly kind: 'say'; readonly text: string | undefined }
  | { readonly kind: 'shell' | 'escalate' | 'background'; readonly command: string }
  | { readonly kind: 'team' | 'tool'; readonly name: string; readonly input: Json };

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** One answer of the model. */
export interface Step {
  readonly act: Act;
  /** Silence before the answer, ms. */
  readonly hold: number;
  /** Between two words, ms. */
  readonly drip: number;
  readonly error: { readonly status: number; readonly times: number } | undefined;
  /** How many answers lose their connection. */
  readonly cuts: number;
}

const DIRECTIVE = /\[\[(say|team|shell|escalate|background|tool|hold|drip|error|cut)\b\s*([\s\S]*?)\s*\]\]/g;

export const hasDirectives = (text: string): boolean => text.search(DIRECTIVE) >= 0;

/** The steps that a prompt asks for; the last one is what is said. A directive that cannot be read is said to be so. */
export function stepsOf(prompt: string): readonly Step[] {
  const steps: Step[] = [];
  let how: Omit<Step, 'act'> = { hold: 0, drip: 0, error: undefined, cuts: 0 };
  let last: Act = { kind: 'say', text: undefined };
  for (const [whole, name = '', rest = ''] of prompt.matchAll(DIRECTIVE)) {
    if (name === 'hold') how = { ...how, hold: Number(rest) };
    else if (name === 'drip') how = { ...how, drip: Number(rest) };
    else if (name === 'error') how = { ...how, error: errorOf(rest) };
    else if (name === 'cut') how = { ...how, cuts: timesOf(rest) };
    else {
      const act = actOf(name, rest) ?? { kind: 'say', text: `this directive cannot be read: ${whole.slice(2, -2)}` };
      if (act.kind === 'say') last = act;
      else {
        steps.push({ act, ...how });
        how = { hold: 0, drip: 0, error: undefined, cuts: 0 };
      }
    }
  }
  return [...steps, { act: last, ...how }];
}

function actOf(name: string, rest: string): Act | undefined {
  if (name === 'say') return { kind: 'say', text: rest };
  if (name === 'shell' || name === 'escalate' || name === 'background') return { kind: name, command: rest };
  const [, tool, json] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (tool === undefined || (name !== 'team' && name !== 'tool')) return undefined;
  try {
    return { kind: name, name: tool, input: json ? JSON.parse(json) : {} };
  } catch {
    return undefined; // the caller says so in the words of the model
  }
}

function errorOf(rest: string): Step['error'] {
  const [status = '', times = ''] = rest.split(/\s+/);
  return { status: Number(status), times: timesOf(times) };
}

function timesOf(word: string): number {
  if (word === 'always') return Number.POSITIVE_INFINITY;
  return word === '' ? 1 : Number(word);
}

/** Puts `{{message}}` and `{{result}}` into every text of a value. */
export function filled<Value extends Json>(value: Value, words: Readonly<Record<string, string>>): Value;
export function filled(value: Json, words: Readonly<Record<string, string>>): Json {
  if (typeof value === 'string') return value.replace(/\{\{(\w+)\}\}/g, (whole, name) => words[name] ?? whole);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => filled(item, words));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, words)]));
}
