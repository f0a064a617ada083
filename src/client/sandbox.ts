import { type Refusal, refuse } from '../kernel/reasons.ts';

/** Variables by which the tool sandbox of an agent's CLI is known. */
const MARKS = ['CODEX_SANDBOX', 'CODEX_SANDBOX_NETWORK_DISABLED', 'SANDBOX_RUNTIME'];

const markIn = (environment: NodeJS.ProcessEnv): string | undefined => MARKS.find((name) => environment[name]);

/** A tool sandbox would keep its network and file rules over everything we start in it, for hours. */
export function shutIn(environment: NodeJS.ProcessEnv): Refusal | undefined {
  const mark = markIn(environment);
  if (!mark) return undefined;
  return refuse(
    'sandboxed_caller',
    `This command runs inside a tool sandbox (${mark} is set): the coordinator would be shut in with it. Start it once from a terminal; then this command works here too.`,
    {
      evidence: { variable: mark },
      next: ['team-agent coordinator start'],
    },
  );
}

/** The coordinator's socket may not be connected to: in a tool sandbox that is its doing, and nothing was asked. */
export function outOfReach(connection: string, environment: NodeJS.ProcessEnv = process.env): Refusal | undefined {
  const mark = markIn(environment);
  if (!mark) return undefined;
  return refuse(
    'sandboxed_caller',
    `This command runs inside a tool sandbox (${mark} is set) that lets it reach no coordinator: nothing was asked or done. An agent has the tools of the MCP server "team" instead, or runs the command outside its sandbox.`,
    {
      evidence: { variable: mark, connection },
      next: ['team-agent status'],
    },
  );
}
