import { createHash, randomUUID } from 'node:crypto';

/** Where each client puts its own id of a tool call: Claude Code, Codex, the scripted agent. */
const CALL_IDS = ['claudecode/toolUseId', 'callId', 'team-agent/call'] as const;

/**
 * What makes a repeated call the same call: the client's own id; without one, the same words in the same turn (`turn` is
 * when it began, UTC ms); outside a turn nothing can be told, and each call is its own.
 */
export function callKey(
  meta: Readonly<Record<string, unknown>> | undefined,
  call: { tool: string; arguments: unknown; turn: number | undefined },
): string {
  for (const name of CALL_IDS) {
    const id = meta?.[name];
    if (typeof id === 'string' && id !== '') return id;
  }
  if (call.turn === undefined) return randomUUID();
  return createHash('sha256')
    .update(JSON.stringify([call.turn, call.tool, call.arguments]))
    .digest('hex');
}
