import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { probeProcess } from '../../src/kernel/index.ts';
import type { AgentHandle } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/files.ts';
import { CrashScene, deliveryIs } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

const AGENTS = [{ id: 'one' }, { id: 'two', script: 'channel: paste\n' }];

async function scene() {
  const made = new CrashScene('ends');
  scenes.push(made);
  const docs = made.writeTeam('alpha', AGENTS);
  expect((await made.run(['quick-start', docs])).code).toBe(0);
  const lives = made
    .rows('select handle from incarnations')
    .map((row) => JSON.parse(String(row.handle)) as AgentHandle);
  const coordinator = made.coordinator();
  if (!coordinator) throw new Error('no coordinator lives');
  return { made, docs, coordinator, agents: lives.map((life) => life.process) };
}

describe('I10 the workspace of a running team vanishes', () => {
  test('I10 removed: everything ends and nothing is created again', async () => {
    const { made, coordinator, agents } = await scene();
    const { sockets, workspace } = made.paths;
    const began = performance.now();
    fs.rmSync(workspace, { recursive: true, force: true, maxRetries: 5 });
    await eventually('the coordinator to end', () => probeProcess(coordinator) === 'dead');
    console.log(`workspace removed: ended after ${Math.round(performance.now() - began)} ms`);
    await eventually('the agents to end', () => agents.every((agent) => probeProcess(agent) === 'dead'));
    await eventually('every process to end', () => made.processes().length === 0);
    expect(fs.existsSync(workspace)).toBe(false);
    expect(fs.existsSync(sockets)).toBe(false);
  });

  test('I10 moved: the coordinator ends, the agents live, and moved back all goes on', async () => {
    const { made, coordinator, agents } = await scene();
    const elsewhere = `${made.workspace}-moved`;
    fs.renameSync(made.workspace, elsewhere);
    await eventually('the coordinator to end', () => probeProcess(coordinator) === 'dead');
    expect(fs.existsSync(made.workspace)).toBe(false);
    expect(agents.map(probeProcess)).toEqual(['alive', 'alive']);
    fs.renameSync(elsewhere, made.workspace);
    for (const id of ['one', 'two']) {
      expect(await made.json(['send', id, `back, ${id}`])).toMatchObject({ ok: true, code: 0 });
      await deliveryIs(made, `back, ${id}`, 'answered');
    }
    expect(agents.map(probeProcess)).toEqual(['alive', 'alive']);
    expect(made.rows('select * from incarnations')).toHaveLength(2);
  });
});

/** All that a shutdown could leave behind in the folders of this user. */
function traces(made: CrashScene): object {
  const { TMPDIR = '', XDG_RUNTIME_DIR = '', HOME = '' } = process.env;
  const below = (folder: string): string[] =>
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
      return !path.join(folder, name).startsWith(made.workspace);
    });
  return {
    processes: made.processes(),
    files: [TMPDIR, XDG_RUNTIME_DIR, HOME].map((folder) =>
      below(folder)
        .filter((name) => name !== 'team-agent')
        .sort(),
    ),
    sandbox: fs.readdirSync(sandbox()).sort(),
  };
}

describe('G15 G14 shutdown', () => {
  test('G15 G14 leaves no process, socket, server or file behind, twice, and is idempotent', async () => {
    const made = new CrashScene('ends');
    scenes.push(made);
    const docs = made.writeTeam('alpha', AGENTS);
    const before = traces(made);
    for (const round of [1, 2]) {
      expect((await made.run(['quick-start', docs, '--fresh'])).code).toBe(0);
      expect(await made.json(['send', 'two', `round ${round}`, '--wait=result'])).toMatchObject({ ok: true });
      expect(made.processes().length).toBeGreaterThan(3);
      const began = performance.now();
      expect(await made.json(['shutdown'])).toMatchObject({ ok: true, already: false, code: 0 });
      await eventually('every process to end', () => made.processes().length === 0);
      console.log(`shutdown ${round}: nothing left after ${Math.round(performance.now() - began)} ms`);
      expect(traces(made)).toEqual(before);
      expect(await made.json(['shutdown'])).toMatchObject({ ok: true, already: true, code: 0 });
      await eventually('every process to end', () => made.processes().length === 0);
      expect(traces(made)).toEqual(before);
      // The logs, the last views and the ledger are kept.
      expect(fs.existsSync(made.paths.log)).toBe(true);
      expect(fs.readdirSync(path.join(made.paths.run, 'last-views', 'alpha')).sort()).toEqual(['one.txt', 'two.txt']);
      expect(fs.existsSync(made.paths.ledger)).toBe(true);
    }
  });
});
