import type { Readable, Writable } from 'node:stream';

/** Options that stand before or after every command. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly team?: string;
  readonly workspace?: string;
}

/** What a command may use of the world. */
export interface Context {
  readonly globals: GlobalFlags;
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable;
  /** Aborted by Ctrl-C or a terminal that went away. */
  readonly interrupted: AbortSignal;
}
