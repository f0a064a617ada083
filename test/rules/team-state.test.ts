import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exporter } from '../../src/coordinator/export/exporter.ts';
import { renderTeamState, type Task, type TeamState } from '../../src/coordinator/export/team-state.ts';
import { type Clock, type Refusal, refuse, systemClock, type TaskId } from '../../src/kernel/index.ts';
import {
  assignTask,
  beginTask,
  foremostTasks,
  putTeam,
  setTeamIntent,
  updateTask,
  upsertAgent,
} from '../../src/ledger/index.ts';
import { freshFolder } from '../support/files.ts';
import { agentRow, house, ONE, TWO, WORKER } from './house.ts';

function task(facts: Partial<Task>): Task {
  return {
    ...{ task_id: 't', title: 'a task', status: 'running', assignee: 'ann', retry_count: 0, retry_limit: 0 },
    ...{ deps: [], result: null },
    ...facts,
  };
}

const STATE: TeamState = {
  team: {
    ...{ team: 'crew', name: 'The crew', documents: '/p/.team/crew', session_name: 'team-crew', intent: 'running' },
    objective: 'Build it.\n\nThen *ship* it.',
  },
  leader: { provider: 'claude', epoch: 3 },
  agents: [
    { agent_id: 'ann', role: 'developer', provider: 'claude', intent: 'running' },
    { agent_id: 'bob', role: 'reviewer', provider: 'codex', intent: 'stopped' },
  ],
  tasks: [
    task({ task_id: 'code', title: 'write it', deps: ['plan'], retry_limit: 2, retry_count: 1 }),
    task({ task_id: 'review', status: 'ready', assignee: null, deps: ['plan', 'code'] }),
    task({ task_id: 'docs', title: 'describe it', status: 'blocked', assignee: 'bob', result: 'no access\n# to it' }),
    task({ task_id: 'plan', title: 'make a plan', status: 'done', result: 'planned' }),
  ],
  tasksInAll: 4,
  results: [
    { result_id: 'r_1', agent_id: 'ann', task_id: 'plan', status: 'success', summary: 'planned' },
    { result_id: 'r_2', agent_id: 'bob', task_id: null, status: 'blocked', summary: '`rm -rf` <b>no</b> [x](y)' },
  ],
  questions: [{ text: 'bob, m_1: which key?', command: 'team-agent send bob "text" --reply-to m_1' }],
};

const GOLDEN = `# Team The crew

## Objective

Build it. Then *ship* it.

## Team

- name: The crew (crew), running
- session: team-crew
- leader: claude, epoch 3

## Agents

- ann: developer on claude (running)
- bob: reviewer on codex (stopped)

## Task Graph

- code: running, with ann, after plan, retries 1 of 2. write it
- review: ready, nobody has it, after plan, code. a task
- docs: blocked, with bob. describe it: no access # to it
- plan: done, with ann. make a plan: planned

## Latest Results

- r_2: blocked of bob: \\\`rm -rf\\\` \\<b>no\\</b> \\[x](y)
- r_1: success of ann for plan: planned

## Blockers

- docs (blocked): no access # to it

## Questions

- bob, m_1: which key?: \`team-agent send bob "text" --reply-to m_1\`

## Next Step

Answer what waits: \`team-agent send bob "text" --reply-to m_1\`.
`;

