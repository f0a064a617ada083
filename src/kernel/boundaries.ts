/**
 * The named places where a crash matters: just before and after each commit and each byte that leaves. Tests kill the
 * coordinator at each of them; the list is closed so that a sweep can prove that it covered all.
 */
export const BOUNDARIES = [
  'send.before_commit',
  'send.committed',
  'offer.before_commit',
  'offer.committed',
  'offer.written',
  'receipt.before_commit',
  'receipt.committed',
  'requeue.before_commit',
  'requeue.committed',
  'result.before_commit',
  'result.committed',
  'launch.journalled',
  'launch.spawned',
  'launch.attached',
  'launch.before_ready',
  'shutdown.journalled',
  'shutdown.agents_ended',
  'shutdown.session_ended',
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** Called at each boundary. In production it returns at once. */
export type Reach = (boundary: Boundary) => void | Promise<void>;

/**
 * The production answer: nothing happens, unless the environment names a boundary, `NAME` or `NAME#N` for its N-th
 * time; then this process kills itself there as `kill -9` would. The variable works only beside `TEAM_AGENT_TEST=1`.
 */
export function boundariesFrom(environment: NodeJS.ProcessEnv): Reach {
  const wanted = environment.TEAM_AGENT_TEST === '1' ? environment.TEAM_AGENT_CRASH_AT : undefined;
  if (!wanted) return () => undefined;
  const [name, nth = '1'] = wanted.split('#');
  let left = Number(nth);
  return (boundary) => {
    if (boundary === name && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
