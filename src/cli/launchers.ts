/** The commands that start a conversation which leads; what follows them belongs to its own CLI. */
const LAUNCHERS = ['claude', 'codex'] as const;

/** A launcher's command line, taken apart before any other parsing. */
export interface Launch {
  readonly provider: (typeof LAUNCHERS)[number];
  /** The flags before the launcher's name: ours. */
  readonly own: readonly string[];
  /** The words right behind it that are ours: a tmux session to go to, instead of starting anything. */
  readonly attach?: Attach;
  /** Everything else behind it, word for word; a leading `--` is left out. */
  readonly args: readonly string[];
}

export interface Attach {
  /** Empty when it was left out. */
  readonly session: string;
  /** A person has said that a session which is not this project's is meant. */
  readonly confirmed: boolean;
}

/** Our flags that take a word. */
const WITH_WORD = new Set(['--team', '--workspace']);

/** Our flags that ask about the command itself: nothing is launched beside them. */
const ASKING = new Set(['--help', '-h', '--version', '-V']);

/** Where the name of the command stands: behind flags that are ours. The length of `argv` when none does. */
export function placeOfName(argv: readonly string[]): number {
  let at = 0;
  while (argv[at]?.startsWith('-')) at += WITH_WORD.has(argv[at] ?? '') ? 2 : 1;
  return Math.min(at, argv.length);
}

/** The launch that a command line means; undefined for any other command, and when help or the version is asked for. */
export function launchOf(argv: readonly string[]): Launch | undefined {
  const at = placeOfName(argv);
  const provider = LAUNCHERS.find((name) => name === argv[at]);
  if (!provider) return undefined;
  const own = argv.slice(0, at);
  const { attach, args } = attachOf(argv.slice(at + 1));
  if (own.some((word) => ASKING.has(word))) return undefined;
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) return undefined;
  return { provider, own, ...(attach ? { attach } : {}), args: args[0] === '--' ? args.slice(1) : args };
}

/** Takes our own words off the front. To attach is what a launcher does anyway: that word alone changes nothing. */
function attachOf(words: readonly string[]): { readonly attach?: Attach; readonly args: readonly string[] } {
  let session: string | undefined;
  let confirmed = false;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--confirm') confirmed = true;
    else if (word === '--attach-session') session = words[++at] ?? '';
    else if (word.startsWith('--attach-session=')) session = word.slice('--attach-session='.length);
    else if (word !== '--attach' && word !== '--attach-existing') break;
  }
  const args = words.slice(at);
  return session === undefined ? { args } : { attach: { session, confirmed }, args };
}
