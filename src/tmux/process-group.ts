import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, type ProcessIdentity, probeProcess } from '../kernel/index.ts';

/** How long processes may take to end after the hangup, before they are killed. ms. */
const HANGUP_DEADLINE = 10_000;
/** How long the kernel may take to end killed processes. ms. */
const KILL_DEADLINE = 1_000;

/**
 * Runs `hangUp`, which closes the terminal of `leader`, and sees to it that the leader's process group has ended: what
 * ignores the hangup is killed. Touches nothing when the leader was not alive to begin with: its group's number may be
 * another's by then. (While a group has members its number is not given away.)
 */
export async function endGroup(leader: ProcessIdentity, hangUp: () => Promise<void>): Promise<void> {
  const wasAlive = probeProcess(leader) === 'alive';
  await hangUp();
  if (!wasAlive || (await groupEnds(leader.pid, HANGUP_DEADLINE))) return;
  signalGroup(leader.pid, 'SIGKILL');
  await groupEnds(leader.pid, KILL_DEADLINE);
}

async function groupEnds(group: number, deadline: number): Promise<boolean> {
  const end = performance.now() + deadline;
  for (let delay = 2; groupLives(group); delay = Math.min(delay * 2, 50)) {
    if (performance.now() > end) return false;
    await pause(delay);
  }
  return true;
}

/** Zombies do not count: whoever inherits them may take seconds to bury them. */
function groupLives(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  return process.platform !== 'linux' || fs.readdirSync('/proc').some((name) => isLiveMember(name, group));
}

function isLiveMember(name: string, group: number): boolean {
  if (!/^\d+$/.test(name)) return false;
  try {
    const text = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
    const [state, , itsGroup] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Number(itsGroup) === group && state !== 'Z';
  } catch (error) {
    // It ended between our seeing its name and our reading.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** False when the group has no members. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}
