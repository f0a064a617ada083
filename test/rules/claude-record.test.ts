import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { marksIn, parseRecordLine, saysUnreached } from '../../src/providers/claude/record.ts';
import { RecordFollower } from '../../src/providers/claude/sources/record-follower.ts';
import { CHANGING_TOOLS } from '../../src/providers/shape.ts';
import { freshFolder } from '../support/files.ts';

const MARK = 'a12d52d6-de0a-4cf5-aa6d-68a1c9e0a5fa';
const OTHER = 'b12d52d6-de0a-4cf5-aa6d-68a1c9e0a5fb';
const AT = '2026-11-22T15:05:12.102Z';
const at = Date.parse(AT);
const header = (mark: string): string => `[team message ${mark} from leader (leader)]`;
const line = (value: object): string => JSON.stringify({ isSidechain: false, timestamp: AT, ...value });
const user = (content: unknown, more: object = {}): string =>
  line({ type: 'user', message: { role: 'user', content }, ...more });
const calls = (id: string, name: string, input: unknown): string =>
  line({ message: { role: 'assistant', content: [{ type: 'tool_use', id, name, input }] }, type: 'assistant' });
const result = (id: string, text: string, failed: boolean): string =>
  user([{ type: 'tool_result', tool_use_id: id, content: text, is_error: failed }]);

describe('lines of a transcript', () => {
  test.each([
    [
      'a peer',
      user(`Another Claude session sent a message:\n${header(MARK)}\nx`, {
        uuid: 'u1',
        isMeta: true,
        origin: { kind: 'peer', from: 'leader' },
      }),
      { type: 'input', uuids: ['u1'], from: 'leader', opens: true, at, text: expect.stringContaining(MARK) },
    ],
    [
      'a person',
      user([{ type: 'text', text: 'hello' }], { uuid: 'u2', origin: { kind: 'human' } }),
      { type: 'input', uuids: ['u2'], from: undefined, opens: true, text: 'hello', at },
    ],
    [
      'taken within a turn',
      line({
        type: 'attachment',
        uuid: 'new',
        attachment: {
          type: 'queued_command',
          prompt: header(MARK),
          source_uuid: 'u3',
          origin: { kind: 'peer', from: 'x' },
        },
      }),
      { type: 'input', uuids: ['u3'], from: 'x', opens: false, text: header(MARK), at },
    ],
    [
      'queued',
      line({ type: 'queue-operation', operation: 'enqueue', content: header(MARK) }),
      { type: 'queued', text: header(MARK), at },
    ],
    [
      'interrupted',
      user([{ type: 'text', text: '[Request interrupted by user for tool use]' }]),
      { type: 'interrupted', at },
    ],
    [
      'retry',
      line({
        type: 'system',
        subtype: 'api_error',
        error: { status: 529, message: 'overloaded' },
        retryAttempt: 2,
        maxRetries: 10,
      }),
      { type: 'failure', what: '529: overloaded (attempt 2 of 10)', retrying: true, at },
    ],
    [
      'asked',
      line({ type: 'api-request', querySource: 'repl_main_thread', requestDigest: 'd1' }),
      { type: 'asked', request: 'd1', at },
    ],
    ['asked for a title', line({ type: 'api-request', querySource: 'title', requestDigest: 'd2' }), undefined],
    [
      'failed',
      line({
        type: 'assistant',
        isApiErrorMessage: true,
        apiErrorStatus: 401,
        error: 'authentication_failed',
        message: { content: [{ type: 'text', text: 'Please run /login' }] },
      }),
      { type: 'failure', what: '401: authentication_failed: Please run /login', retrying: false, at },
    ],
    [
      'cut',
      line({
        type: 'assistant',
        isApiErrorMessage: true,
        apiError: 'connection_failed',
        error: 'server_error',
        message: { content: [{ type: 'text', text: 'API Error: Connection dropped' }] },
      }),
      { type: 'failure', what: 'connection_failed: API Error: Connection dropped', retrying: false, at },
    ],
    ['ended', line({ type: 'system', subtype: 'turn_duration' }), { type: 'ended', at }],
    [
      'mode',
      JSON.stringify({ type: 'permission-mode', permissionMode: 'bypassPermissions' }),
      { type: 'mode', mode: 'bypassPermissions' },
    ],
  ])('%s', (_name, text, expected) => {
    expect(parseRecordLine(text)).toEqual(expected);
  });

  test.each([
    ['a sub-agent', JSON.stringify({ type: 'user', isSidechain: true, message: { content: header(MARK) } })],
    ['the summary of a compaction', user(header(MARK), { isCompactSummary: true })],
    ['what a shell printed', user(`<bash-stdout>\n${header(MARK)}</bash-stdout>`)],
    ['a command of its own', user('<command-name>/clear</command-name>')],
    ['torn', '{"type":"user","message":{"content":"'],
    ['another type', JSON.stringify({ type: 'api-request-blob', message: { role: 'user', content: header(MARK) } })],
  ])('%s is no input', (_name, text) => {
    expect(parseRecordLine(text)).toBeUndefined();
  });

  test('a mark counts at the beginning of a line alone', () => {
    expect(marksIn(`${header(MARK)}\nx\n\n${header(OTHER)}`)).toEqual([MARK, OTHER]);
    expect(marksIn(`<pasted_content id="1">\n${header(MARK)}`)).toEqual([MARK]);
    expect(marksIn(`see ${header(MARK)}`)).toEqual([]);
    expect(marksIn(`\\${header(MARK)}`)).toEqual([]);
  });

  test.each([
    ['ECONNREFUSED: Unable to connect. Is the computer able to access the url?', true],
    ['ECONNRESET: The socket connection was closed unexpectedly.', true],
    ['<tool_use_error>Error: No such tool available: mcp__team__report_result</tool_use_error>', true],
    ['MCP server "team" tool "report_result" timed out after 2s', true],
    ['task is ambiguous: t1, t2', false],
    ['leader says no', false],
  ])('%s', (text, unreached) => {
    expect(saysUnreached({ id: 'x', failed: true, text })).toBe(unreached);
    expect(saysUnreached({ id: 'x', failed: false, text })).toBe(false);
  });
});

