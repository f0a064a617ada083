import { isDeepStrictEqual } from 'node:util';
import { linesFrom } from './line-follower.ts';
import { isChangingTool, type MissedCall, type RecordedCall } from './shape.ts';

/** How a call came to its end: with an answer, with nobody there to give one, or with a failure of any other kind. */
export type CallEnd = 'answered' | 'unreached' | 'failed';

/**
 * The calls of a record that reached no coordinator, in the order of its lines. A model that saw a call fail may make it
 * once more: the same tool with the same arguments in the same turn is the same call, whatever id it has now. When that one
 * is answered, nothing was missed; as long as none is, the first one's id stands for all of them.
 */
export class UnreachedCalls {
  #missed: { readonly offset: number; readonly call: MissedCall }[] = [];
  #open: readonly MissedCall[] = [];

  /** A call has come to its end, by the line at `offset` bytes. */
  ended({ tool, ...rest }: RecordedCall, end: CallEnd, offset: number): void {
    if (!isChangingTool(tool)) return;
    const call = { ...rest, tool };
    const first = this.#open.find((open) => isSame(open, call));
    if (end === 'answered' && first) {
      this.#open = this.#open.filter((open) => open !== first);
      this.#missed = this.#missed.filter((missed) => missed.call !== first);
    } else if (end === 'unreached' && !first) {
      this.#open = [...this.#open, call];
      this.#missed.push({ offset, call });
    }
  }

  /** What is called from here on is meant by itself. */
  turnOver(): void {
    this.#open = [];
  }

  /** Those of the turn that runs which were not answered since. */
  get open(): readonly MissedCall[] {
    return this.#open;
  }

  /** Those whose lines stand at or after `position` bytes. */
  from(position: number): readonly MissedCall[] {
    return linesFrom(this.#missed, position).map(({ call }) => call);
  }

  forget(): void {
    this.#missed = [];
    this.#open = [];
  }
}

function isSame(one: MissedCall, other: MissedCall): boolean {
  return one.tool === other.tool && isDeepStrictEqual(one.arguments, other.arguments);
}
