import type { Context } from '../context.ts';
import { type Look, lookOf } from '../rendering/look.ts';
import type { Story } from './story.ts';
import { clock, frame, letterLine, type Scene } from './telling.ts';

/** How a spectator follows the demo. */
export interface View {
  /** What happens now, in a few words. */
  phase(words: string): void;
  /** The story went on. */
  show(story: Story, states: Scene['states']): void;
  /** Takes the picture away, for what is printed next. */
  close(): void;
}

/** A picture is drawn at most so often: every 100 ms. */
const FRAME = 100;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[2K';

/** A picture that is redrawn in place. */
export function liveView(context: Context, story: Story, start: number): View {
  const { stdout, environment } = context;
  let current = story;
  let states: Scene['states'] = {};
  let phase = '';
  let drawn = 0;
  const draw = (): void => {
    const look = lookOf(stdout, environment, Date.now());
    const scene = { start, rows: stdout.rows ?? 24, phase, states };
    const lines = frame(current, scene, look);
    stdout.write(`${up(drawn)}${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}${erase(drawn - lines.length)}`);
    drawn = lines.length;
  };
  stdout.write(HIDE_CURSOR);
  draw();
  const timer = setInterval(draw, FRAME);
  return {
    phase: (words) => {
      phase = words;
    },
    show: (next, seen) => {
      current = next;
      states = { ...states, ...seen };
    },
    close: () => {
      clearInterval(timer);
      stdout.write(`${up(drawn)}${erase(drawn)}${SHOW_CURSOR}`);
      drawn = 0;
    },
  };
}

function up(lines: number): string {
  return lines === 0 ? '' : `\u001b[${lines}A`;
}

/** Clears so many lines from here on and comes back. Line by line: a terminal may keep a cleared screen in its history. */
function erase(lines: number): string {
  return lines <= 0 ? '' : `${`${CLEAR_LINE}\n`.repeat(lines)}${up(lines)}`;
}

/** Lines that are appended as things happen. */
export function plainView(context: Context, start: number): View {
  const { stdout, environment } = context;
  const printed = new Set<string>();
  const reported = new Set<string>();
  const look = (): Look => lookOf(stdout, environment, Date.now());
  const note = (words: string): void => {
    stdout.write(`${clock(Date.now() - start).padStart(9)}  ${words}\n`);
  };
  return {
    phase: note,
    show: (story) => {
      for (const letter of story.letters) {
        const key = `${letter.id} ${letter.to}`;
        const ended = letter.state === 'consumed' || letter.state === 'dead';
        if (!ended || letter.text === undefined || printed.has(key)) continue;
        printed.add(key);
        stdout.write(`${letterLine(letter, letter.storedAt + (letter.took ?? 0) - start, look())}\n`);
      }
      for (const actor of story.actors) {
        if (!actor.reported || reported.has(actor.id)) continue;
        reported.add(actor.id);
        note(`${actor.id} has reported`);
      }
    },
    close: () => undefined,
  };
}

/** For `--json`: the object at the end is all there is. */
export function noView(): View {
  return { phase: () => undefined, show: () => undefined, close: () => undefined };
}
