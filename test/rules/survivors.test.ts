import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  identifyProcess,
  type ProcessIdentity,
  probeProcess,
  sessionMembers,
  signalProcess,
} from '../../src/kernel/index.ts';
import { endSurvivors, survivorsOf, unended } from '../../src/lifecycle/survivors.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const started: ProcessIdentity[] = [];
afterEach(() => {
  for (const one of started.splice(0)) signalProcess(one, 'SIGKILL');
});

const LOOP = 'trap "" HUP TERM; echo $$ > "$0"; while :; do sleep 1; done';

/** The first process of a session of its own that has started processes and is dead; they ignore what can be ignored. */
async function session(incarnation: string, members: Readonly<Record<string, string>>) {
  const folder = freshFolder('session');
  const lines = Object.entries(members).map(([name, command]) => `${command} '${path.join(folder, name)}' &`);
  const leader = spawn('sh', ['-c', `${lines.join('\n')}\nwait`], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, LOOP, TEAM_AGENT_INCARNATION: incarnation },
  });
  const wrapper = identifyProcess(leader.pid ?? 0);
  if (!wrapper) throw new Error('it did not start');
  const pid = (name: string): number => Number(fs.readFileSync(path.join(folder, name), 'utf8'));
  await eventually('all to run', () =>
    Object.keys(members).every((name) => fs.existsSync(path.join(folder, name)) && pid(name) > 0),
  );
  const identities = Object.fromEntries(Object.keys(members).map((name) => [name, identifyProcess(pid(name))]));
  started.push(...sessionMembers(wrapper.pid));
  signalProcess(wrapper, 'SIGKILL');
  await eventually('it to end', () => probeProcess(wrapper) === 'dead');
  return { wrapper, of: (name: string) => identities[name] as ProcessIdentity };
}

const MARKED = `sh -c "$LOOP"`;
const UNMARKED = `env -i PATH="$PATH" sh -c "$LOOP"`;
/** Marked, and starts one that is not. */
const PARENT = `sh -c 'env -i PATH="$PATH" sh -c "$LOOP" "$0" & trap "" HUP TERM; while :; do sleep 1; done'`;

describe('what goes on of a life whose wrapper was killed', () => {
  test('G15 Z69 it is known by the mark in its environment, and what it started by its parent', async () => {
    const { wrapper, of } = await session('i_mine', { marked: MARKED, unmarked: UNMARKED, child: PARENT });
    const { ours, unproved } = survivorsOf('i_mine', wrapper);
    expect(ours).toEqual(expect.arrayContaining([of('marked'), of('child')]));
    expect(unproved).toContainEqual(of('unmarked'));
    expect(ours).not.toContainEqual(of('unmarked'));
    const others = survivorsOf('i_another', wrapper);
    expect(others.ours).toEqual([]);
  });

  test('G15 a session whose number belongs to somebody else by now has nothing of it', async () => {
    const { wrapper } = await session('i_mine', { marked: MARKED });
    const self = identifyProcess(process.pid);
    expect(survivorsOf('i_mine', { pid: process.pid, start: `${self?.start}0` })).toEqual({ ours: [], unproved: [] });
    expect(survivorsOf('i_mine', wrapper).ours).not.toEqual([]);
  });

  test('G15 Z69 what is proved is ended, even when it does not listen; what is not is named and never signalled', async () => {
    const { wrapper, of } = await session('i_mine', { marked: MARKED, unmarked: UNMARKED });
    const left = await endSurvivors('i_mine', wrapper);
    expect(probeProcess(of('marked'))).toBe('dead');
    expect(probeProcess(of('unmarked'))).toBe('alive');
    expect(left).toContainEqual({ ...of('unmarked'), name: 'sh' });
    const { message, next } = unended([{ agent_id: 'ann', left }], 'team-agent shutdown');
    expect(message).toContain(`Could not prove that ann ended. Process ${left[0]?.pid} (`);
    expect(next).toEqual([
      `ps -o pid,user,lstart,args -p ${left.map(({ pid }) => pid).join(',')}`,
      'team-agent shutdown',
      'team-agent status',
    ]);
  });
});
