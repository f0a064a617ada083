import path from 'node:path';
import { type Refusal, refuse, shellWord } from '../../../kernel/index.ts';
import { toml } from '../settings/overrides.ts';

/** What a person wrote behind `codex`, by who has to know it: the server, its thread, or the terminal. */
export interface LeaderFlags {
  readonly server: readonly string[];
  readonly thread: {
    readonly model?: string;
    readonly approvalPolicy?: string;
    readonly sandbox?: string;
    readonly approvalsReviewer?: string;
  };
  readonly terminal: readonly string[];
  /** Where the conversation is to work, when they said it. */
  readonly folder: string | undefined;
  /** The first message. */
  readonly prompt: string | undefined;
  /** A conversation to go on with, by its id. */
  readonly resume: string | undefined;
}

type Target =
  | { readonly to: 'server' | 'terminal' | 'both' | 'nobody' }
  | { readonly to: 'thread'; readonly key: 'model' | 'approvalPolicy' | 'sandbox' }
  | { readonly to: 'folder' | 'writable' | 'config' };

/** Flags with a value, by their names. */
const VALUES: Readonly<Record<string, Target>> = {
  '--config': { to: 'config' },
  '--enable': { to: 'both' },
  '--disable': { to: 'both' },
  '--model': { to: 'thread', key: 'model' },
  '--ask-for-approval': { to: 'thread', key: 'approvalPolicy' },
  '--sandbox': { to: 'thread', key: 'sandbox' },
  '--cd': { to: 'folder' },
  '--add-dir': { to: 'writable' },
  '--image': { to: 'terminal' },
};

const SHORT: Readonly<Record<string, string>> = {
  '-c': '--config',
  '-m': '--model',
  '-a': '--ask-for-approval',
  '-s': '--sandbox',
  '-C': '--cd',
  '-i': '--image',
  '-p': '--profile',
  '-h': '--help',
  '-V': '--version',
};

/** Flags without a value. */
const SWITCHES: Readonly<Record<string, Partial<Pick<LeaderFlags, 'server' | 'thread' | 'terminal'>>>> = {
  '--search': { server: ['-c', 'web_search="live"'] },
  '--strict-config': { server: ['--strict-config'] },
  '--no-alt-screen': { terminal: ['--no-alt-screen'] },
  // There is no background server to do without.
  '--no-daemon': {},
  '--approve-for-me': {
    thread: { approvalPolicy: 'on-request', sandbox: 'workspace-write', approvalsReviewer: 'auto_review' },
  },
  '--dangerously-bypass-approvals-and-sandbox': {
    thread: { approvalPolicy: 'never', sandbox: 'danger-full-access' },
  },
  '--yolo': { thread: { approvalPolicy: 'never', sandbox: 'danger-full-access' } },
};

/** What cannot lead, and why. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  '--profile': 'its app-server takes no profile; say the settings with -c instead',
  '--remote': 'the team brings an app-server of its own',
  '--remote-auth-token-env': 'the team brings an app-server of its own',
  '--oss': 'its app-server takes no --oss; name the provider with -c model_provider=...',
  '--local-provider': 'its app-server takes no --local-provider; name the provider with -c model_provider=...',
  '--worktree': 'the team works in the folder where it was started',
  '--dangerously-bypass-hook-trust': 'its app-server takes no such flag; trust the hooks once with /hooks',
  '--last': 'only a conversation with its id can be resumed; /status shows it',
  '--all': 'only a conversation with its id can be resumed; /status shows it',
  '--help': 'it starts no conversation',
  '--version': 'it starts no conversation',
};

/** Sub-commands of Codex that are no conversation. */
const COMMANDS = new Set(
  'agents exec e review login logout mcp plugin app-server remote-control completion update doctor sandbox debug apply a queue archive delete migrate-rollouts migrate-nfs-db unarchive fork cloud exec-server features help'.split(
    ' ',
  ),
);

const SESSION = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Sorts the words of a person's command line. Refuses what a conversation behind an app-server cannot do. */
export function parseFlags(args: readonly string[], folder: string): LeaderFlags | Refusal {
  const flags = new Flags(folder);
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      flags.positional.push(...words.splice(0));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      flags.positional.push(word);
      continue;
    }
    const { name, value } = nameOf(word);
    const refused = flags.take(name, value, words);
    if (refused) return cannot(name, refused);
  }
  return flags.sorted();
}

