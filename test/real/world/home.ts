import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type CommandLine, pinnedProgram } from './command-lines.ts';

/** Which program a private home has under the name of a command-line tool. */
export type Installed =
  | 'pinned'
  | 'missing'
  /** The pinned one, but `--version` is answered with this text. */
  | { readonly version: string };

export interface HomeOptions {
  /** `http://127.0.0.1:PORT` of the model that Claude Code talks to. */
  readonly anthropic: string;
  /** The same for Codex. */
  readonly openai: string;
  /** Folders that the user has trusted already; both tools ask about every other one. */
  readonly trusted?: readonly string[];
  /** False: neither tool knows an account. */
  readonly loggedIn?: boolean;
  readonly claude?: Installed;
  readonly codex?: Installed;
  /** How often Claude Code repeats a request that failed; its own default is 10. */
  readonly claudeRetries?: number;
  /** How often Codex does; its own default is 4. */
  readonly codexRetries?: number;
}

const CLIS: readonly CommandLine[] = ['claude', 'codex'];

/** A made-up key: Claude Code looks at its last 20 characters to see whether the user has approved it. */
const KEY = 'sk-ant-test-0123456789abcdefghijklmnopqrstuv';

/**
 * Not below the temporary folder: Codex refuses to keep its helper programs there. The names are those that the check for
 * leftovers looks for.
 */
const PARENT = '/var/tmp';

/**
 * A user's home on a machine where nobody has ever worked: configuration that opens no dialog at the start, both tools on
 * the PATH, an account that exists nowhere. Everything that differs from that is an option.
 */
export class PrivateHome {
  readonly path: string;
  /** CLAUDE_CONFIG_DIR. */
  readonly claude: string;
  /** CODEX_HOME. */
  readonly codex: string;
  /** The first folder of the PATH. */
  readonly bin: string;
  /** What a program has to be started with, beside the sandbox's own, to live here. Undefined means: not set. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #options: HomeOptions;
  readonly #trusted: string[];

  constructor(options: HomeOptions) {
    this.#options = options;
    this.#trusted = [...(options.trusted ?? [])];
    this.path = fs.mkdtempSync(path.join(fs.realpathSync(PARENT), 'ta-home-'));
    fs.writeFileSync(path.join(this.path, 'owner'), String(process.pid));
    this.claude = this.#folder('.claude');
    this.codex = this.#folder('.codex');
    this.bin = this.#folder('bin');
    this.#install('claude', options.claude ?? 'pinned');
    this.#install('codex', options.codex ?? 'pinned');
    fs.writeFileSync(
      path.join(this.path, '.gitconfig'),
      '[user]\n\tname = A User\n\temail = user@example.invalid\n[init]\n\tdefaultBranch = main\n',
    );
    this.environment = this.#environment();
    this.#configure();
  }

  /** The user trusts one more folder, before a tool has started. */
  trust(folder: string): void {
    this.#trusted.push(folder);
    this.#configure();
  }

  /** A project of the user's: a git repository with one commit. Returns its real path. */
  project(name = 'project'): string {
    const folder = path.join(this.path, name);
    fs.mkdirSync(folder, { recursive: true });
    this.commit(folder);
    return folder;
  }

  /** Makes a folder a git repository with one commit. */
  commit(folder: string): void {
    const git = (...args: readonly string[]) =>
      execFileSync('git', args, { cwd: folder, env: { ...process.env, ...this.environment }, stdio: 'pipe' });
    git('init', '--quiet');
    fs.writeFileSync(path.join(folder, 'README.md'), '# A project\n');
    git('add', 'README.md');
    git('commit', '--quiet', '--message', 'The first commit');
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  #folder(name: string): string {
    const folder = path.join(this.path, name);
    fs.mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  #install(cli: CommandLine, installed: Installed): void {
    const file = path.join(this.bin, cli);
    if (installed === 'missing') return;
    const program = pinnedProgram(cli);
    if (installed === 'pinned') {
      fs.symlinkSync(program, file);
      return;
    }
    const answer = installed.version.replaceAll("'", "'\\''");
    const script = `#!/bin/sh\nif [ "$1" = --version ]; then printf '%s\\n' '${answer}'; exit 0; fi\nexec '${program}' "$@"\n`;
    fs.writeFileSync(file, script, { mode: 0o700 });
  }

  /** The machine's own PATH without its claude and codex: they would be found when ours are missing. */
  #otherPrograms(): readonly string[] {
    return (process.env.PATH ?? '').split(path.delimiter).map((folder, index) => {
      if (!CLIS.some((cli) => fs.existsSync(path.join(folder, cli)))) return folder;
      const mirror = this.#folder(`bin-${index}`);
      const names = fs.readdirSync(folder).filter((name) => !CLIS.some((cli) => cli === name));
      for (const name of names) fs.symlinkSync(path.join(folder, name), path.join(mirror, name));
      return mirror;
    });
  }

  #environment(): NodeJS.ProcessEnv {
    const { anthropic, loggedIn = true, claudeRetries } = this.#options;
    return {
      HOME: this.path,
      PATH: [this.bin, ...this.#otherPrograms()].join(path.delimiter),
      CLAUDE_CONFIG_DIR: this.claude,
      CODEX_HOME: this.codex,
      ANTHROPIC_BASE_URL: anthropic,
      ANTHROPIC_API_KEY: loggedIn ? KEY : undefined,
      LAB_KEY: loggedIn ? 'a-key-of-no-account' : undefined,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_MAX_RETRIES: claudeRetries === undefined ? undefined : String(claudeRetries),
      IS_SANDBOX: undefined,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
    };
  }

  #configure(): void {
    const { openai, loggedIn = true, codexRetries } = this.#options;
    const claude = {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [KEY.slice(-20)], rejected: [] },
      projects: Object.fromEntries(this.#trusted.map((folder) => [folder, { hasTrustDialogAccepted: true }])),
    };
    fs.writeFileSync(path.join(this.claude, '.claude.json'), JSON.stringify(claude), { mode: 0o600 });
    const retries =
      codexRetries === undefined ? [] : ['request', 'stream'].map((what) => `${what}_max_retries = ${codexRetries}`);
    const provider = [
      'model_provider = "lab"',
      '[model_providers.lab]',
      'name = "lab"',
      `base_url = "${openai}/v1"`,
      'wire_api = "responses"',
      'env_key = "LAB_KEY"',
      ...retries,
    ];
    const lines = [
      'check_for_update_on_startup = false',
      'model = "lab-model"',
      ...(loggedIn ? provider : []),
      '[analytics]',
      'enabled = false',
      '[features]',
      'daemon_auto_start = false',
      '[tui]',
      'screen_reader_detection_done = true',
      ...this.#trusted.flatMap((folder) => [`[projects.${JSON.stringify(folder)}]`, 'trust_level = "trusted"']),
    ];
    fs.writeFileSync(path.join(this.codex, 'config.toml'), `${lines.join('\n')}\n`, { mode: 0o600 });
  }
}
