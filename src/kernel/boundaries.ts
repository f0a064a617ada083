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
  'release.before_commit',
  'release.committed',
  'result.before_commit',
  'result.committed',
  'launch.journalled',
  'launch.spawned',
  'launch.attached',
  'launch.before_ready',
  'add.prepared',
  'stop.journalled',
  'stop.ended',
  'reset.stopped',
  'reset.discarded',
  'remove.journalled',
  'remove.ended',
  'remove.cleared',
  'shutdown.journalled',
  'shutdown.agents_ended',
  'shutdown.session_ended',
] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** Called at each boundary. In production it returns at once. */
export type Reach = (boundary: Boundary) => void | Promise<void>;

/**
 * The production answer: nothing happens, unless the environment names a boundary, `NAME` or `NAME#N` for its N-th
 * time: at TEAM_AGENT_CRASH_AT this process kills itself as `kill -9` would, at TEAM_AGENT_FREEZE_AT it stops until somebody
 * lets it go on. The variables work only beside `TEAM_AGENT_TEST=1`.
 */
export function boundariesFrom(environment: NodeJS.ProcessEnv): Reach {
  if (environment.TEAM_AGENT_TEST !== '1') return () => undefined;
  const crash = countdown(environment.TEAM_AGENT_CRASH_AT);
  const freeze = countdown(environment.TEAM_AGENT_FREEZE_AT);
  return (boundary) => {
    if (crash(boundary)) process.kill(process.pid, 'SIGKILL');
    if (freeze(boundary)) process.kill(process.pid, 'SIGSTOP');
  };
}

/** True once: when the boundary that `wanted` names is reached for the time that it names. */
function countdown(wanted = ''): (boundary: Boundary) => boolean {
  const [name, nth = '1'] = wanted.split('#');
  let left = Number(nth);
  return (boundary) => boundary === name && --left === 0;
}
