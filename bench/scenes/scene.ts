import type { Row } from '../figures.ts';
import type { Floors } from '../floors.ts';
import type { Ground } from '../ground.ts';

/** What a scene gets. */
export interface Stage {
  readonly ground: Ground;
  readonly floors: Floors;
  /** The long run: more agents, more messages, longer windows. */
  readonly long: boolean;
  /** For a scene that cannot be played here: why, and what helps. */
  readonly tell: (line: string) => void;
}

/** A part of the table: it builds what it measures, tells its rows, and leaves nothing running. */
export interface Scene {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<readonly Row[]>;
}
