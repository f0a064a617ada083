import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { ChangingTool, MissedCall } from '../providers/index.ts';
import type { AgentCaller } from './api/callers.ts';
import type { Runtime } from './runtime.ts';
import { requestHumanInput, sendMessageInput, updateStateInput } from './tool-calls.ts';

/** What stands in a record is what the model wrote; what comes over MCP has been read as this. A report is read later. */
const READ_AS: Readonly<Record<ChangingTool, z.ZodType | undefined>> = {
  report_result: undefined,
  send_message: sendMessageInput,
  request_human: requestHumanInput,
  update_state: updateStateInput,
};

/**
 * The id under which an agent's call counts when it makes again what has just failed because nobody was there: that of the
 * first one, which is taken in from its record too. Undefined for a call that repeats none.
 */
export function firstCallOf(
  runtime: Runtime,
  { team, agent, incarnation }: AgentCaller,
  made: { readonly tool: string; readonly arguments: unknown },
): string | undefined {
  const member = runtime.member(team, agent);
  return member?.incarnation === incarnation ? repeatedBy(made, member.openCalls())?.call : undefined;
}

/** Which of the calls that failed a call repeats. */
export function repeatedBy(
  made: { readonly tool: string; readonly arguments: unknown },
  open: readonly MissedCall[],
): MissedCall | undefined {
  return open.find(
    ({ tool, arguments: words }) => tool === made.tool && isDeepStrictEqual(read(tool, words), made.arguments),
  );
}

function read(tool: ChangingTool, words: unknown): unknown {
  const parsed = READ_AS[tool]?.safeParse(words);
  return parsed?.success ? parsed.data : words;
}
