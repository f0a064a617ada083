import type { Outcome } from '../outcome.ts';

/** Team tools over standard input and output, for a CLI that cannot speak MCP over HTTP. */
export async function run(): Promise<Outcome> {
  const { runBridge } = await import('../../mcp/bridge.ts');
  await runBridge();
  return { kind: 'written', exit: 0, stays: true };
}
