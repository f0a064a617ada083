import { hasDirectives } from './directives.ts';

/** One entry of the history that a CLI sends with each request, the same for both model servers. */
export type Entry =
  | { readonly kind: 'user'; readonly text: string }
  /** What the CLI tells the model by itself: reminders, what hooks said. It may bring a message too. */
  | { readonly kind: 'note'; readonly text: string }
  /** Words of the model that end its turn. */
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'call'; readonly text: string }
  | { readonly kind: 'result'; readonly text: string };

/** What the model was asked by its newest human text, and how far it has come. */
export interface Prompt {
  readonly text: string;
  /** The id of the team message that brought the text. */
  readonly message: string | undefined;
  /** Where it stands in the history; with the text it tells two equal prompts apart. */
  readonly index: number;
  /** Tool calls since. */
  readonly calls: number;
  /** What the newest of them returned. */
  readonly result: string | undefined;
}

interface HumanText {
  readonly text: string;
  readonly message?: string;
}

const INTERRUPTED = /^\s*(\[Request interrupted by user|<turn_aborted>)/;

/** Texts that Codex writes in the user's name. */
const CODEX_WRAPPER =
  /^\s*(<(environment_context|user_instructions|INSTRUCTIONS|permissions|skill|subagent|user_shell_command|model_switch|apps_instructions|hook|collaboration_mode|personality)|# AGENTS\.md)/i;

/** What brings a message although it stands in a reminder or a note: it came while the model was at work. */
const BRINGS_MESSAGE =
  /(The user sent a new message|session sent a message) while you were working:|\[team message \S+ [^\n]*\]\n--- /;

/** What Claude Code writes about a command that the user typed. */
const LOCAL_COMMAND = /<(local-command-\w+|command-\w+)>[\s\S]*?<\/\1>/g;

const TASK_ENDED = 'a background task has ended';

const PEER_HEAD = /^\s*(Another Claude|A peer) session sent a message( while you were working)?:\n/;
const PEER_TAIL = /\n\s*This came from another Claude session[\s\S]*$/;
const QUEUED_HEAD = /^\s*The user sent a new message while you were working:\n/;
const QUEUED_TAIL = /\n\s*(IMPORTANT: )?After completing your current task[\s\S]*$/;
const TEAM_MESSAGE = /\[team message (\S+) [^\n]*\]\n(--- \S+)\n([\s\S]*?)\n\2 end/g;

/** What people or the team have written in one text of a user's entry, without the wrappers of the CLIs; oldest first. */
function humanTexts(text: string): readonly HumanText[] {
  if (CODEX_WRAPPER.test(text) || INTERRUPTED.test(text)) return [];
  const bare = text
    .replace(/<system-reminder>([\s\S]*?)<\/system-reminder>/g, (_, inner) => {
      if (inner.includes('<task-notification>')) return TASK_ENDED;
      return BRINGS_MESSAGE.test(inner) ? inner : '';
    })
    .replace(/<task-notification>[\s\S]*?<\/task-notification>/g, TASK_ENDED)
    .replace(LOCAL_COMMAND, '')
    .replace(/<\/?pasted_content[^>]*>/g, '');
  const teams = [...bare.matchAll(TEAM_MESSAGE)].map(([, message = '', , body = '']) => ({
    text: body.trim(),
    message,
  }));
  if (teams.length > 0) return teams;
  const words = bare
    .replace(PEER_HEAD, '')
    .replace(PEER_TAIL, '')
    .replace(QUEUED_HEAD, '')
    .replace(QUEUED_TAIL, '')
    .trim();
  return words === '' ? [] : [{ text: words }];
}

const bringsWords = ({ kind, text }: Entry): boolean =>
  kind === 'user' || (kind === 'note' && BRINGS_MESSAGE.test(text));

/**
 * The prompt that the newest turn plays: of all human texts since the model last ended a turn (or was interrupted) the
 * newest with directives, else the newest. Undefined when there is none.
 */
export function promptOf(entries: readonly Entry[]): Prompt | undefined {
  const start = entries.findLastIndex(
    (entry) => entry.kind === 'answer' || (entry.kind === 'user' && INTERRUPTED.test(entry.text)),
  );
  const humans = entries.flatMap((entry, index) =>
    index > start && bringsWords(entry) ? humanTexts(entry.text).map((human) => ({ ...human, index })) : [],
  );
  const found = humans.findLast(({ text }) => hasDirectives(text)) ?? humans.at(-1);
  if (!found) return undefined;
  const since = entries.slice(found.index);
  return {
    text: found.text,
    message: found.message,
    index: found.index,
    calls: since.filter(({ kind }) => kind === 'call').length,
    result: since.findLast(({ kind }) => kind === 'result')?.text,
  };
}
