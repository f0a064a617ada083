import { hasLine } from '../../continuing.ts';
import { isObject, type Parameters } from './connection.ts';

/**
 * Codex keeps the developer instructions that a conversation began with, whatever it is started with later (measured with
 * 0.169.0: `thread/resume` and `thread/fork` send the model the old ones until a compaction). New ones have to be said in it.
 */
const INSTEAD = 'From here on this takes the place of what you were told before about who you are and what you do:\n\n';

/** What puts a text into a conversation as its developer's word, without a turn. */
export function saidByDeveloper(threadId: string, text: string): Parameters {
  const said = { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] };
  return { threadId, items: [said] };
}

/** The same for a conversation that was told something else before. */
export function saidInstead(threadId: string, text: string): Parameters {
  return saidByDeveloper(threadId, `${INSTEAD}${text}`);
}

/** Is this text what a conversation was told last, as its rollout has it? */
export function wasToldLast(rollout: string, text: string): boolean {
  let isLast = false;
  hasLine(rollout, (line) => {
    const said = developerTextIn(line);
    if (said?.includes(text)) isLast = true;
    else if (said?.includes(INSTEAD)) isLast = false;
    return false;
  });
  return isLast;
}

function developerTextIn(line: string): string | undefined {
  if (!/"role":\s*"developer"/.test(line)) return undefined;
  const { payload } = JSON.parse(line);
  if (!isObject(payload) || payload.role !== 'developer' || !Array.isArray(payload.content)) return undefined;
  return payload.content.map((part: unknown) => (isObject(part) ? String(part.text ?? '') : '')).join('\n');
}
