import { spawn } from 'node:child_process';
import { errorCode } from '../../kernel/index.ts';

/** How to reach one private server. */
export interface ServerAddress {
  /** Absolute path of the server's socket: at most 103 bytes. */
  readonly socket: string;
  /** What tmux is started with: see `serverEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
}

export type OneShot =
  | { readonly ran: true; readonly code: number; readonly output: string; readonly errors: string }
  | { readonly ran: false; readonly missing: boolean; readonly evidence: string };

const NAMES = new Set(['PATH', 'HOME', 'SHELL', 'LANG', 'TERM']);

/** A loaded machine needs a second; a tmux that is silent for ten is not going to answer. ms. */
export const ANSWER_DEADLINE = 10_000;

/** The little of `environment` that a tmux server may know: all its panes inherit it. */
export function serverEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = { TERM: 'xterm-256color' };
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && (NAMES.has(name) || name.startsWith('LC_'))) kept[name] = value;
  }
  return kept;
}

/** Runs tmux commands from its stdin, on a server that is started when it is not there: nothing of them is in an argv. */
export function runCommands(server: ServerAddress, lines: readonly string[]): Promise<OneShot> {
  const input = `${lines.join('\n')}\n`;
  return runTmux(
    ['-u', '-S', server.socket, '-f', '/dev/null', 'start-server', ';', 'source-file', '-'],
    server.environment,
    input,
  );
}

/** Asks a server that must be there already: this never starts one. `words` are visible in an argv. */
export function runQuestion(server: ServerAddress, words: readonly string[]): Promise<OneShot> {
  return runTmux(['-u', '-S', server.socket, '-f', '/dev/null', ...words], server.environment, '');
}

/** How often a server is asked that ends under our hands. */
const SERVER_ATTEMPTS = 3;

/** A server that is just ending, because its last session has, takes nobody in any more: then the next one is asked. */
export async function untilServed(ask: () => Promise<OneShot>): Promise<OneShot> {
  for (let attempt = 1; ; attempt++) {
    const shot = await ask();
    const ending = shot.ran && /server exited|lost server|no server running/.test(shot.errors);
    if (!ending || attempt === SERVER_ATTEMPTS) return shot;
  }
}

/** Did tmux find no server at the socket? True for a missing socket and for one that nobody listens on. */
export function serverAbsent(answer: OneShot): boolean {
  return (
    answer.ran &&
    answer.code !== 0 &&
    /^(no server running on |error connecting to .* \((No such file or directory|Connection refused)\))/m.test(
      answer.errors,
    )
  );
}

/**
 * Is there a server, but no session in it? It says so to every command that has a target, also to an exact one, because
 * it looks for a current session first. A server is like this while it lets the clients of its last session go, and
 * as long as somebody has set `exit-empty` off.
 */
export function serverEmpty(answer: OneShot): boolean {
  return answer.ran && answer.code !== 0 && /^no current target$/m.test(answer.errors);
}

/** Runs tmux once. It is killed when it has not ended within `ANSWER_DEADLINE`. */
export function runTmux(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  input: string,
): Promise<OneShot> {
  return new Promise((resolve) => {
    const child = spawn('tmux', argv, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    const deadline = setTimeout(() => child.kill('SIGKILL'), ANSWER_DEADLINE);
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    // A child that ends before it has read its input is told apart by its code and what it wrote.
    child.stdin.on('error', (error) => errors.push(Buffer.from(`stdin: ${error.message}\n`)));
    child.once('error', (error) => {
      clearTimeout(deadline);
      resolve({ ran: false, missing: errorCode(error) === 'ENOENT', evidence: error.message });
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      const said = Buffer.concat(errors).toString();
      if (code === null) resolve({ ran: false, missing: false, evidence: `tmux ended by ${signal} ${said}`.trim() });
      else resolve({ ran: true, code, output: Buffer.concat(output).toString(), errors: said });
    });
    child.stdin.end(input);
  });
}
