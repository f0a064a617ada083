import { setTimeout as pause } from 'node:timers/promises';
import {
  ancestry,
  errorCode,
  type ProcessIdentity,
  probeProcess,
  processesStartedWith,
  processStat,
  sessionMembers,
  signalProcess,
  startedWith,
} from '../kernel/index.ts';
import { INCARNATION_VARIABLE } from '../tmux/index.ts';

/** How long a process that was asked to end may take before it is killed, and the kernel afterwards, ms. */
const GRACE = 1_500;

/** How long what an agent has started may take to end after it, ms: a CLI that ends in order ends its commands. */
const COMMANDS_END = 2_000;

/** A process that goes on, for a person to look at. */
export interface Left {
  readonly pid: number;
  readonly start: string;
  readonly name: string;
}

/** What goes on in the terminal session of a life whose own process there has ended. */
export interface Survivors {
  /** Proved to be the life's: its incarnation stands in their environment, or they stand below one of those. */
  readonly ours: readonly ProcessIdentity[];
  /** In the session, with nothing that says whose they are: numbers are given away again. */
  readonly unproved: readonly ProcessIdentity[];
}

/** A wrapper that was killed takes nobody along: what it ran may go on without it. */
export function survivorsOf(incarnation: string, wrapper: ProcessIdentity): Survivors {
  const leader = processStat(wrapper.pid);
  // The number is another's by now, and the session with it.
  if (leader && leader.start !== wrapper.start) return { ours: [], unproved: [] };
  const members = sessionMembers(wrapper.pid);
  const marked = new Set(
    members.filter(({ pid }) => startedWith(pid, INCARNATION_VARIABLE) === incarnation).map(({ pid }) => pid),
  );
  const isOurs = ({ pid }: ProcessIdentity): boolean => ancestry(pid).some((above) => marked.has(above.pid));
  return { ours: members.filter(isOurs), unproved: members.filter((member) => !isOurs(member)) };
}

/** Ends exactly these processes: they are asked, and killed when they do not listen. Resolves with those that still live. */
export async function endProcesses(processes: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const one of processes) send(one, signal);
    const deadline = performance.now() + GRACE;
    while (processes.some(lives) && performance.now() < deadline) await pause(5);
  }
  return processes.filter(lives);
}

const lives = (one: ProcessIdentity): boolean => probeProcess(one) !== 'dead';

function send(one: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    signalProcess(one, signal);
  } catch (error) {
    // It has become another user's: it stays, and is told to whoever asked.
    if (errorCode(error) !== 'EPERM') throw error;
  }
}

/** Ends what goes on of a life and is proved to be its own. Resolves with what is left in its terminal session. */
export async function endSurvivors(incarnation: string, wrapper: ProcessIdentity): Promise<readonly Left[]> {
  const { ours, unproved } = survivorsOf(incarnation, wrapper);
  return named([...(await endProcesses(ours)), ...unproved]);
}

/**
 * What a life that has ended started and that went away from its terminal: servers in the background, commands of a CLI that
 * was killed. Nobody ends it, because that may be how it was meant; somebody is to know of it.
 */
export async function goingOn(incarnation: string): Promise<readonly Left[]> {
  const found = processesStartedWith(INCARNATION_VARIABLE, incarnation);
  const deadline = performance.now() + COMMANDS_END;
  while (found.some(lives) && performance.now() < deadline) await pause(10);
  return named(found);
}

/** In words, when something does. */
export function goingOnText(agent: string, processes: readonly Left[]): string {
  const each = processes.map(({ pid, name }) => `${pid} (${name})`).join(', ');
  return `${agent} started what goes on without it: process ${each}.`;
}

/** What a person is told of lives that nobody can prove to have ended, and what helps: a look at what goes on. */
export function unended(
  lives: readonly { readonly agent_id: string; readonly left: readonly Left[] }[],
  again: string,
): { readonly message: string; readonly next: readonly string[] } {
  const left = lives.flatMap((life) => life.left.map((one) => ({ ...one, agent: life.agent_id })));
  const agents = lives.map(({ agent_id }) => agent_id).join(', ');
  const goesOn = left.map(
    ({ pid, name, agent }) =>
      ` Process ${pid} (${name}) goes on in the terminal of ${agent}, and is not proved to be its own or could not be ended.`,
  );
  const look = left.length === 0 ? [] : [`ps -o pid,user,lstart,args -p ${left.map(({ pid }) => pid).join(',')}`];
  return {
    message: `Could not prove that ${agents} ended.${goesOn.join('')}`,
    next: [...look, again, 'team-agent status'],
  };
}

/** Those that still live, with the name of their program. */
export function named(processes: readonly ProcessIdentity[]): readonly Left[] {
  return processes.flatMap((one) => {
    const stat = processStat(one.pid);
    return stat?.start === one.start ? [{ ...one, name: stat.name }] : [];
  });
}
