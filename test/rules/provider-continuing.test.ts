import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { RecordFollower } from '../../src/providers/claude/sources/record-follower.ts';
import { RolloutFollower } from '../../src/providers/codex/record.ts';
import { resumable as codexResumable } from '../../src/providers/codex/resumable.ts';
import { saidByDeveloper, saidInstead, wasToldLast } from '../../src/providers/codex/server/told.ts';
import { hasLine, isContinued, ownCalls } from '../../src/providers/continuing.ts';
import type { Continuation, LaunchRequest } from '../../src/providers/index.ts';
import { freshFolder } from '../support/files.ts';
import { Launcher, scriptedProvider } from './scripted-harness.ts';

const launcher = new Launcher();
afterEach(() => launcher.endAll());

const nothing = (): void => undefined;
const id = (name: string) => name as LaunchRequest['session'];

function written(lines: readonly object[], name = 'record.jsonl'): string {
  const file = path.join(freshFolder('record'), name);
  fs.writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

describe('what a record says of a continuation', () => {
  test('a line is found wherever it stands, also across the pieces that are read', () => {
    const long = Array.from({ length: 300 }, (_, at) => ({ at, text: 'ä'.repeat(4_000) }));
    const file = written([...long, { last: 'wörd' }]);
    expect(hasLine(file, (line) => line.includes('"last":"wörd"'))).toBe(true);
    let count = 0;
    expect(
      hasLine(file, (line) => {
        if (line !== '' && JSON.parse(line)) count++;
        return false;
      }),
    ).toBe(false);
    expect(count).toBe(301);
    expect(hasLine(`${file}.gone`, () => true)).toBeUndefined();
    expect(hasLine(path.dirname(file), () => true)).toBe('unreadable');
  });

  test('a resume has the same session and record, a fork neither', () => {
    const continues = { session: id('a'), record: '/a' };
    const told = [
      { session: 'a', record: '/a' },
      { session: 'a', record: '/b' },
      { session: 'b', record: '/b' },
    ];
    expect(told.map((one) => isContinued({ how: 'resume', ...continues }, one))).toEqual([true, false, false]);
    expect(told.map((one) => isContinued({ how: 'fork', ...continues }, one))).toEqual([false, false, true]);
  });

  test('calls from before its beginning are not its own', () => {
    const call = (at: number) => ({ call: String(at), tool: 'report_result' as const, arguments: {}, at });
    expect(ownCalls({ details: { began: '5' } }, [call(4), call(5)])).toEqual([call(5)]);
    expect(ownCalls({ details: {} }, [call(4)])).toEqual([call(4)]);
  });
});

describe('a turn that an earlier life left open', () => {
  const began = Date.parse('2026-01-02T00:00:00Z');

  test('says nothing in a transcript; its receipts stay', () => {
    const mark = '00000000-0000-4000-8000-000000000001';
    const failure = { type: 'assistant', isApiErrorMessage: true, apiErrorStatus: 500, message: { content: 'x' } };
    const file = written([
      { type: 'permission-mode', permissionMode: 'bypassPermissions' },
      { type: 'user', uuid: 'u', timestamp: '2026-01-01T00:00:00Z', message: { content: `[team message ${mark} x]` } },
      { ...failure, timestamp: '2026-01-01T00:00:01Z' },
    ]);
    const before = new RecordFollower(file, nothing, nothing);
    before.catchUp();
    expect(before.state).toMatchObject({ mode: 'bypassPermissions', failure: { at: expect.any(Number) } });
    const after = new RecordFollower(file, nothing, nothing, began);
    after.catchUp();
    expect(after.state).toMatchObject({ mode: undefined, failure: undefined, opened: 0 });
    expect(after.receipt([], mark, 0)).toBeDefined();
    const input = { type: 'user', uuid: 'v', timestamp: '2026-01-02T00:00:01Z', message: { content: 'y' } };
    fs.appendFileSync(file, `${JSON.stringify(input)}\n{"type":"permission-mode","permissionMode":"plan"}\n`);
    after.catchUp();
    expect(after.state).toMatchObject({ mode: 'plan', opened: began + 1_000 });
  });

  test('says nothing in a rollout', () => {
    const started = { type: 'task_started', turn_id: 't', started_at: 1 };
    const file = written([{ timestamp: '2026-01-01T00:00:00Z', type: 'event_msg', payload: started }]);
    const [before, after] = [new RolloutFollower(file, nothing), new RolloutFollower(file, nothing, began)];
    before.catchUp();
    after.catchUp();
    expect(before.state.turn).toBe('working');
    expect(after.state.turn).toBe('unknown');
  });
});

describe('what a Codex was told last', () => {
  const line = ({ items }: ReturnType<typeof saidInstead>) =>
    (Array.isArray(items) ? items : []).map((payload: unknown) => ({ type: 'response_item', payload }));

  test('is its first instructions until something else was said in their place', () => {
    const first = line(saidByDeveloper('t', 'role "A"\nü'));
    const other = line(saidByDeveloper('t', '<permissions>'));
    const [a, b] = [line(saidInstead('t', 'role "A"\nü')), line(saidInstead('t', 'role B'))];
    const told = (lines: readonly object[]) =>
      ['role "A"\nü', 'role B'].map((text) => wasToldLast(written(lines), text));
    expect(told([])).toEqual([false, false]);
    expect(told([...first, ...other])).toEqual([true, false]);
    expect(told([...first, ...b, ...other])).toEqual([false, true]);
    expect(told([...first, ...b, ...a])).toEqual([true, false]);
  });
});

describe('G04 what can be gone on with', () => {
  async function continuation(more: Partial<Continuation> = {}): Promise<Continuation> {
    const request = launcher.request();
    const installation = await scriptedProvider().inspect(request);
    if (isRefusal(installation)) throw new Error(installation.message);
    return { how: 'resume', session: id('s'), record: '/gone', details: {}, folder: '/w', installation, ...more };
  }

  test('is told by the record alone: yes, no with its reason, or unknown', async () => {
    const { resumable } = scriptedProvider();
    const lived = { type: 'session', session: 's', incarnation: 'i', pid: 1, start: '1', at: 1 };
    expect(resumable(await continuation({ record: written([lived]) }))).toBe('yes');
    expect(resumable(await continuation({ record: written([]) }))).toHaveProperty(
      'no',
      expect.stringContaining('no input'),
    );
    expect(resumable(await continuation())).toHaveProperty('no', expect.stringContaining('not there'));
    expect(resumable(await continuation({ record: freshFolder('r') }))).toBe('unknown');
    const { installation } = await continuation();
    const unable = { ...installation, capabilities: { ...installation.capabilities, fork: false } };
    expect(resumable(await continuation({ how: 'fork', installation: unable }))).toHaveProperty('no');
  });

  test('a fork of Codex needs what it was forked from', async () => {
    const home = freshFolder('codex');
    const sessions = path.join(home, 'sessions', '2026');
    fs.mkdirSync(sessions, { recursive: true });
    const rollout = (name: string, payload: object): string => {
      const file = path.join(sessions, `rollout-x-${name}.jsonl`);
      fs.writeFileSync(file, `${JSON.stringify({ type: 'session_meta', payload })}\n`);
      return file;
    };
    const base = await continuation();
    const installation = { ...base.installation, details: { home } };
    const record = rollout('c', { id: 'c', forked_from_id: 'b' });
    const answer = () => codexResumable({ ...base, record, installation });
    expect(answer()).toEqual({ no: expect.stringContaining('a fork of b') });
    rollout('b', { id: 'b', forked_from_id: 'a' });
    expect(answer()).toEqual({ no: expect.stringContaining('a fork of a') });
    rollout('a', { id: 'a' });
    expect(answer()).toBe('yes');
    expect(codexResumable({ ...base, record, installation, details: { home: '/old' } })).toHaveProperty('no');
  });

  test('B08 N05 a thread of Codex stays with the model provider that it began with', async () => {
    const home = freshFolder('codex');
    const record = path.join(home, 'rollout-x-a.jsonl');
    fs.writeFileSync(
      record,
      `${JSON.stringify({ type: 'session_meta', payload: { id: 'a', forked_from_id: 'a' } })}\n`,
    );
    fs.mkdirSync(path.join(home, 'sessions'));
    const base = await continuation();
    const between = (before?: string, now?: string) => {
      const of = (modelProvider?: string) => ({ home, ...(modelProvider ? { modelProvider } : {}) });
      return codexResumable({
        ...{ ...base, record, details: of(before), installation: { ...base.installation, details: of(now) } },
      });
    };
    const other = { no: expect.stringContaining('model provider') };
    expect([between('kimi', 'other'), between(undefined, 'kimi'), between('kimi')]).toEqual([other, other, other]);
    expect([between('kimi', 'kimi'), between()]).not.toContainEqual(other);
  });
});

describe('a scripted agent', () => {
  test('N05 Z63 that is resumed says so in its record; one that did not go on is refused', async () => {
    const first = await launcher.ready();
    first.kill();
    const { session, record } = first.handle;
    const { workspace } = first.request;
    const next = await launcher.ready(undefined, { workspace, session, continues: { how: 'resume', session, record } });
    const lines = fs
      .readFileSync(next.handle.record, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"session"'));
    expect(lines.map((line) => JSON.parse(line).resumed)).toEqual([undefined, true]);
    const other = { ...next.request, continues: { how: 'fork' as const, session, record } };
    const { signal } = new AbortController();
    const { terminals, pane } = next;
    const installation = await scriptedProvider().inspect(other);
    const plan = isRefusal(installation) ? installation : scriptedProvider().plan(other, installation);
    if (isRefusal(installation) || isRefusal(plan)) throw new Error('it can be planned');
    const told = await scriptedProvider().introduce({
      request: other,
      installation,
      plan,
      pane: pane.handle,
      terminals,
      signal,
    });
    expect(told).toMatchObject({ reason: 'resume_failed', evidence: { how: 'fork' } });
  });

  test('knows what it has taken, and nothing else', async () => {
    const agent = await launcher.ready();
    const unknown = '00000000-0000-4000-8000-000000000009' as Parameters<typeof agent.attachment.knows>[0];
    expect(agent.attachment.knows(unknown)).toBe(false);
  });
});
