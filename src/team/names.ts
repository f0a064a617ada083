import { createHash } from 'node:crypto';
import { type TeamId, teamId } from '../kernel/index.ts';
import { TOOLS } from '../providers/index.ts';

/** An id has at most 64 characters. */
const ID_LIMIT = 64;

/**
 * The id that a team's name stands for: letters, digits, `-` and `_` stay, everything else becomes `-`. Ids are ASCII, so
 * accents are dropped, and a name with no letter of ASCII at all is known by its hash. Undefined when `.team/` uses the
 * id itself.
 */
export function teamIdOf(name: string): TeamId | undefined {
  const ascii = trimmed(
    name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/[^A-Za-z0-9_-]/g, '-'),
  );
  if (ascii !== '') return teamId(ascii);
  return teamId(
    /[\p{L}\p{N}]/u.test(name) ? `team-${createHash('sha256').update(name).digest('hex').slice(0, 8)}` : 'team',
  );
}

function trimmed(text: string): string {
  return text
    .replace(/^[-_]+/, '')
    .slice(0, ID_LIMIT)
    .replace(/[-_]+$/, '');
}

interface ModelSources {
  /** From the role document. */
  readonly own: string | undefined;
  /** TEAM.md `provider_models`. */
  readonly byProvider: Readonly<Record<string, string>>;
  /** TEAM.md `default_model`, else `model`. */
  readonly teamDefault: string | undefined;
}

/**
 * An agent's model: its own, else the entry for its provider as written, else under another name of the same provider,
 * else the team's default; null when no document names one: then the user's own settings of that CLI decide.
 */
export function modelOf(
  sources: ModelSources,
  provider: { readonly written: string; readonly canonical: string },
  canonicalOf: (name: string) => string | undefined,
): string | null {
  if (sources.own !== undefined) return sources.own;
  const entries = Object.entries(sources.byProvider);
  const entry =
    entries.find(([name]) => name === provider.written) ??
    entries.find(([name]) => canonicalOf(name) === provider.canonical);
  return entry?.[1] ?? sources.teamDefault ?? null;
}

const ALIASES: Readonly<Record<string, readonly string[]>> = {
  shell: ['execute_bash'],
  'fs_*': ['fs_list', 'fs_read', 'fs_write'],
  '@builtin': ['provider_builtin'],
  '@team-orchestrator': ['mcp_team'],
  '@cao-mcp-server': ['mcp_team'],
  '*': TOOLS,
};

/** Every word that `tools:` understands. */
export const TOOL_WORDS: readonly string[] = [...TOOLS, ...Object.keys(ALIASES)];

const READING = ['fs_read', 'fs_list', 'mcp_team', 'provider_builtin'];
const BUILDING = [...READING, 'fs_write', 'execute_bash', 'git_diff'];

/** What an empty `tools: []` has always meant: the usual tools of the role, a developer's when the role is not known. */
const ROLE_TOOLS: Readonly<Record<string, readonly string[]>> = {
  leader: READING,
  supervisor: READING,
  researcher: [...READING, 'network'],
  reviewer: [...READING, 'git_diff'],
  code_reviewer: [...READING, 'git_diff'],
};

/** The canonical tools that a role document asks for, sorted, each once. */
export function resolveTools(words: readonly string[], role: string): string[] {
  return canonicalTools(words.length > 0 ? words : (ROLE_TOOLS[role] ?? BUILDING));
}

/** The canonical tools that words of documents mean, sorted, each once. */
export function canonicalTools(asked: readonly string[]): string[] {
  return [...new Set(asked.flatMap((word) => ALIASES[word] ?? [word]))].sort();
}
