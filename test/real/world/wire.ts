import type http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Where a dialect writes its answer. Throws `Cut` in the middle of the words when the directives say so. */
export interface Wire {
  readonly event: (type: string, data: Record<string, unknown>) => void;
  /** The whole answer at once, for a request that does not stream. */
  readonly whole: (body: unknown) => void;
  /** Hands the words of a text to `write`, in one piece or dripping. */
  readonly words: (text: string, write: (part: string) => void) => Promise<void>;
}

/** The connection has to break here. */
export class Cut extends Error {}

/** How an answer goes out: words `drip` ms apart, broken midway by `cut`, not at all once it is `over`. */
interface Manner {
  readonly drip: number;
  readonly cut: boolean;
  readonly over: AbortSignal;
}

/** Writes an answer to a response: the head with its first part. */
export function wireOf(response: http.ServerResponse, { drip, cut, over }: Manner): Wire {
  const event: Wire['event'] = (type, data) => {
    over.throwIfAborted();
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  const whole: Wire['whole'] = (body) => {
    if (cut) throw new Cut();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(JSON.stringify(body));
  };
  const words: Wire['words'] = async (text, write) => {
    const parts = drip > 0 || cut ? text.split(/(?<=\s)/) : [text];
    const shown = cut ? parts.slice(0, Math.ceil(parts.length / 2)) : parts;
    for (const part of shown) {
      write(part);
      if (drip > 0) await pause(drip, undefined, { signal: over });
    }
    // What was written has to be on its way before the connection breaks.
    if (cut) await new Promise<void>((resolve) => response.write('', () => resolve()));
    if (cut) throw new Cut();
  };
  return { event, whole, words };
}
