import fs from 'node:fs';
import net from 'node:net';
import { type AgentState, type FromAgent, Lines, parseToAgent, type ToAgent } from '../protocol.ts';

export interface InboxHandler {
  greeting(): FromAgent;
  state(): AgentState;
  submit(request: Extract<ToAgent, { type: 'submit' }>): void;
  find(id: string): Extract<FromAgent, { type: 'found' }>;
  /** False when no approval is open. */
  answer(decision: 'approve' | 'deny'): boolean;
}

/** The agent's own way in: a unix socket that only its owner may open, one JSON object per line. */
export class Inbox {
  readonly #path: string;
  readonly #handler: InboxHandler;
  readonly #connections = new Set<net.Socket>();

  constructor(socketPath: string, handler: InboxHandler) {
    this.#path = socketPath;
    this.#handler = handler;
  }

  /** Resolves once connections are taken. The socket of a predecessor that was killed is replaced. */
  async listen(): Promise<void> {
    fs.rmSync(this.#path, { force: true });
    const server = net.createServer((socket) => this.#welcome(socket));
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(this.#path, resolve);
      });
    } finally {
      process.umask(before);
    }
    fs.chmodSync(this.#path, 0o600);
  }

  /** Tells every connection what has changed. */
  push(): void {
    for (const socket of this.#connections) send(socket, { type: 'state', ...this.#handler.state() });
  }

  remove(): void {
    fs.rmSync(this.#path, { force: true });
  }

  #welcome(socket: net.Socket): void {
    const lines = new Lines();
    this.#connections.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', (piece: string) => {
      try {
        for (const line of lines.take(piece)) this.#handle(socket, line);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        send(socket, { type: 'error', message: error.message });
        socket.destroy();
      }
    });
    send(socket, this.#handler.greeting());
  }

  #handle(socket: net.Socket, line: string): void {
    const request = parseToAgent(line);
    if (!request) {
      send(socket, { type: 'error', message: 'not a request of this protocol' });
      return;
    }
    switch (request.type) {
      case 'submit':
        send(socket, { type: 'submitted', id: request.id });
        this.#handler.submit(request);
        return;
      case 'find':
        // One turn of the loop later: what an earlier connection had written before it broke is read first.
        setImmediate(() => send(socket, this.#handler.find(request.id)));
        return;
      case 'look':
        send(socket, { type: 'state', ...this.#handler.state() });
        return;
      case 'answer':
        if (!this.#handler.answer(request.decision)) send(socket, { type: 'error', message: 'no approval is open' });
        return;
      default:
        request satisfies never;
    }
  }
}

function send(socket: net.Socket, message: FromAgent): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}
