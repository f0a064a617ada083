import type { ProcessIdentity } from '../../kernel/index.ts';
import type { TurnState } from '../shape.ts';
import type { Dialog } from './dialogs.ts';
import type { RecordLine } from './record.ts';

/** What a record says about the process life that wrote its end. */
export interface RecordState {
  readonly incarnation: string | undefined;
  /** The process that writes it. */
  readonly process: ProcessIdentity | undefined;
  readonly greeted: boolean;
  /** A turn that was started and has not ended. */
  readonly open: boolean;
  readonly dialog: Dialog | undefined;
  readonly turn: TurnState;
  /** UTC ms of the line that made `turn`. */
  readonly since: number;
}

export const EMPTY_RECORD: RecordState = {
  incarnation: undefined,
  process: undefined,
  greeted: false,
  open: false,
  dialog: undefined,
  turn: 'unknown',
  since: 0,
};

/** The state after one more line. A `session` line starts from nothing: what its predecessor left open died with it. */
export function advance(state: RecordState, line: RecordLine): RecordState {
  const since = line.at;
  switch (line.type) {
    case 'session':
      return {
        ...EMPTY_RECORD,
        incarnation: line.incarnation,
        process: { pid: line.pid, start: line.start },
        turn: 'starting',
        since,
      };
    case 'greeting':
      return { ...state, greeted: true, turn: 'idle', since };
    case 'turn':
      return line.state === 'started'
        ? { ...state, open: true, dialog: undefined, turn: 'working', since }
        : { ...state, open: false, dialog: undefined, turn: line.state === 'ended' ? 'idle' : 'interrupted', since };
    case 'dialog':
      return line.state === 'opened'
        ? { ...state, dialog: { kind: line.kind, text: line.text }, turn: waitingFor(line.kind), since }
        : { ...state, dialog: undefined, turn: withoutDialog(state), since };
    case 'exit':
      return { ...state, open: false, dialog: undefined, turn: 'exited', since };
    // The turn of an input begins with it: between its line and that of the turn nobody may think that the agent is idle.
    case 'user':
      return { ...state, open: true, dialog: undefined, turn: 'working', since };
    case 'assistant':
    case 'tool':
      return state;
    default:
      return line satisfies never;
  }
}

function waitingFor(kind: Dialog['kind']): TurnState {
  return kind === 'approval' ? 'waiting_approval' : 'waiting_input';
}

function withoutDialog(state: RecordState): TurnState {
  if (state.open) return 'working';
  return state.greeted ? 'idle' : 'starting';
}

/** The state of a turn as the agent itself derives it; a dialog outranks the turn that opened it. */
export function turnState(
  turn: 'starting' | 'idle' | 'working' | 'interrupted',
  dialog: Dialog | undefined,
): TurnState {
  return dialog ? waitingFor(dialog.kind) : turn;
}