describe('a transcript as it grows', () => {
  const follow = (...lines: string[]) => {
    const file = path.join(freshFolder('transcript'), 's.jsonl');
    fs.writeFileSync(file, lines.map((text) => `${text}\n`).join(''));
    const heard: string[] = [];
    const follower = new RecordFollower(
      file,
      () => undefined,
      (from) => heard.push(from),
    );
    follower.catchUp();
    return { file, follower, heard };
  };

  test('an input is found by its uuid or its mark, at or after a position', () => {
    const first = user('hello', { uuid: 'u0' });
    const { follower } = follow(first, user(`x:\n${header(MARK)}`, { uuid: 'u1' }));
    const offset = Buffer.byteLength(first) + 1;
    expect(follower.receipt(['u1'], OTHER, 0)?.offset).toBe(offset);
    expect(follower.receipt([], MARK, offset)?.offset).toBe(offset);
    expect(follower.receipt(['u1'], MARK, offset + 1)).toBeUndefined();
    expect(follower.receipt([OTHER], OTHER, 0)).toBeUndefined();
  });

  test('what waits in the queue is no receipt', () => {
    const { follower } = follow(line({ type: 'queue-operation', operation: 'enqueue', content: header(MARK) }));
    expect(follower.receipt([MARK], MARK, 0)).toBeUndefined();
    expect(follower.wasQueued(MARK, 0)).toBe(true);
    expect(follower.wasQueued(OTHER, 0)).toBe(false);
  });

  test('a team call that reached nobody is told with its own id and arguments, a refused one is not', () => {
    const asked = { summary: 'x'.repeat(100_000) };
    const { file, follower } = follow(
      calls('toolu_1', 'mcp__team__report_result', asked),
      result('toolu_1', 'ECONNREFUSED: Unable to connect', true),
      calls('toolu_2', 'mcp__team__report_result', { summary: 'y' }),
      result('toolu_2', 'task is ambiguous', true),
      calls('toolu_3', 'mcp__team__send_message', { to: 'leader' }),
      result('toolu_3', 'ok', false),
      calls('toolu_4', 'mcp__other__report_result', {}),
      result('toolu_4', 'ECONNREFUSED', true),
    );
    expect(follower.missedCalls(0)).toEqual([{ call: 'toolu_1', tool: 'report_result', arguments: asked, at }]);
    expect(follower.missedCalls(fs.statSync(file).size)).toEqual([]);
  });

  test.each(CHANGING_TOOLS)('M11 F14 a call of %s that reached nobody is told, one that only reads is not', (tool) => {
    const { follower } = follow(
      calls('toolu_1', `mcp__team__${tool}`, {}),
      result('toolu_1', 'ECONNREFUSED', true),
      calls('toolu_2', 'mcp__team__inbox', {}),
      result('toolu_2', 'ECONNREFUSED', true),
    );
    expect(follower.missedCalls(0)).toEqual([{ call: 'toolu_1', tool, arguments: {}, at }]);
  });

  test('M11 a call that its model makes again with success in the same turn was not missed', () => {
    const report = (id: string) => calls(id, 'mcp__team__report_result', { summary: 'x' });
    const fails = (id: string) => [report(id), result(id, 'ECONNREFUSED', true)];
    const again = [report('toolu_2'), result('toolu_2', 'ok', false)];
    expect(follow(...fails('toolu_1'), ...again).follower.missedCalls(0)).toEqual([]);
    const { follower } = follow(...fails('toolu_1'));
    expect(follower.openCalls).toMatchObject([{ call: 'toolu_1' }]);
    for (const over of [user('next'), line({ type: 'system', subtype: 'turn_duration' })]) {
      const ended = follow(...fails('toolu_1'), over, ...again).follower;
      expect(ended.missedCalls(0)).toMatchObject([{ call: 'toolu_1' }]);
      expect(ended.openCalls).toEqual([]);
    }
  });

  test('the line of an input that comes after those of its attempts takes nothing away from them', () => {
    const second = (seconds: number): string => `2026-11-22T15:05:${String(seconds).padStart(2, '0')}.000Z`;
    const asked = (when: number): string =>
      line({ type: 'api-request', querySource: 'repl_main_thread', requestDigest: 'd1', timestamp: second(when) });
    const input = user('hello', { uuid: 'u1', origin: { kind: 'human' }, timestamp: second(10) });
    const failures = [
      [asked(11), input, asked(12)],
      [asked(11), asked(12), input],
      [input, asked(11), asked(12)],
    ].map((lines) => {
      const file = path.join(freshFolder('t'), 't.jsonl');
      fs.writeFileSync(file, `${lines.join('\n')}\n`);
      const follower = new RecordFollower(
        file,
        () => undefined,
        () => undefined,
      );
      follower.catchUp();
      return follower.state.failure?.what;
    });
    expect(new Set(failures)).toEqual(new Set(['its model gave no whole answer; it tries again (attempt 2)']));
  });

  test('the state of the newest turn', () => {
    const { file, follower } = follow(user('one'), calls('toolu_1', 'Bash', { command: 'ls' }));
    expect(follower.state.open.map(({ id }) => id)).toEqual(['toolu_1']);
    const grow = (text: string): void => {
      fs.appendFileSync(file, `${text}\n`);
      follower.catchUp();
    };
    grow(result('toolu_1', 'ok', false));
    expect(follower.state.open).toEqual([]);
    grow(line({ type: 'system', subtype: 'api_error', error: { status: 500 } }));
    expect(follower.state.failure?.retrying).toBe(true);
    grow(line({ type: 'assistant', message: { content: [{ type: 'text', text: 'hi' }] } }));
    expect(follower.state.failure).toBeUndefined();
    const asked = line({ type: 'api-request', querySource: 'repl_main_thread', requestDigest: 'd1' });
    grow(asked);
    expect(follower.state.failure).toBeUndefined();
    grow(asked);
    expect(follower.state.failure).toMatchObject({ retrying: true, what: expect.stringContaining('attempt 2') });
    grow(user([{ type: 'text', text: '[Request interrupted by user]' }]));
    expect(follower.state.failure).toBeUndefined();
    expect(follower.state.interrupted).toBe(at);
    grow(user('two'));
    expect(follower.state).toMatchObject({ interrupted: undefined, opened: at });
  });
});
