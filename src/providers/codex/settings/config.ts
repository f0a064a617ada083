import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import { type Refusal, readIfThere, refuse } from '../../../kernel/index.ts';

type Environment = Readonly<Record<string, string>>;
type Table = Readonly<Record<string, unknown>>;

/** What was read of somebody's Codex configuration. Nothing of it is ever written. */
export interface Config {
  /** Its folder: `$CODEX_HOME`, else `~/.codex`. */
  readonly home: string;
  /** `config.toml` in it. */
  readonly file: string;
  readonly values: Table;
}

/** Names by which Codex takes an MCP server; it refuses others itself. */
const SERVER_NAME = /^[a-zA-Z0-9_:@/.-]+$/;

/** The configuration that all users of a machine share. */
const SYSTEM_FILE = '/etc/codex/config.toml';

/** The CLI's folder: login, configuration and sessions live in it. */
function codexHome(environment: Environment): string {
  return environment.CODEX_HOME || path.join(environment.HOME ?? '/', '.codex');
}

/** The user's configuration; empty when there is none. Refuses one that cannot be read. */
export function readConfig(environment: Environment): Config | Refusal {
  const home = codexHome(environment);
  const file = path.join(home, 'config.toml');
  const values = readTable(file);
  if (typeof values !== 'string') return { home, file, values };
  return refuse('provider_config_invalid', `Codex could not start with its configuration ${file}: ${values}`, {
    evidence: { file, fault: values },
    next: [`sed -n 1,40p ${file}`],
  });
}

/** The table of a TOML file, or what is wrong with it in one line. */
function readTable(file: string): Table | string {
  const text = readIfThere(file);
  if (text === undefined) return {};
  try {
    return parse(text);
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'not TOML') : 'not TOML';
  }
}

/**
 * Does the configuration trust this folder, by its own path or by the project's it belongs to? Codex asks about the folder
 * first, then about the main checkout of its git repository.
 */
export function isTrusted({ values }: Config, folder: string): boolean {
  const projects = tableAt(values, 'projects');
  const levelOf = (name: string): unknown => tableAt(projects, name).trust_level;
  const own = [folder, realPath(folder)].map(levelOf).find((level) => level !== undefined);
  if (own !== undefined) return own === 'trusted';
  const root = gitRoot(realPath(folder));
  return root !== undefined && levelOf(root) === 'trusted';
}

/** The main checkout of the git repository that a folder lies in: for a worktree, that of its repository. */
export function gitRoot(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const git = path.join(at, '.git');
    const found = fs.statSync(git, { throwIfNoEntry: false });
    if (found?.isDirectory()) return at;
    if (found?.isFile()) return mainCheckout(at, readIfThere(git) ?? '');
    if (at === path.dirname(at)) return undefined;
  }
}

/** A worktree's `.git` is a file that names its folder below the repository's own `.git/worktrees`. */
function mainCheckout(folder: string, text: string): string {
  const target = /^gitdir:\s*(.+)$/m.exec(text)?.[1]?.trim();
  if (target === undefined) return folder;
  const own = path.resolve(folder, target);
  const parent = path.dirname(own);
  if (path.basename(parent) !== 'worktrees') return folder;
  return path.dirname(path.dirname(parent));
}

/** The names of all MCP servers that Codex would load in this folder: the user's own, the project's and the machine's. */
export function mcpServerNames({ values }: Config, folder: string): readonly string[] {
  const names = [values, ...projectFiles(folder).map(readTable), readTable(SYSTEM_FILE)].flatMap((table) =>
    typeof table === 'string' ? [] : Object.keys(tableAt(table, 'mcp_servers')),
  );
  return [...new Set(names)].filter((name) => SERVER_NAME.test(name)).sort();
}

/** `.codex/config.toml` of the folder and of each one above it, up to its repository's top. */
function projectFiles(folder: string): string[] {
  const top = gitRoot(folder) ?? folder;
  const files: string[] = [];
  for (let at = folder; ; at = path.dirname(at)) {
    files.push(path.join(at, '.codex', 'config.toml'));
    if (at === top || at === path.dirname(at)) return files;
  }
}

/**
 * Names of variables that the configuration itself asks for: keys of model providers, tokens of MCP servers. An agent gets
 * them like the documented ones.
 */
export function configuredVariables({ values }: Config): readonly string[] {
  const providers = Object.values(tableAt(values, 'model_providers')).flatMap((provider) =>
    isTable(provider) ? [provider.env_key, ...Object.values(tableAt(provider, 'env_http_headers'))] : [],
  );
  const servers = Object.values(tableAt(values, 'mcp_servers')).flatMap((server) =>
    isTable(server)
      ? [
          server.bearer_token_env_var,
          ...Object.values(tableAt(server, 'env_http_headers')),
          ...(Array.isArray(server.env_vars) ? server.env_vars : []),
        ]
      : [],
  );
  const names = [...providers, ...servers].filter((name): name is string => typeof name === 'string' && name !== '');
  return [...new Set(names)].sort();
}

/** Variables that the person's own configuration keeps from shells. */
export function excludedFromShells({ values }: Config): readonly string[] {
  const { exclude } = tableAt(values, 'shell_environment_policy');
  return Array.isArray(exclude) ? exclude.filter((name) => typeof name === 'string') : [];
}

/** A proof that no turn could reach a model: what is missing. Undefined when there is none; that is no proof of a login. */
export function missingLogin({ home, values }: Config, environment: Environment): string | undefined {
  if (values.profile !== undefined) return undefined; // a profile may name another provider
  const name = values.model_provider ?? 'openai';
  if (typeof name !== 'string') return undefined;
  const provider = tableAt(tableAt(values, 'model_providers'), name);
  if (name !== 'openai' && provider.requires_openai_auth !== true) {
    const key = provider.env_key;
    if (typeof key !== 'string' || environment[key]) return undefined;
    return `${key}, the key of its model provider ${name}, is not in the environment`;
  }
  if (environment.CODEX_API_KEY || environment.CODEX_ACCESS_TOKEN) return undefined;
  // In a keyring or chosen by the machine: only Codex itself can tell.
  const store = values.cli_auth_credentials_store ?? 'file';
  if (store !== 'file' || fs.existsSync(path.join(home, 'auth.json'))) return undefined;
  return `there is no login in ${home}`;
}

function tableAt(table: Table, name: string): Table {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  return isTable(value) ? value : {};
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function realPath(folder: string): string {
  return fs.existsSync(folder) ? fs.realpathSync(folder) : folder;
}
