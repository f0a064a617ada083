import fs from 'node:fs';
import type { Server } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { errorCode, type Refusal, refuse } from '../../kernel/index.ts';

/** An open door: its server, and how many are inside. */
export interface Door {
  readonly port: number;
  readonly connections: () => number;
  /** Resolves once nobody is inside. */
  readonly empty: () => Promise<void>;
  close(): void;
}

/** Listens on a unix socket, 0600. A socket that a killed coordinator left is replaced; anything else in its place is not. */
export async function listenOnSocket(app: Hono, socket: string): Promise<Door | Refusal> {
  const found = fs.lstatSync(socket, { throwIfNoEntry: false });
  if (found && !(found.isSocket() && found.uid === process.getuid?.())) {
    return socketTaken(socket);
  }
  fs.rmSync(socket, { force: true });
  const door = await listen(app, { path: socket });
  return door === 'EADDRINUSE' ? socketTaken(socket) : door;
}

function socketTaken(socket: string): Refusal {
  return refuse('socket_taken', `${socket} is in the way of the coordinator's socket: it is not a socket of yours.`, {
    evidence: { socket },
    next: [`ls -l ${socket}`],
  });
}

/** Listens on the loopback interface: on `port`, or on any free one for 0. */
export async function listenOnLoopback(app: Hono, port: number): Promise<Door | Refusal> {
  const door = await listen(app, { host: '127.0.0.1', port });
  if (door !== 'EADDRINUSE') return door;
  return refuse(
    'port_taken',
    `Port ${port} of 127.0.0.1 belongs to another program now, and the running agents know only that one.`,
    {
      evidence: { port },
      next: [`lsof -i :${port}`, 'team-agent coordinator start'],
    },
  );
}

function listen(app: Hono, where: { path: string } | { host: string; port: number }): Promise<Door | 'EADDRINUSE'> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server & { closeAllConnections(): void };
  let inside = 0;
  const waiting: (() => void)[] = [];
  server.on('connection', (connection) => {
    inside += 1;
    connection.once('close', () => {
      inside -= 1;
      if (inside === 0) for (const leave of waiting.splice(0)) leave();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (errorCode(error) === 'EADDRINUSE' ? resolve('EADDRINUSE') : reject(error)));
    server.listen(where, () => {
      const address = server.address();
      resolve({
        port: address && typeof address === 'object' ? address.port : 0,
        connections: () => inside,
        empty: () => (inside === 0 ? Promise.resolve() : new Promise((leave) => waiting.push(leave))),
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
