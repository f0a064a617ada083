import http from 'node:http';
import net from 'node:net';
import { errorCode } from '../kernel/processes.ts';

/**
 * One answer over the unix socket; or that nobody listens; or that this process may not connect to it, so that nothing was
 * asked; or that the connection broke before an answer came.
 */
export type CallOutcome =
  | { readonly outcome: 'answered'; readonly body: string }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'forbidden'; readonly evidence: string }
  | { readonly outcome: 'lost'; readonly evidence: string };

export interface CallOptions {
  readonly socket: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Called once when nothing has come back for `silence` ms. */
  readonly silent?: { readonly after: number; readonly ask: () => void };
  /** Called with each line as it comes; then `body` stays empty. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);
/** What `connect` says in a sandbox, or to another user. */
const FORBIDDEN = new Set(['EPERM', 'EACCES']);

/** One HTTP request over a unix socket. Never throws: what went wrong is an outcome. */
export function callSocket(options: CallOptions): Promise<CallOutcome> {
  return new Promise((resolve) => {
    const timer = options.silent ? setTimeout(options.silent.ask, options.silent.after) : undefined;
    const finish = (outcome: CallOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const request = http.request(
      {
        // Without an agent: it would ask whether the name of the host is an IPv6 address, and compile what tells (4 ms).
        createConnection: () => net.connect(options.socket),
        method: options.method,
        path: options.path,
        headers: {
          ...options.headers,
          ...(options.body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(options.body) }),
        },
        signal: options.signal,
      },
      (response) => {
        clearTimeout(timer);
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (options.onLine) text = eachLine(text, options.onLine);
        });
        response.on('end', () => finish({ outcome: 'answered', body: text }));
        response.on('error', (error) => finish({ outcome: 'lost', evidence: error.message }));
      },
    );
    request.on('error', (error) => {
      const code = errorCode(error) ?? '';
      const evidence = error.message;
      if (NOBODY.has(code)) finish({ outcome: 'absent' });
      else finish({ outcome: FORBIDDEN.has(code) ? 'forbidden' : 'lost', evidence });
    });
    request.end(options.body);
  });
}

/** Hands on complete lines and returns the rest. */
function eachLine(text: string, onLine: (line: string) => void): string {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) if (line !== '') onLine(line);
  return rest;
}
