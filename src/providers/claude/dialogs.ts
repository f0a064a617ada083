import type { ComposerSeen } from '../paste-channel.ts';

/** A dialog that Claude Code shows before its input opens, as its screen tells it. */
export interface StartupDialog {
  readonly kind:
    | 'trust'
    | 'theme'
    | 'onboarding'
    | 'api_key'
    | 'bypass'
    | 'login'
    | 'offline'
    | 'mcp_servers'
    | 'imports'
    | 'settings'
    | 'unknown';
  /** What it says, without its frame. */
  readonly text: string;
  /** What a person does about it. */
  readonly next: string;
}

interface Known {
  readonly kind: StartupDialog['kind'];
  /** The line with which it begins. */
  readonly title: RegExp;
  /** What must stand on the screen as well, when the title alone could be anything. */
  readonly also?: RegExp;
  readonly next: string;
}

/** How each is known; before the first answer of a model nothing else writes such words. */
const STARTUP: readonly Known[] = [
  {
    kind: 'trust',
    title: /Accessing workspace|Quick safety check|Do you trust the files/,
    also: /trust/,
    next: 'claude',
  },
  { kind: 'api_key', title: /Detected a custom API key in your environment/, next: 'claude' },
  {
    kind: 'bypass',
    title: /running in Bypass Permissions mode/,
    also: /Yes, I accept/,
    next: 'claude --permission-mode bypassPermissions',
  },
  { kind: 'theme', title: /Choose the text style/, next: 'claude' },
  { kind: 'offline', title: /Unable to connect to Anthropic services/, next: 'claude' },
  {
    kind: 'login',
    title: /Select login method|Paste code here if prompted|Use the url below to sign in/i,
    next: 'claude /login',
  },
  { kind: 'onboarding', title: /Security notes:/, also: /Press Enter to continue/, next: 'claude' },
  { kind: 'mcp_servers', title: /New MCP servers? found/i, next: 'claude' },
  { kind: 'imports', title: /Allow external CLAUDE\.md/i, next: 'claude' },
  { kind: 'settings', title: /Settings? (?:Error|Warning)/i, next: 'claude' },
  // Anything else that waits for a key where the composer should be.
  { kind: 'unknown', title: /^[^❯]*\?\s*$/, also: /Enter to (?:confirm|continue)/, next: 'claude' },
];

/** The dialog that a screen shows instead of an open input; undefined when it is none that we know. */
export function findStartupDialog(screen: readonly string[]): StartupDialog | undefined {
  if (readComposer(screen).seen === 'empty') return undefined;
  const lines = screen.map((line) => line.trim()).filter((line) => line !== '' && !isFrame(line));
  for (const { kind, title, also, next } of STARTUP) {
    const from = lines.findIndex((line) => title.test(line));
    if (from < 0) continue;
    const text = lines.slice(from).join('\n');
    if (also === undefined || also.test(text)) return { kind, text, next };
  }
  return undefined;
}

const PROMPT = /^❯(?:[\s\u00a0]|$)/;
/** What Claude Code writes faintly into an empty composer. */
const PLACEHOLDER = /^Try "[^"]*"$/;
/** The keys of a dialog stand at the bottom of the screen, where the composer would be. */
const KEYS = /(?:Enter to (?:confirm|select|continue)|Esc to (?:cancel|reject))/;

/**
 * What Claude Code changes in a paste (measured with 2.1.330): tabs become four blanks, Unicode's own line ends become
 * newlines, the tag that it puts around a paste gets a backslash, and what is not seen is taken away. Of some of that it says
 * so and leaves the text in its composer until a person presses Enter. Marks inside an emoji stay.
 */
export const ALTERED_BY_PASTE =
  /[\t\u2028\u2029]|pasted_content|(?!(?<=\p{Emoji})[\ufe0e\ufe0f]|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]|\ufe0f)\u200d(?=\p{Extended_Pictographic}))[\p{Cf}\p{Default_Ignorable_Code_Point}]/iu;

/**
 * Reads the bottom of a screen: the composer stands between two rules, with a footer below. What the agent said above
 * may look like anything.
 */
export function readComposer(screen: readonly string[]): ComposerSeen {
  const lower = screen.findLastIndex(isFrame);
  const footer = screen.slice(lower + 1).join('\n');
  if (KEYS.test(footer)) return { seen: 'dialog', text: dialogText(screen) };
  if (lower <= 0) return { seen: 'nothing' };
  const upper = screen.slice(0, lower).findLastIndex(isFrame);
  const inside = screen.slice(upper + 1, lower);
  if (upper < 0 || !PROMPT.test(inside[0] ?? ''))
    return KEYS.test(inside.join('\n')) ? { seen: 'dialog', text: dialogText(screen) } : { seen: 'nothing' };
  const text = inside.join('\n').replace(/^❯/, '').replaceAll('\u00a0', ' ').trim();
  return text === '' || PLACEHOLDER.test(text) ? { seen: 'empty' } : { seen: 'draft', text };
}

/** A rule across the screen, perhaps with the session's name in it. */
function isFrame(line: string): boolean {
  return /^[─╌]{8,}/.test(line.trim());
}

function dialogText(screen: readonly string[]): string {
  const lines = screen.filter((line) => line.trim() !== '' && !isFrame(line));
  return lines
    .slice(-8)
    .map((line) => line.trim())
    .join(' · ');
}