describe('F12 team_state.md', () => {
  it('F12 says who is there, what is done, what stands still and what to do next', () => {
    expect(renderTeamState(STATE)).toBe(GOLDEN);
  });

  it.each([
    [{ questions: [] }, 'Decide how these go on: docs.'],
    [{ questions: [], tasks: STATE.tasks.slice(0, 2) }, 'Give out what is ready: review.'],
    [{ questions: [], tasks: STATE.tasks.slice(0, 1) }, 'Wait for code: `team-agent wait --idle`.'],
    [{ questions: [], tasks: [] }, 'Give the team work: `team-agent send ann "text"`.'],
    [
      { team: { ...STATE.team, intent: 'stopped' as const } },
      'Start the team again: `team-agent quick-start /p/.team/crew`.',
    ],
  ])('F12 the next step: case %#', (facts, step) => {
    expect(renderTeamState({ ...STATE, ...facts })).toContain(`## Next Step\n\n${step}\n`);
  });

  it('F12 with nobody and nothing every heading is there all the same', () => {
    const empty = { ...STATE, leader: null, agents: [], tasks: [], tasksInAll: 0, results: [], questions: [] };
    const text = renderTeamState({ ...empty, team: { ...STATE.team, objective: ' ' } });
    expect(text.match(/^## .*$/gm)).toEqual(GOLDEN.match(/^## .*$/gm));
    expect(text).toContain('- leader: nobody; its mail waits in the mailbox');
    expect(text).toContain('## Objective\n\nNone was written.\n');
  });

  it('F12 of very many tasks those that go on are listed first, then those that ended last, and the others counted', async () => {
    const { ledger } = await house();
    for (const index of Array.from({ length: 9 }, (_, at) => at)) {
      await ledger.change(ONE, 'person', async (change) => {
        const id = `t${index}` as TaskId;
        await assignTask(change, id, 'a task', WORKER);
        await beginTask(change, id);
        if (index % 3 > 0)
          await change.tx
            .updateTable('tasks')
            .set({ status: 'done', updated_at: index })
            .where('task_id', '=', id)
            .execute();
      });
    }
    const { tasks, total } = await foremostTasks(ledger.db, ONE, 6);
    expect(tasks.map(({ task_id }) => task_id)).toEqual(['t0', 't3', 't6', 't8', 't7', 't5']);
    expect(total).toBe(9);
    expect(renderTeamState({ ...STATE, tasksInAll: 9 })).toContain(
      '- plan: done, with ann. make a plan: planned\n- and 5 more\n',
    );
  });

  const hostile = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.constantFrom(
      '# x',
      '- x',
      '1. x',
      '10) x',
      '> x',
      '```',
      '~~~',
      '---',
      '===',
      '<!-- x',
      '<script>',
      '[a]: b',
      '    x',
    ),
    fc.constantFrom(
      'x\n## Blockers\n\n- no',
      '\r\n# x',
      '\u2028# x',
      '\u0085# x',
      '\u001b[31mred',
      '| a |\n|---|',
      '\\',
      '&lt;',
    ),
  );

  it('F12 no text of a document or an agent changes the shape of the page', () => {
    const shapeOf = (text: string) => text.split('\n').map((line) => /^(?:#+ |- |$)/.exec(line)?.[0] ?? 'text');
    fc.assert(
      fc.property(hostile, (evil) => {
        const state: TeamState = {
          team: { ...STATE.team, name: evil, objective: `.${evil}` },
          leader: { provider: evil, epoch: 1 },
          agents: STATE.agents.map((agent) => ({ ...agent, role: evil })),
          tasksInAll: STATE.tasksInAll,
          tasks: STATE.tasks.map((one) => ({ ...one, task_id: evil, title: evil, deps: [evil], result: evil })),
          results: STATE.results.map((result) => ({ ...result, task_id: evil, summary: evil })),
          questions: [{ text: evil, command: evil }],
        };
        const text = renderTeamState(state);
        expect(shapeOf(text)).toEqual(shapeOf(renderTeamState({ ...STATE, questions: [{ text: 'x', command: 'y' }] })));
        for (const line of text.split('\n').filter((one) => !one.startsWith('#'))) {
          expect(line.replace(/`[^`]*`\.?$/, '')).not.toMatch(/(?<!\\)(?:\\\\)*[`<[]/);
          expect(line).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
        }
        const objective = renderTeamState({ ...state, team: { ...STATE.team, objective: evil } }).split('\n')[4] ?? '';
        expect(objective).not.toMatch(/^(?:[-+*>#=~|<`[]|\d+[.)]|\s)/);
      }),
      { numRuns: 500 },
    );
  });
});

/** Time that a test moves. */
class Hand implements Clock {
  #now = 1_000;
  readonly #due: { at: number; task: () => void }[] = [];
  now = (): number => this.#now;
  turn = systemClock.turn;
  after(delay: number, task: () => void): () => void {
    const entry = { at: this.#now + delay, task };
    this.#due.push(entry);
    return () => {
      const index = this.#due.indexOf(entry);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }
  waiting = (): number => this.#due.length;
  pass(ms: number): void {
    this.#now += ms;
    for (const { task } of this.#due.filter(({ at }) => at <= this.#now)) task();
    this.#due.splice(0, this.#due.length, ...this.#due.filter(({ at }) => at > this.#now));
  }
}

/** An exporter above a ledger in memory whose team ONE has its documents in a folder of its own. */
async function exporting() {
  const { ledger } = await house();
  const documents = path.join(freshFolder('export'), 'crew');
  fs.mkdirSync(documents);
  const about = { name: 'crew', session_name: 's', objective: 'o', notify: 'each', approvals: 'person' } as const;
  await ledger.change(ONE, 'person', (change) => putTeam(change, { ...about, documents, intent: 'running' }));
  await ledger.change(ONE, 'person', (change) => upsertAgent(change, agentRow(ONE, WORKER)));
  const clock = new Hand();
  const warned: unknown[] = [];
  const workspace = { there: true };
  const spec: { now: string | Refusal | undefined } = { now: undefined };
  const exporter = new Exporter({
    ...{ ledger, clock, log: { warn: (facts: unknown) => void warned.push(facts) } },
    workspaceIsThere: () => workspace.there,
    specOf: (team, folder) => spec.now ?? `${team.name} in ${path.basename(folder)}`,
  });
  const file = path.join(documents, 'export', 'team_state.md');
  const work = (id: string) =>
    ledger.change(ONE, 'person', async (change) => {
      await assignTask(change, id as TaskId, `do ${id}`, WORKER);
      await beginTask(change, id as TaskId);
      await change.event('task.started', { task_id: id });
    });
  /** Lets a burst end, and what it asked for be written. */
  const burst = async () => {
    clock.pass(100);
    await exporter.flush();
  };
  return { ledger, clock, warned, workspace, spec, exporter, documents, file, work, burst };
}

describe('F12 the summary follows the ledger', () => {
  it('F12 a burst of changes is one write, and what says nothing new is none', async () => {
    const { ledger, clock, file, work, burst } = await exporting();
    for (let index = 0; index < 20; index++) await work(`t${index}`);
    expect(fs.existsSync(file)).toBe(false);
    expect(clock.waiting()).toBe(1);
    await burst();
    expect(fs.readFileSync(file, 'utf8')).toContain('- t19: running, with w. do t19');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const { ino } = fs.statSync(file);
    await ledger.change(ONE, 'person', (change) => change.event('delivery.queued', { to: 'w' }));
    await burst();
    expect(fs.statSync(file).ino).toBe(ino);
    expect(clock.waiting()).toBe(0);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['team_state.md']);
  });

  it('F12 what is asked for at the end is written at once; a start brings it up to the ledger', async () => {
    const { ledger, exporter, clock, file } = await exporting();
    await exporter.catchUp();
    await exporter.flush();
    expect(fs.readFileSync(file, 'utf8')).toContain('crew (one), running');
    expect(clock.waiting()).toBe(0);
    await ledger.change(ONE, 'person', async (change) => {
      await setTeamIntent(change, 'stopped');
      await change.event('team.stopped');
    });
    await exporter.flush();
    expect(fs.readFileSync(file, 'utf8')).toContain('crew (one), stopped');
  });

  it('F12 a write that fails is told once, and the next change is written when it can be', async () => {
    const { documents, warned, file, work, burst } = await exporting();
    fs.writeFileSync(path.join(documents, 'export'), 'in the way');
    await work('a');
    await burst();
    await work('b');
    await burst();
    expect(warned).toEqual([expect.objectContaining({ team: ONE })]);
    fs.rmSync(path.join(documents, 'export'));
    await work('c');
    await burst();
    expect(fs.readFileSync(file, 'utf8')).toContain('- c: running');
    expect(warned).toHaveLength(1);
  });

  it('F12 documents and workspaces that are gone are not made again', async () => {
    const { documents, workspace, warned, file, work, burst } = await exporting();
    workspace.there = false;
    await work('a');
    await burst();
    expect(fs.existsSync(file)).toBe(false);
    workspace.there = true;
    fs.rmdirSync(documents);
    await work('b');
    await burst();
    expect(fs.existsSync(documents)).toBe(false);
    expect(warned).toEqual([]);
  });

  it('F12 one team writes nothing for another', async () => {
    const { ledger, file, burst } = await exporting();
    await ledger.change(TWO, 'person', async (change) => {
      await updateTask(change, 'x' as TaskId, { status: 'done' });
      await change.event('task.collected');
    });
    await burst();
    expect(fs.existsSync(file)).toBe(false);
  });

  it('B01 the spec follows the team, not its work; documents that are wrong leave the one that was there', async () => {
    const { ledger, warned, spec, file, work, burst } = await exporting();
    const specFile = path.join(path.dirname(file), 'team.spec.yaml');
    const happens = async (type: string) => {
      await ledger.change(ONE, 'person', (change) => change.event(type));
      await burst();
    };
    await work('a');
    await burst();
    expect(fs.existsSync(specFile)).toBe(false);
    await happens('team.launched');
    expect(fs.readFileSync(specFile, 'utf8')).toBe('crew in export');
    const { ino } = fs.statSync(specFile);
    await happens('agent.started');
    expect(fs.statSync(specFile).ino).toBe(ino);
    spec.now = refuse('team_document_invalid', 'the documents are wrong');
    await happens('agent.starting');
    await happens('agent.starting');
    expect(fs.readFileSync(specFile, 'utf8')).toBe('crew in export');
    expect(warned).toHaveLength(1);
    spec.now = 'another';
    await happens('team.restarted');
    expect(fs.readFileSync(specFile, 'utf8')).toBe('another');
  });
});
