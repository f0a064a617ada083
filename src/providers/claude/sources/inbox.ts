import { createHash } from 'node:crypto';
import net from 'node:net';
import type { Handed, Offer } from '../../shape.ts';

/** How long a connection may take, ms: the socket is on this machine. */
const CONNECT_DEADLINE = 2_000;

export interface Letter {
  readonly uuid: string;
  /** A session that is another one drops it. */
  readonly session: string;
  /** The true sender: Claude Code counts and compares by it. */
  readonly from: string;
  readonly content: string;
  /** `now` breaks off what the session does; `next` is taken at the next pause. */
  readonly priority: 'now' | 'next';
  readonly token: string | undefined;
}

/**
 * Hands one user message to a session's inbox socket. It never answers: `written` is when the bytes were flushed. `read` is
 * called when the session hangs up, which it does once it has read everything (measured: 2 to 300 ms later).
 */
export function writeLetter(socket: string, letter: Letter, read: () => void): Promise<Handed> {
  const { uuid, session, from, content, priority, token } = letter;
  const lines = [
    ...(token === undefined ? [] : [{ type: 'auth', token }]),
    { type: 'user', uuid, session_id: session, priority, from, message: { role: 'user', content } },
  ];
  return connect(socket, (connection, settle) => {
    connection.once('end', read);
    connection.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), () => settle({ handed: 'written' }));
  });
}

/** Does somebody listen there, and has read all that was written before? Says why not. */
export async function inboxFault(socket: string): Promise<string | undefined> {
  const handed = await connect(socket, (connection, settle) => {
    connection.once('end', () => settle({ handed: 'written' }));
    connection.end();
    connection.setTimeout(CONNECT_DEADLINE, () => connection.destroy(new Error('it does not hang up')));
  });
  return handed.handed === 'written' ? undefined : handed.evidence;
}

/** An inbox has no hold of its own: somebody listens there, or nobody does. */
type Written = Exclude<Handed, { handed: 'held' }>;

function connect(
  path: string,
  connected: (connection: net.Socket, settle: (handed: Written) => void) => void,
): Promise<Written> {
  return new Promise((settle) => {
    let open = false;
    const connection = net.connect(path, () => {
      open = true;
      connected(connection, settle);
    });
    connection.unref();
    connection.setTimeout(CONNECT_DEADLINE, () => {
      if (!open) connection.destroy(new Error('it does not accept the connection'));
    });
    connection.on('error', (error) => {
      settle(
        open
          ? { handed: 'unknown', evidence: `the connection broke while the message was written: ${error.message}` }
          : { handed: 'not_taken', evidence: `no byte left: ${error.message}` },
      );
    });
    connection.resume();
  });
}

/**
 * The uuid of one attempt. The first is the delivery's own; a later one must be another, because Claude Code keeps no second
 * record of a uuid it has seen.
 */
export function letterUuid({ delivery, number }: Pick<Offer, 'delivery' | 'number'>): string {
  if (number === 1) return delivery;
  const digits = createHash('sha256').update(`${delivery}#${number}`).digest('hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
