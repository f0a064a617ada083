import { firstLine, type IncarnationId, printable } from '../../kernel/index.ts';
import { approvalId } from '../approvals.ts';
import type { Approval, Decision } from '../shape.ts';
import { type Fields, fieldsOf, listOf, textOf } from './sources/json.ts';

/** The answer that leaves a question to whoever sits at the terminal. */
const NO_WORD = {};

/**
 * Tools of the team never ask anybody. Their rule in the settings sees to that, but not in plan mode: there Claude Code asks
 * before each tool that is not a reading one (measured).
 */
const OWN_TOOLS = /^mcp__team__/;

interface Held {
  readonly approval: Approval;
  readonly payload: Fields;
  readonly answer: (answer: object) => void;
}

/**
 * Questions that Claude Code asks through its PermissionRequest hook. Each is held open until somebody decides it here, or it
 * is closed because it was answered at the terminal: Claude Code shows its own dialog meanwhile, takes whichever answer
 * comes first, and does not hang up on us when it was the other one (measured).
 */
export class Approvals {
  readonly #incarnation: IncarnationId;
  readonly #changed: () => void;
  readonly #held = new Map<string, Held>();
  #count = 0;

  constructor(incarnation: IncarnationId, changed: () => void) {
    this.#incarnation = incarnation;
    this.#changed = changed;
  }

  get open(): readonly Approval[] {
    return [...this.#held.values()].map(({ approval }) => approval);
  }

  /** Holds the question of a hook; resolves with the answer that goes back to Claude Code. */
  hold(payload: Fields, gone: AbortSignal): Promise<object> {
    if (gone.aborted) return Promise.resolve(NO_WORD);
    if (OWN_TOOLS.test(textOf(payload, 'tool_name') ?? '')) return Promise.resolve(hookAnswer({ behavior: 'allow' }));
    this.#count += 1;
    // The hook names no id of its own: what it asks, in which prompt, and the how-manieth question it was.
    const own = [textOf(payload, 'tool_use_id') ?? textOf(payload, 'prompt_id') ?? '', String(this.#count)];
    const id = approvalId(this.#incarnation, own.join('#'));
    return new Promise((resolve) => {
      const answer = (said: object): void => {
        if (!this.#held.delete(id)) return;
        gone.removeEventListener('abort', hungUp);
        resolve(said);
        this.#changed();
      };
      const hungUp = (): void => answer(NO_WORD);
      gone.addEventListener('abort', hungUp, { once: true });
      this.#held.set(id, { approval: approvalOf(id, payload), payload, answer });
      this.#changed();
    });
  }

  decide(id: string, decision: Decision): 'taken' | { readonly not_taken: string } {
    const held = this.#held.get(id);
    if (!held) return { not_taken: 'it is not open any more, or only its terminal can answer it' };
    if (decision.decision === 'approve' && textOf(held.payload, 'tool_name') === 'AskUserQuestion') {
      return { not_taken: 'a question needs words: deny it with the answer as the message, or answer at its terminal' };
    }
    held.answer(hookAnswer(answerOf(decision, held.payload)));
    return 'taken';
  }

  /** Lets go of what was asked before `at`, UTC ms: the session goes on, so somebody has answered elsewhere. */
  closeBefore(at: number): void {
    for (const { approval, answer } of [...this.#held.values()]) if (approval.since < at) answer(NO_WORD);
  }

  closeAll(): void {
    this.closeBefore(Number.POSITIVE_INFINITY);
  }
}

function hookAnswer(decision: object): object {
  return { hookSpecificOutput: { hookEventName: 'PermissionRequest', decision } };
}

function approvalOf(id: string, payload: Fields): Approval {
  const tool = textOf(payload, 'tool_name') ?? 'a tool';
  return { id, ...describeCall(tool, payload.tool_input), since: Date.now(), answerable: true };
}

/** What a call of a tool asks for: its kind, and one line of text. */
export function describeCall(tool: string, input: unknown): Pick<Approval, 'kind' | 'text'> {
  const fields = fieldsOf(input);
  const line = (words: string): string => firstLine(printable(words).replaceAll('\n', ' '), 300);
  switch (tool) {
    case 'Bash':
      return { kind: 'command', text: line(textOf(fields, 'command') ?? tool) };
    case 'Edit':
    case 'Write':
    case 'NotebookEdit': {
      const file = textOf(fields, 'file_path') ?? textOf(fields, 'notebook_path') ?? 'a file';
      return { kind: 'edit', text: line(`${tool} ${file}`) };
    }
    case 'AskUserQuestion': {
      const [first] = listOf(fields, 'questions');
      return { kind: 'question', text: line(textOf(fieldsOf(first), 'question') ?? 'a question') };
    }
    case 'ExitPlanMode':
      return { kind: 'question', text: line(`carry out its plan: ${textOf(fields, 'plan') ?? 'see its terminal'}`) };
    default:
      return { kind: 'tool', text: line(`${tool} ${JSON.stringify(input ?? {})}`) };
  }
}

function answerOf(decision: Decision, payload: Fields): object {
  switch (decision.decision) {
    case 'approve': {
      const forSession = decision.scope === 'session' && !isQuestion(payload);
      const updatedPermissions = forSession ? sessionRules(payload) : [];
      return {
        behavior: 'allow',
        // A plain yes does not close the dialog of a tool that exists to ask (measured): it takes its input back.
        ...(isQuestion(payload) ? { updatedInput: payload.tool_input ?? {} } : {}),
        ...(updatedPermissions.length > 0 ? { updatedPermissions } : {}),
      };
    }
    case 'deny':
      return { behavior: 'deny', message: decision.message ?? 'It was denied.' };
    default:
      return decision satisfies never;
  }
}

function isQuestion(payload: Fields): boolean {
  return describeCall(textOf(payload, 'tool_name') ?? '', payload.tool_input).kind === 'question';
}

/**
 * A yes for the rest of the session: this very command, or this tool, and the folders that Claude Code itself suggests for
 * it. Never a change of mode, which would say yes to more than was asked.
 */
function sessionRules(payload: Fields): readonly object[] {
  const toolName = textOf(payload, 'tool_name');
  if (toolName === undefined) return [];
  const ruleContent = toolName === 'Bash' ? textOf(fieldsOf(payload.tool_input), 'command') : undefined;
  const rule = { toolName, ...(ruleContent === undefined ? {} : { ruleContent }) };
  const folders = listOf(payload, 'permission_suggestions').flatMap((suggested) => {
    const fields = fieldsOf(suggested);
    return fields?.type === 'addDirectories' ? [{ ...fields, destination: 'session' }] : [];
  });
  return [{ type: 'addRules', rules: [rule], behavior: 'allow', destination: 'session' }, ...folders];
}
