import type { HookWord } from '../facts.ts';
import { marksIn } from '../record.ts';
import { type Fields, fieldsOf, listOf, textOf } from './json.ts';

/** What the hooks of a session have said. */
export class HookWords {
  readonly #announced = new Set<string>();
  #newest: HookWord | undefined;

  /** The newest word about its turn. */
  get newest(): HookWord | undefined {
    return this.#newest;
  }

  /** Did the session say that it has this delivery? The line in its transcript follows. */
  announced(delivery: string): boolean {
    return this.#announced.has(delivery);
  }

  /** Takes in the payload of a hook that ran at `at`, UTC ms. True when it says something about the turn. */
  hear(payload: Fields, at: number): boolean {
    switch (payload.hook_event_name) {
      case 'UserPromptSubmit':
        for (const mark of marksIn(textOf(payload, 'prompt') ?? '')) this.#announced.add(mark);
        this.#newest = { event: 'UserPromptSubmit', at };
        return true;
      case 'Stop':
        this.#newest = { event: 'Stop', at, ...backgroundOf(payload) };
        return true;
      case 'StopFailure': {
        const words = [textOf(payload, 'error'), textOf(payload, 'last_assistant_message')];
        this.#newest = { event: 'StopFailure', at, detail: words.filter((word) => word !== undefined).join(': ') };
        return true;
      }
      default:
        return false;
    }
  }
}

/** What still runs when a turn ends: it will wake the session again. */
function backgroundOf(payload: Fields): { readonly detail?: string } {
  const tasks = listOf(payload, 'background_tasks').map((task) => {
    const fields = fieldsOf(task);
    return textOf(fields, 'description') ?? textOf(fields, 'command') ?? textOf(fields, 'type') ?? 'a task';
  });
  return tasks.length > 0 ? { detail: tasks.join(', ') } : {};
}
