import fs from 'node:fs';
import { readBytes, sizeOf } from '../../../kernel/index.ts';
import { LineFollower, linesFrom } from '../../line-follower.ts';
import type { MissedCall } from '../../shape.ts';
import { type CallEnd, UnreachedCalls } from '../../unreached-calls.ts';
import { type Call, type CallResult, marksIn, parseRecordLine, type RecordLine, saysUnreached } from '../record.ts';

/** What Claude Code puts before the name of a tool of the team's server. */
const OF_TEAM = 'mcp__team__';

/** Only lines with one of these are worth reading as JSON: the rest of a transcript is bulky and says nothing to us. */
const WORTH_READING = /"type":"(?:user|attachment|assistant|system|queue-operation|permission-mode|api-request)"/;

export interface Input {
  readonly offset: number;
  readonly uuids: readonly string[];
  readonly marks: readonly string[];
}

/** What a transcript says at its end about the turn. */
export interface RecordState {
  /** UTC ms of the input that opened the newest turn. */
  readonly opened: number;
  readonly failure: { readonly what: string; readonly retrying: boolean; readonly at: number } | undefined;
  /** What the model was asked last and has not answered, and how often. */
  readonly asked: { readonly request: string; readonly times: number } | undefined;
  /** UTC ms, when the newest turn was interrupted. */
  readonly interrupted: number | undefined;
  /** UTC ms, when the newest turn has come to its end. */
  readonly ended: number | undefined;
  /** Tool calls without a result. */
  readonly open: readonly Call[];
  readonly mode: string | undefined;
  /** UTC ms of the newest line that says anything. */
  readonly at: number;
}

const EMPTY: RecordState = {
  opened: 0,
  failure: undefined,
  asked: undefined,
  interrupted: undefined,
  ended: undefined,
  open: [],
  mode: undefined,
  at: 0,
};

/** The state after one more line. */
function advance(state: RecordState, line: RecordLine): RecordState {
  const at = line.type === 'mode' ? state.at : Math.max(state.at, line.at);
  switch (line.type) {
    case 'input':
      if (!line.opens) return { ...state, at };
      return opened(state, line.at, at);
    case 'queued':
      return { ...state, at };
    case 'call':
      return { ...state, failure: undefined, asked: undefined, open: [...state.open, ...line.calls], at };
    case 'results':
      return { ...state, open: state.open.filter(({ id }) => !line.results.some((result) => result.id === id)), at };
    case 'interrupted':
      return { ...state, failure: undefined, open: [], interrupted: line.at, at };
    case 'failure':
      return { ...state, failure: { what: line.what, retrying: line.retrying, at: line.at }, at };
    case 'asked':
      return askedAgain({ ...state, at }, line);
    case 'answer':
      return { ...state, failure: undefined, asked: undefined, at };
    case 'ended':
      return { ...state, ended: line.at, at };
    case 'mode':
      return { ...state, mode: line.mode };
    default:
      return line satisfies never;
  }
}

/**
 * A turn begins with this input. Its line may come after lines about the model being asked for it, which are written by
 * another hand: what happened after the input, by its own time, belongs to the turn.
 */
function opened({ mode, asked, failure }: RecordState, opened: number, at: number): RecordState {
  return { ...EMPTY, mode, asked, failure: failure && failure.at >= opened ? failure : undefined, opened, at };
}

/** Claude Code writes each attempt down, but not why the one before it failed. */
function askedAgain(state: RecordState, { request, at }: Extract<RecordLine, { type: 'asked' }>): RecordState {
  const times = state.asked?.request === request ? state.asked.times + 1 : 1;
  const asked = { request, times };
  if (times === 1) return { ...state, asked };
  const what = `its model gave no whole answer; it tries again (attempt ${times})`;
  return { ...state, asked, failure: { what, retrying: true, at } };
}

/** Reads a transcript as it grows, and keeps what questions are asked about. */
export class RecordFollower {
  readonly file: string;
  readonly #lines: LineFollower;
  readonly #inputs: Input[] = [];
  /** Marks that stand in the session's own queue, with the offset of their newest line. */
  readonly #queued = new Map<string, number>();
  readonly #calls = new Map<string, { readonly call: Call; readonly offset: number; readonly at: number }>();
  readonly #unreached = new UnreachedCalls();
  readonly #heard: (from: string, at: number) => void;
  readonly #began: number;
  /** Has a line been read that was written after that? */
  #reached = false;
  #state: RecordState = EMPTY;

