import type { Enforcement, Granted, Tool } from '../../shape.ts';
import { NATIVE } from './settings.ts';

/** Tools with which an agent reaches what another one, that it was not granted, would give it. */
const AROUND: Readonly<Partial<Record<Tool, readonly Tool[]>>> = {
  // Its search shows lines of files too.
  fs_read: ['execute_bash', 'fs_list'],
  fs_write: ['execute_bash'],
  fs_list: ['execute_bash'],
};

/**
 * What Claude Code keeps an agent to are deny rules for its own tools, which hold in every permission mode. A shell is a way
 * around all of them but its own, and there is a rule neither for the network nor for its other tools.
 */
export function enforcement({ tools }: Granted, tool: Tool): Enforcement {
  if (!(tool in NATIVE)) return 'prompt_only';
  return AROUND[tool]?.some((other) => tools.includes(other)) ? 'prompt_only' : 'hard';
}
