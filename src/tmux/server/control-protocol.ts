/**
 * tmux's control mode as text: what a client reads, and how an argument is written so that tmux's own parser gives it
 * back unchanged. Pure; see CONTROL MODE in tmux(1).
 */

/** The answer to one tmux command. */
export interface ControlBlock {
  readonly kind: 'block';
  readonly ok: boolean;
  /** The command's number in the server. */
  readonly number: number;
  /** False for the command that the client was started with: it was not written on its stdin. */
  readonly requested: boolean;
  readonly lines: readonly string[];
}

export type ControlEvent =
  | ControlBlock
  /** A window of the server has gone. tmux says `unlinked` even when it was in the attached session. */
  | { readonly kind: 'window_closed'; readonly window: string }
  /** Panes of a window came, went or changed their size. */
  | { readonly kind: 'layout_changed'; readonly window: string }
  | { readonly kind: 'sessions_changed' }
  | { readonly kind: 'exit'; readonly why: string }
  /** A notification that nobody here needs. */
  | { readonly kind: 'other'; readonly line: string };

interface OpenBlock {
  /** `TIME NUMBER FLAGS`: the closing line repeats it, so that output that looks like one does not close a block. */
  readonly guard: string;
  readonly lines: string[];
}

/** Bit 0 of a block's flags: the command was read from the client's stdin. */
const REQUESTED = 1;

/** Cuts a control client's output into events. Chunks may end anywhere, also inside a line. */
export class ControlParser {
  #rest = '';
  #block: OpenBlock | undefined;

  feed(chunk: string): ControlEvent[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    const events: ControlEvent[] = [];
    for (const line of lines) {
      const event = this.#block ? this.#inside(this.#block, line) : this.#outside(line);
      if (event) events.push(event);
    }
    return events;
  }

  #inside(block: OpenBlock, line: string): ControlEvent | undefined {
    const ok = line === `%end ${block.guard}`;
    if (!ok && line !== `%error ${block.guard}`) {
      block.lines.push(line);
      return undefined;
    }
    this.#block = undefined;
    const [, number, flags] = block.guard.split(' ').map(Number);
    return {
      kind: 'block',
      ok,
      number: number ?? 0,
      requested: ((flags ?? 0) & REQUESTED) === REQUESTED,
      lines: block.lines,
    };
  }

  #outside(line: string): ControlEvent | undefined {
    const [name = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    switch (name) {
      case '%begin':
        this.#block = { guard: rest, lines: [] };
        return undefined;
      case '%window-close':
      case '%unlinked-window-close':
        return { kind: 'window_closed', window: rest };
      case '%layout-change':
        return { kind: 'layout_changed', window: words[0] ?? '' };
      case '%sessions-changed':
        return { kind: 'sessions_changed' };
      case '%exit':
        return { kind: 'exit', why: rest };
      default:
        return { kind: 'other', line };
    }
  }
}

/**
 * `text` as one argument of a tmux command line: in double quotes, so that a line break can be written as an escape (a
 * control client's command ends with its line). Throws on a NUL, which no argument can hold.
 */
export function quote(text: string): string {
  if (text.includes('\0')) throw new Error('an argument of a tmux command cannot hold a NUL');
  const escaped = text.replace(/["\\$]/g, '\\$&').replace(/[\u0001-\u001f\u007f]/g, octal);
  return `"${escaped}"`;
}

function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/**
 * `text` for an argument that tmux expands as a format, so that it comes out unchanged. tmux keeps every `#` before a
 * `[` (it takes them for a style) and halves all others.
 */
export function escapeFormat(text: string): string {
  return text.replace(/#+(?![[#])/g, (hashes) => hashes + hashes);
}

/** One command from its words, each quoted. */
export function command(...words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/** Commands that tmux runs as one group: after the first that fails the others are not run, and nothing comes between. */
export function sequence(...commands: readonly string[]): string {
  return commands.join(' ; ');
}
