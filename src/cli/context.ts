import type { Readable, Writable } from 'node:stream';

/** Options that stand before or after every command. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly team?: string;
  readonly workspace?: string;
}

/** What the process around a command gives it. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Opened when it is read: most commands read none. */
  readonly stdin: () => Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable;
  /** Aborted by a signal or a closed output, in a command that `endsItself`. */
  readonly interrupted: AbortSignal;
  /**
   * From now on a signal or a closed output does not end the process: the command does, when it has put things in order.
   * `onEnd` hears the exit code that the process would have ended with.
   */
  readonly endsItself: (onEnd?: (exit: number) => void) => void;
}

/** What a command may use of the world. */
export interface Context extends Surroundings {
  readonly globals: GlobalFlags;
}
