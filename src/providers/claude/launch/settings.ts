import { shellWord } from '../../../kernel/index.ts';

/** The environment variable in which a life's token stands; a wrapper puts it there. */
const TOKEN = 'TEAM_AGENT_TOKEN';

/** How long Claude Code waits for a hook that only tells us something, s. It answers within milliseconds, or nobody is there. */
const WORD_TIMEOUT = 5;

/** How long it waits for a decision, s: somebody may sleep over it. */
const DECISION_TIMEOUT = 7 * 24 * 3600;

/** Hooks that tell where a turn is; each is one round trip. Nothing runs for each tool call. */
const WORDS = ['UserPromptSubmit', 'Stop', 'StopFailure'] as const;

/** The native tools behind the canonical names of role documents: those that were not granted are denied. */
export const NATIVE: Readonly<Record<string, readonly string[]>> = {
  execute_bash: ['Bash'],
  fs_read: ['Read'],
  fs_write: ['Edit', 'Write', 'NotebookEdit'],
  fs_list: ['Glob', 'Grep'],
};

export interface SettingsRequest {
  /** Where the SessionStart hook appends a line. */
  readonly starts: string;
  readonly hooksUrl: string;
  /** Canonical names that the role was granted; undefined forbids nothing. */
  readonly tools?: readonly string[];
  /** As Claude Code calls it. */
  readonly mode: string;
  readonly approvals: boolean;
}

/** What a session gets on top of the user's own settings. */
export function settingsOf({ starts, hooksUrl, tools, mode, approvals }: SettingsRequest): Record<string, unknown> {
  const http = (timeout: number) => ({
    type: 'http',
    url: hooksUrl,
    headers: { authorization: `Bearer $${TOKEN}` },
    allowedEnvVars: [TOKEN],
    timeout,
  });
  const one = (hook: object) => [{ hooks: [hook] }];
  const denied = tools ? deniedTools(tools) : [];
  return {
    permissions: { allow: ['mcp__team'], ...(denied.length > 0 ? { deny: denied } : {}) },
    hooks: {
      ...Object.fromEntries(WORDS.map((event) => [event, one(http(WORD_TIMEOUT))])),
      ...(approvals ? { PermissionRequest: one(http(DECISION_TIMEOUT)) } : {}),
      // Claude Code runs no http hook for it.
      SessionStart: one({ type: 'command', command: appendLine(starts), timeout: WORD_TIMEOUT }),
    },
    // A session that never asks would hold each message in a dialog of its own.
    ...(mode === 'bypassPermissions' ? { skipDangerousModePermissionPrompt: true, crossSessionInbound: 'accept' } : {}),
  };
}

/** The team's own server; its tools are in the first request of each turn, not behind a search. */
export function mcpOf(url: string): { mcpServers: Record<string, object> } {
  const headers = { Authorization: `Bearer \${${TOKEN}}` };
  return { mcpServers: { team: { type: 'http', url, headers, alwaysLoad: true } } };
}

/** Native tools that a role was not granted. */
function deniedTools(granted: readonly string[]): string[] {
  return Object.entries(NATIVE).flatMap(([name, native]) => (granted.includes(name) ? [] : native));
}

/** A shell command that appends what it reads to `file` as one line, with one write. */
function appendLine(file: string): string {
  return `umask 077; printf '%s\\n' "$(tr -d '\\n')" >> ${shellWord(file)}`;
}
