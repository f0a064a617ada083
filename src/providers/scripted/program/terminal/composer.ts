import type { Dialog } from '../../dialogs.ts';
import type { Key } from './keys.ts';

/** What a key means for the agent, beside the change of the composer's own text. */
export type Typed =
  | { readonly typed: 'submit'; readonly text: string }
  | { readonly typed: 'answer'; readonly decision: 'approve' | 'deny' }
  | { readonly typed: 'interrupt' }
  | { readonly typed: 'quit' };

/**
 * The line a person types into. While a dialog is open it is shut: pasted and typed text is swallowed, and Enter
 * answers the dialog. That is how real agents behave, and the trap that whoever pastes has to avoid.
 */
export class Composer {
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** Half-typed text, as if a person had typed it. */
  put(text: string): void {
    this.#text = text;
  }

  press(key: Key, dialog: Dialog | undefined): Typed | undefined {
    return dialog ? pressInDialog(key, dialog) : this.#edit(key);
  }

  #edit(key: Key): Typed | undefined {
    switch (key.kind) {
      case 'text':
      case 'paste':
        this.#text += key.text;
        return undefined;
      case 'newline':
        this.#text += '\n';
        return undefined;
      case 'backspace':
        this.#text = this.#text.replace(/.$/su, '');
        return undefined;
      case 'clear':
        this.#text = '';
        return undefined;
      case 'escape':
        return { typed: 'interrupt' };
      case 'interrupt': {
        const quits = this.#text === '';
        this.#text = '';
        return quits ? { typed: 'quit' } : undefined;
      }
      case 'enter': {
        const text = this.#text;
        if (text.trim() === '') return undefined;
        this.#text = '';
        return { typed: 'submit', text };
      }
      default:
        return key satisfies never;
    }
  }
}

function pressInDialog(key: Key, dialog: Dialog): Typed | undefined {
  switch (key.kind) {
    case 'enter':
      return { typed: 'answer', decision: 'approve' };
    case 'escape':
    case 'interrupt':
      return { typed: 'answer', decision: 'deny' };
    case 'text':
      if (dialog.kind !== 'approval') return undefined;
      if (key.text === 'y') return { typed: 'answer', decision: 'approve' };
      return key.text === 'n' ? { typed: 'answer', decision: 'deny' } : undefined;
    case 'paste':
    case 'newline':
    case 'backspace':
    case 'clear':
      return undefined;
    default:
      return key satisfies never;
  }
}