/** `--name=value`, `-nvalue` or the name alone. */
function nameOf(word: string): { readonly name: string; readonly value: string | undefined } {
  if (word.startsWith('--')) {
    const at = word.indexOf('=');
    return at < 0 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) };
  }
  const short = word.slice(0, 2);
  const rest = word.slice(2).replace(/^=/, '');
  return { name: SHORT[short] ?? short, value: rest === '' ? undefined : rest };
}

/** What was read so far. */
class Flags {
  readonly positional: string[] = [];
  readonly #folder: string;
  readonly #server: string[] = [];
  readonly #terminal: string[] = [];
  readonly #writable: string[] = [];
  #thread: LeaderFlags['thread'] = {};
  #cd: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes one flag, its value from `rest` when it stands there; the reason when it cannot be taken. */
  take(name: string, attached: string | undefined, rest: string[]): string | undefined {
    const impossible = IMPOSSIBLE[name];
    if (impossible !== undefined) return impossible;
    const effect = SWITCHES[name];
    if (effect) {
      this.#server.push(...(effect.server ?? []));
      this.#terminal.push(...(effect.terminal ?? []));
      this.#thread = { ...this.#thread, ...effect.thread };
      return undefined;
    }
    const target = VALUES[name];
    if (!target) return 'Team Agent does not know this flag, nor who would have to be told of it';
    const value = attached ?? rest.shift();
    if (value === undefined) return 'its value is missing';
    return this.#put(name, target, value, attached === undefined ? rest : []);
  }

  sorted(): LeaderFlags | Refusal {
    const [first = '', ...others] = this.positional;
    if (COMMANDS.has(first)) return cannot(first, 'it starts no conversation');
    const resumes = first === 'resume';
    const [session, ...words] = resumes ? others : [undefined, ...this.positional];
    if (resumes && !SESSION.test(session ?? '')) {
      return cannot('resume', 'only a conversation with its id can be resumed; /status shows it');
    }
    if (words.length > 1) return cannot(words[1] ?? '', 'a first message is one word for the shell: put it in quotes');
    const roots = this.#writable.map(toml).join(',');
    return {
      server: [...this.#server, ...(roots === '' ? [] : ['-c', `sandbox_workspace_write.writable_roots=[${roots}]`])],
      thread: this.#thread,
      terminal: this.#terminal,
      folder: this.#cd,
      prompt: words[0],
      resume: session,
    };
  }

  #put(name: string, target: Target, value: string, rest: string[]): string | undefined {
    switch (target.to) {
      case 'config':
        if (/^\s*mcp_servers\s*(=|\.\s*team\b)/.test(value)) {
          return 'the team needs its own entry there; name one server, such as -c mcp_servers.mine.command=...';
        }
        this.#server.push('-c', value);
        this.#terminal.push('-c', value);
        return undefined;
      case 'server':
      case 'both':
        this.#server.push(name, value);
        if (target.to === 'both') this.#terminal.push(name, value);
        return undefined;
      case 'terminal':
        // Of images there may be several behind one flag.
        this.#terminal.push(name, value, ...rest.splice(0, words(rest)));
        return undefined;
      case 'thread':
        this.#thread = { ...this.#thread, [target.key]: value };
        return undefined;
      case 'folder':
        this.#cd = path.resolve(this.#folder, value);
        return undefined;
      case 'writable':
        this.#writable.push(path.resolve(this.#folder, value));
        return undefined;
      case 'nobody':
        return undefined;
      default:
        return target satisfies never;
    }
  }
}

/** How many words stand before the next flag. */
function words(rest: readonly string[]): number {
  const next = rest.findIndex((word) => word.startsWith('-'));
  return next < 0 ? rest.length : next;
}

function cannot(what: string, why: string): Refusal {
  return refuse('provider_cannot', `A leading Codex cannot be started with ${shellWord(what)}: ${why}.`, {
    evidence: { flag: what, why },
    next: ['codex --help'],
  });
}