  /**
   * `changed` is called after the file system told of new lines; `heard` for each message of a peer. What was written before
   * `began`, UTC ms, says nothing about the turn: another life wrote it.
   */
  constructor(file: string, changed: () => void, heard: (from: string, at: number) => void, began = 0) {
    this.file = file;
    this.#began = began;
    this.#heard = heard;
    const take = (text: string, offset: number): void => {
      if (!WORTH_READING.test(text)) return;
      const line = parseRecordLine(text);
      if (line) this.#take(line, offset);
    };
    this.#lines = new LineFollower(file, take, changed, () => this.#forget());
  }

  get state(): RecordState {
    return this.#state;
  }

  watch(): void {
    this.#lines.watch();
  }

  /** Reads to the present end; true when there was a new line. */
  catchUp(): boolean {
    return this.#lines.catchUp();
  }

  /** How often its file shrank, or another one took its place. */
  get replacements(): number {
    return this.#lines.replacements;
  }

  /** Is a position that was noted once a position in the file as it is now? False too when its file is not there any more. */
  has(position: number): boolean {
    const there = fs.statSync(this.file, { throwIfNoEntry: false });
    if (!there) return position === 0 && this.#lines.cursor === 0;
    if (position === 0) return true;
    return position <= there.size && readBytes(this.file, position - 1, position).toString() === '\n';
  }

  /** Does the session know this delivery: has it been its input at any time, also before it was forked? */
  knows(mark: string): boolean {
    return this.#inputs.some(({ marks }) => marks.includes(mark));
  }

  /** Where the input that carries one of these uuids, or the mark, stands at or after `position` bytes. */
  receipt(uuids: readonly string[], mark: string, position: number): Input | undefined {
    return linesFrom(this.#inputs, this.#from(position)).find(
      (input) => input.uuids.some((uuid) => uuids.includes(uuid)) || input.marks.includes(mark),
    );
  }

  /** Was it seen in the session's own queue? */
  wasQueued(mark: string, position: number): boolean {
    return (this.#queued.get(mark) ?? -1) >= this.#from(position);
  }

  missedCalls(since: number): readonly MissedCall[] {
    return this.#unreached.from(this.#from(since));
  }

  get openCalls(): readonly MissedCall[] {
    return this.#unreached.open;
  }

  close(): void {
    this.#lines.close();
  }

  /** A position in a file that was replaced says nothing about the one that is there now. */
  #from(position: number): number {
    return this.#lines.replacements > 0 || position > sizeOf(this.file) ? 0 : position;
  }

  /** Was it written in this life? A line without a time is as old as the newest one before it. */
  #isOwn(line: RecordLine): boolean {
    if (!('at' in line)) return this.#began === 0 || this.#reached;
    const isOwn = line.at >= this.#began;
    this.#reached ||= isOwn;
    return isOwn;
  }

  #forget(): void {
    this.#state = EMPTY;
    this.#reached = false;
    this.#inputs.length = 0;
    this.#unreached.forget();
    this.#queued.clear();
    this.#calls.clear();
  }

  #take(line: RecordLine, offset: number): void {
    if (this.#isOwn(line)) this.#state = advance(this.#state, line);
    switch (line.type) {
      case 'input': {
        if (line.opens) this.#unreached.turnOver();
        this.#inputs.push({ offset, uuids: line.uuids, marks: marksIn(line.text) });
        if (line.from !== undefined) this.#heard(line.from, line.at);
        return;
      }
      case 'queued':
        for (const mark of marksIn(line.text)) this.#queued.set(mark, offset);
        return;
      case 'call':
        for (const call of line.calls) {
          if (call.name.startsWith(OF_TEAM)) this.#calls.set(call.id, { call, offset, at: line.at });
        }
        return;
      case 'results':
        for (const result of line.results) {
          const made = this.#calls.get(result.id);
          this.#calls.delete(result.id);
          if (!made) continue;
          const { id, name, arguments: words } = made.call;
          const call = { call: id, tool: name.slice(OF_TEAM.length), arguments: words, at: made.at };
          this.#unreached.ended(call, endOf(result), offset);
        }
        return;
      case 'interrupted':
      case 'ended':
        this.#unreached.turnOver();
        return;
      case 'failure':
      case 'asked':
      case 'answer':
      case 'mode':
        return;
      default:
        line satisfies never;
    }
  }
}

function endOf(result: CallResult): CallEnd {
  if (!result.failed) return 'answered';
  return saysUnreached(result) ? 'unreached' : 'failed';
}
