import type { Row } from '../figures.ts';
import type { Floors } from '../floors.ts';
import type { Ground } from '../ground.ts';

/** What a scene gets. */
export interface Stage {
  readonly ground: Ground;
  readonly floors: Floors;
  /** The long run: more agents, more messages, longer windows. */
  readonly long: boolean;
}

/** A part of the table: it builds what it measures, tells its rows, and leaves nothing running. */
export interface Scene {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<readonly Row[]>;
}
