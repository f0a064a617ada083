import type { Context } from '../../context.ts';
import type { Outcome } from '../../outcome.ts';

/** Team tools over standard input and output, for a CLI that cannot speak MCP over HTTP. Ends with its input. */
export async function run({ environment, stdin, stdout }: Context): Promise<Outcome> {
  const { runBridge } = await import('../../../mcp/bridge.ts');
  const { TEAM_AGENT_MCP_URL: url, TEAM_AGENT_TOKEN: token } = environment;
  const target = url && token ? { url, token } : undefined;
  await runBridge({ input: stdin(), output: stdout, target: () => target });
  return { kind: 'written', exit: 0 };
}
