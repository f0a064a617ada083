import type { LaunchRequest } from '../../shape.ts';

/** How far a thread of Codex may go: when it asks, and what its sandbox allows without asking. */
export interface Permission {
  readonly approvalPolicy: 'never' | 'on-request';
  readonly sandbox: 'read-only' | 'workspace-write' | 'danger-full-access';
}

/** Tools that change something: who has none of them works read-only. */
const CHANGING: readonly string[] = ['fs_write', 'execute_bash'];

/**
 * A permission mode in Codex's own words. Codex has no mode that asks about each edit: its sandbox lets an agent write in
 * its folder and asks for everything beyond. So `manual`, `accept_edits` and `auto` are the same here.
 */
export function permissionOf({ permission, tools }: Pick<LaunchRequest, 'permission' | 'tools'>): Permission {
  const changes = tools.some((tool) => CHANGING.includes(tool));
  switch (permission) {
    case 'bypass':
      return { approvalPolicy: 'never', sandbox: 'danger-full-access' };
    case 'plan':
      return { approvalPolicy: 'on-request', sandbox: 'read-only' };
    case 'manual':
    case 'accept_edits':
    case 'auto':
      return { approvalPolicy: 'on-request', sandbox: changes ? 'workspace-write' : 'read-only' };
    default:
      return permission satisfies never;
  }
}
