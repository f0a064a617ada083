/** One thing a terminal says: typed text, a bracketed paste, or a key the program knows. */
export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'enter' | 'newline' | 'escape' | 'interrupt' | 'backspace' | 'clear' };

const PASTE_START = '\u001b[200~';
const PASTE_END = '\u001b[201~';
/** Any other escape sequence: arrows, function keys, focus reports. They are read whole and dropped. */
const SEQUENCE = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/;
const UNFINISHED = /^\u001b(?:\[[0-?]*[ -/]*|O)?$/;
const SINGLE: Readonly<Record<string, Exclude<Key['kind'], 'text' | 'paste'>>> = {
  '\r': 'enter',
  '\n': 'newline',
  '\u0003': 'interrupt',
  '\u0008': 'backspace',
  '\u007f': 'backspace',
  '\u0015': 'clear',
};

/**
 * Cuts what a terminal sends into keys. Two modes: outside a paste, and inside one, where everything up to the end mark
 * is text. A piece may end anywhere, even inside a mark; what is unfinished waits for the next piece or for `flush`.
 */
export class KeyReader {
  #rest = '';
  /** The pieces of a paste that has begun; undefined outside one. */
  #paste: string[] | undefined;

  read(piece: string): Key[] {
    const keys: Key[] = [];
    let input = this.#rest + piece;
    this.#rest = '';
    while (input !== '') {
      const before = input;
      input = this.#paste ? this.#inPaste(input, this.#paste, keys) : this.#outside(input, keys);
      if (input === before) {
        this.#rest = input;
        break;
      }
    }
    return keys;
  }

  /** True while an escape byte waits: it is the Escape key if nothing follows it soon. */
  get waiting(): boolean {
    return this.#paste === undefined && this.#rest === '\u001b';
  }

  /** Nothing followed: a lone escape byte was the key. */
  flush(): Key[] {
    if (!this.waiting) return [];
    this.#rest = '';
    return [{ kind: 'escape' }];
  }

  #inPaste(input: string, pieces: string[], keys: Key[]): string {
    const end = input.indexOf(PASTE_END);
    if (end >= 0) {
      keys.push({ kind: 'paste', text: unixLines([...pieces, input.slice(0, end)].join('')) });
      this.#paste = undefined;
      return input.slice(end + PASTE_END.length);
    }
    const held = endsWithPartOf(input, PASTE_END);
    pieces.push(input.slice(0, input.length - held));
    return input.slice(input.length - held);
  }

  #outside(input: string, keys: Key[]): string {
    if (input.startsWith(PASTE_START)) {
      this.#paste = [];
      return input.slice(PASTE_START.length);
    }
    const first = input.charAt(0);
    if (first === '\u001b') {
      const sequence = SEQUENCE.exec(input);
      if (sequence) return input.slice(sequence[0].length);
      if (UNFINISHED.test(input)) return input;
      keys.push({ kind: 'escape' });
      return input.slice(1);
    }
    const single = SINGLE[first];
    if (single) {
      keys.push({ kind: single });
      return input.slice(1);
    }
    const text = /^[^\u0000-\u001f\u007f]+/.exec(input)?.[0];
    if (text) keys.push({ kind: 'text', text });
    return input.slice(text?.length ?? 1);
  }
}

/** A terminal sends line ends of a paste as carriage returns. */
function unixLines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** How many characters at the end of `text` may be the beginning of `mark`. */
function endsWithPartOf(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
