/** What an agent may use. The provider says how firmly it can hold an agent to it. */
export const TOOLS = [
  'execute_bash',
  'fs_list',
  'fs_read',
  'fs_write',
  'git_diff',
  'mcp_team',
  'network',
  'provider_builtin',
] as const;

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
  const asked = words.length > 0 ? words : (ROLE_TOOLS[role] ?? BUILDING);
  return [...new Set(asked.flatMap((word) => ALIASES[word] ?? [word]))].sort();
}
