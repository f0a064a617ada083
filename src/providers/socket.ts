import path from 'node:path';
import { type IncarnationId, type Refusal, refuse } from '../kernel/index.ts';
import { LAUNCH } from './command.ts';

/** The longest path of a unix socket, in bytes: 104 with the end mark on macOS, 108 on Linux. */
const LONGEST_SOCKET_PATH = 103;

interface Listener {
  readonly socketFolder: string;
  readonly incarnation: IncarnationId;
}

/** Where a life listens; refused when the path is longer than a system takes. */
export function socketOf(who: string, { socketFolder, incarnation }: Listener): string | Refusal {
  const socket = path.join(socketFolder, `${incarnation}.sock`);
  const bytes = Buffer.byteLength(socket);
  if (bytes <= LONGEST_SOCKET_PATH) return socket;
  return refuse('launch_failed', `The path of ${who}'s socket is too long: ${socket}`, {
    evidence: { socket, bytes, longest: LONGEST_SOCKET_PATH },
    next: [`env XDG_RUNTIME_DIR=/tmp ${LAUNCH}`],
  });
}
