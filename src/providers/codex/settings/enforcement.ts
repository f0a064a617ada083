import type { Enforcement, Granted, Tool } from '../../shape.ts';
import { permissionOf } from './permission.ts';

/**
 * What Codex keeps an agent to is its sandbox, and the sandbox knows of writing alone: it is read-only for whoever was granted
 * nothing that changes files. It lets every agent read everything and run commands. Its own web search, and a network that
 * the user's config.toml opens, are out of our hands.
 */
export function enforcement(granted: Granted, tool: Tool): Enforcement {
  switch (tool) {
    case 'fs_write':
      return isHeld(granted) ? 'hard' : 'prompt_only';
    case 'execute_bash':
    case 'fs_list':
    case 'fs_read':
    case 'git_diff':
    case 'mcp_team':
    case 'network':
    case 'provider_builtin':
      return 'prompt_only';
    default:
      return tool satisfies never;
  }
}

/** Does the sandbox alone decide about writing? A shell that may write is a way around the grant. */
function isHeld(granted: Granted): boolean {
  const { sandbox } = permissionOf(granted);
  return sandbox === 'read-only' || (sandbox === 'workspace-write' && !granted.tools.includes('execute_bash'));
}
