import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { IncarnationId } from '../../src/kernel/index.ts';
import { answerTo, approvalOf, questionOf } from '../../src/providers/codex/approvals.ts';
import { capabilitiesOf } from '../../src/providers/codex/capabilities.ts';
import { readComposer } from '../../src/providers/codex/dialogs.ts';
import {
  advanceThread,
  faultOf,
  faultText,
  type ThreadState,
  turnOfThread,
  UNKNOWN_THREAD,
} from '../../src/providers/codex/facts.ts';
import { advanceRollout, EMPTY_ROLLOUT, parseRolloutLine, RolloutFollower } from '../../src/providers/codex/record.ts';
import { parseMessage } from '../../src/providers/codex/server/connection.ts';

import { serverFiles } from '../../src/providers/codex/server/files.ts';
import { freshFolder } from '../support/files.ts';

const fixtures = path.join(import.meta.dirname, '..', 'fixtures', 'codex');
const rollout = fs.readFileSync(path.join(fixtures, 'rollout.jsonl'), 'utf8');
const lines = rollout.split('\n').flatMap((line) => parseRolloutLine(line) ?? []);

describe('a rollout', () => {
  test('only what its user typed, its turns and its tool calls are read', () => {
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set(['input', 'turn_started', 'turn_ended', 'turn_interrupted', 'call']),
    );
    const history = JSON.stringify({
      type: 'response_item',
      payload: {
        type: 'message',
        role: 'user',
        id: 'm',
        content: [{ type: 'input_text', text: '[team message x from a (peer)]\n' }],
      },
    });
    expect(parseRolloutLine(history)).toEqual({ type: 'input', id: 'm', client: undefined, marks: ['x'] });
    expect(parseRolloutLine(history.replace('"role":"user"', '"role":"assistant"'))).toBeUndefined();
    const inputs = lines.flatMap((line) => (line.type === 'input' ? [line] : []));
    expect(inputs.at(-1)).toMatchObject({
      client: '7d9f1c1e-0000-4000-8000-000000000001',
      marks: ['7d9f1c1e-0000-4000-8000-000000000001', '7d9f1c1e-0000-4000-8000-000000000002'],
    });
  });

  test('the faults of turns carry status and kind', () => {
    const faults = lines.flatMap((line) => (line.type === 'turn_ended' && line.fault ? [line.fault] : []));
    const told = faults.map(({ status, kind }) => `${status ?? '-'} ${kind}`);
    expect(told).toEqual(
      expect.arrayContaining([
        '401 http_connection_failed',
        '429 response_too_many_failed_attempts',
        '500 internal_server_error',
      ]),
    );
  });

  test('calls of team tools that reached nobody are missed, all others are not', () => {
    const file = path.join(freshFolder('rollout'), 'rollout.jsonl');
    fs.writeFileSync(file, rollout);
    const follower = new RolloutFollower(file, () => undefined);
    follower.catchUp();
    expect(follower.missedCalls(0)).toEqual([
      { call: 'call_1', tool: 'report_result', arguments: { summary: 'done' }, at: Date.UTC(2026, 10, 22, 15, 9, 57) },
      { call: 'call_2', tool: 'send_message', arguments: { to: 'leader' }, at: Date.UTC(2026, 10, 22, 15, 9, 58) },
    ]);
  });

  test('M11 a call that its model makes again with success in the same turn was not missed', () => {
    const file = path.join(freshFolder('rollout'), 'rollout.jsonl');
    const event = (payload: object) => `${JSON.stringify({ type: 'event_msg', payload })}\n`;
    const made = (id: string, end: object) => {
      const item = {
        type: 'McpToolCall',
        id,
        server: 'team',
        tool: 'report_result',
        arguments: { summary: 'x' },
        ...end,
      };
      return event({ type: 'item_completed', item });
    };
    const fails = made('c1', { status: 'failed', error: { message: 'Transport closed' } });
    const again = made('c2', { status: 'completed' });
    const missedIn = (...lines: string[]) => {
      fs.writeFileSync(file, lines.join(''));
      const follower = new RolloutFollower(file, () => undefined);
      follower.catchUp();
      return [follower.missedCalls(0), follower.openCalls].map((calls) => calls.map(({ call }) => call));
    };
    expect(missedIn(fails)).toEqual([['c1'], ['c1']]);
    expect(missedIn(fails, again)).toEqual([[], []]);
    for (const type of ['task_complete', 'turn_aborted', 'task_started'])
      expect(missedIn(fails, event({ type, turn_id: 't' }), again)).toEqual([['c1'], []]);
  });

  test('a turn that was begun is open until a line ends it', () => {
    const last = lines.reduce(advanceRollout, EMPTY_ROLLOUT);
    expect(last).toMatchObject({ turn: 'working', open: 'turn-open' });
    expect(advanceRollout(last, { type: 'turn_interrupted', turn: 'turn-open', at: 1 })).toMatchObject({
      turn: 'interrupted',
      open: undefined,
    });
  });

  test('a receipt stands at the offset of its line, by client id or by mark, and only after the position', () => {
    const file = path.join(freshFolder('rollout'), 'rollout.jsonl');
    fs.writeFileSync(file, rollout);
    const follower = new RolloutFollower(file, () => undefined);
    follower.catchUp();
    for (const delivery of ['7d9f1c1e-0000-4000-8000-000000000001', '7d9f1c1e-0000-4000-8000-000000000002']) {
      const found = follower.receipt(delivery, 0);
      const line = Buffer.from(rollout).subarray(found?.offset).toString('utf8').split('\n', 1)[0];
      expect(line).toContain(delivery);
      expect(line).toMatch(/"UserMessage"|"role":"user"/);
      expect(follower.receipt(delivery, rollout.lastIndexOf(delivery))).toBeUndefined();
    }
    for (const other of ['3', '9']) {
      expect(follower.knows(`7d9f1c1e-0000-4000-8000-00000000000${other}`)).toBe(false);
    }
    follower.close();
  });
});

describe('a thread', () => {
  const word = (method: string, params: object) => ({ method, params: { threadId: 't', ...params } });
  const status = (type: string, ...activeFlags: string[]) =>
    word('thread/status/changed', { status: { type, activeFlags } });
  const play = (...words: ReturnType<typeof word>[]): ThreadState =>
    words.reduce((state, next, at) => advanceThread(state, next, at + 1), UNKNOWN_THREAD);
  const ended = (end: string, error?: object) =>
    word('turn/completed', { turn: { id: 'u', status: end, error: error ?? null } });
  const error = { message: 'x', codexErrorInfo: { responseTooManyFailedAttempts: { httpStatusCode: 429 } } };

  test.each([
    ['nothing', [], 'unknown'],
    ['idle', [status('idle')], 'idle'],
    ['a turn', [status('idle'), status('active'), word('turn/started', {})], 'working'],
    ['an approval', [status('active', 'waitingOnApproval')], 'waiting_approval'],
    ['a question', [status('active', 'waitingOnUserInput')], 'waiting_input'],
    ['a retry', [status('active'), word('error', { willRetry: true, error })], 'provider_error'],
    ['an interrupt', [status('active'), status('idle'), ended('interrupted')], 'interrupted'],
    ['a failure', [status('active'), status('systemError'), ended('failed', error)], 'provider_error'],
    [
      'an error without a retry',
      [status('active'), word('error', { willRetry: false, error }), status('systemError')],
      'provider_error',
    ],
    ['the turn after a failure', [ended('failed', error), word('turn/started', {}), status('active')], 'working'],
    [
      'a good end after that',
      [ended('failed', error), word('turn/started', {}), status('idle'), ended('completed')],
      'idle',
    ],
    ['an unloaded thread', [status('idle'), word('thread/closed', {})], 'unknown'],
  ] as const)('%s', (_name, words, value) => {
    expect(turnOfThread(play(...words)).value).toBe(value);
  });

  test('words that say nothing new change nothing', () => {
    const idle = play(status('idle'));
    expect(advanceThread(idle, status('idle'), 99)).toBe(idle);
    expect(advanceThread(idle, word('thread/tokenUsage/updated', {}), 99)).toBe(idle);
    expect(advanceThread(idle, status('of a later version'), 99)).toBe(idle);
  });

  test('each turn moves it', () => {
    expect(play(word('turn/started', {}), ended('completed')).moves).toBe(2);
  });
});

test.each([
  [
    {
      message: 'unexpected status 401 Unauthorized',
      codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } },
    },
    '401 http_connection_failed: unexpected status 401 Unauthorized',
  ],
  [{ message: 'busy', codex_error_info: 'internal_server_error' }, '500 internal_server_error: busy'],
  [
    {
      message: 'Reconnecting... 1/1',
      additionalDetails: 'exceeded retry limit, last status: 429 Too Many Requests',
      codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: null } },
    },
    '429 response_stream_disconnected: exceeded retry limit, last status: 429 Too Many Requests',
  ],
  [
    { message: 'stream disconnected before completion: error sending request', codexErrorInfo: 'other' },
    'cut: stream disconnected before completion: error sending request',
  ],
  [
    { message: 'rate limit exceeded', codexErrorInfo: 'rateLimitExceeded' },
    '429 rate_limit_exceeded: rate limit exceeded',
  ],
  [{ message: 'no more', codexErrorInfo: 'usageLimitExceeded' }, 'usage_limit_exceeded: no more'],
  ['nothing', 'other'],
])('a fault is told in one line: %j', (error, text) => {
  expect(faultText(faultOf(error))).toBe(text);
});

test.each([
  ['empty', 'empty'],
  ['working', 'empty'],
  ['tip', 'empty'],
  ['error', 'empty'],
  ['draft', 'draft'],
  ['command', 'draft'],
  ['approval', 'dialog'],
  ['tool-approval', 'dialog'],
  ['trust', 'dialog'],
])('the screen %s shows %s', (name, seen) => {
  const screen = fs.readFileSync(path.join(fixtures, 'screens', `${name}.txt`), 'utf8').split('\n');
  expect(readComposer(screen).seen).toBe(seen);
});

test('a screen without a composer shows nothing', () => {
  expect(readComposer(['', 'Reconnecting to server…', '']).seen).toBe('nothing');
  expect(readComposer([]).seen).toBe('nothing');
});

describe('an approval', () => {
  const life = 'i_0123456789abcdef' as IncarnationId;
  const ask = (method: string, params: object) => {
    const question = questionOf({ method, id: 7, params: { threadId: 't', turnId: 'u', itemId: 'c', ...params } }, 5);
    if (!question) throw new Error(`${method} is no question`);
    return question;
  };
  const command = ask('item/commandExecution/requestApproval', {
    command: 'rm -rf\n x',
    reason: 'tidy',
    startedAtMs: 3,
  });
  const once = { decision: 'approve', scope: 'once' } as const;
  const session = { decision: 'approve', scope: 'session' } as const;
  const deny = { decision: 'deny', message: 'no' } as const;

  test('has a stable id, a kind and one line', () => {
    const approval = approvalOf(command, life, true);
    expect(approval).toEqual({
      ...approvalOf(command, life, true),
      kind: 'command',
      text: 'run rm -rf x (tidy)',
      since: 3,
      answerable: true,
    });
    expect(approval.id).toMatch(/^ap_[0-9a-f]{12}$/);
    expect(approvalOf(command, 'i_other' as IncarnationId, true).id).not.toBe(approval.id);
    expect(approvalOf(command, life, false).answerable).toBe(false);
  });

  test.each([
    [command, once, { decision: 'accept' }],
    [command, session, { decision: 'acceptForSession' }],
    [command, deny, { decision: 'decline' }],
    [ask('item/fileChange/requestApproval', {}), once, { decision: 'accept' }],
    [
      ask('item/permissions/requestApproval', { permissions: { network: { enabled: true }, fileSystem: null } }),
      session,
      { permissions: { network: { enabled: true } }, scope: 'session' },
    ],
    [
      ask('item/permissions/requestApproval', { permissions: { network: { enabled: true } } }),
      deny,
      { permissions: {}, scope: 'turn' },
    ],
    [
      ask('mcpServer/elicitation/request', { serverName: 'x', message: 'may I' }),
      once,
      { action: 'accept', content: {}, _meta: null },
    ],
    [
      ask('mcpServer/elicitation/request', { serverName: 'x' }),
      deny,
      { action: 'decline', content: null, _meta: null },
    ],
    [ask('item/tool/requestUserInput', { questions: [] }), once, undefined],
  ])('%# is answered in the words of the protocol', (question, decision, answer) => {
    expect(answerTo(question, decision)).toEqual(answer);
  });

  test('a question with words, a form with fields and a page wait in the terminal', () => {
    const waits = [
      ask('item/tool/requestUserInput', { questions: [{ id: 'q', question: 'Which one?' }] }),
      ask('mcpServer/elicitation/request', { mode: 'form', requestedSchema: { required: ['name'] } }),
      ask('mcpServer/elicitation/request', { mode: 'url' }),
    ].map((question) => approvalOf(question, life, true));
    expect(waits.map(({ answerable }) => answerable)).toEqual([false, false, false]);
    expect(waits[0]).toMatchObject({ kind: 'question', text: 'Which one?' });
  });

  test('what is no question for a person is none', () => {
    expect(questionOf({ method: 'account/chatgptAuthTokens/refresh', id: 1, params: {} }, 0)).toBeUndefined();
    expect(questionOf({ method: 'item/started', params: {} }, 0)).toBeUndefined();
  });
});

test.each([
  ['{"id":3,"result":{"a":1}}', { id: 3, answer: { answered: 'result', result: { a: 1 } } }],
  [
    '{"id":3,"error":{"code":-32600,"message":"no"}}',
    { id: 3, answer: { answered: 'error', code: -32600, message: 'no' } },
  ],
  ['{"method":"x","params":{"y":1}}', { method: 'x', params: { y: 1 } }],
  ['{"method":"x","id":0}', { method: 'x', id: 0, params: {} }],
  ['{"torn', undefined],
  ['[]', undefined],
  ['{"result":1}', undefined],
])('the frame %s', (text, message) => {
  expect(parseMessage(text)).toEqual(message);
});

test.each([
  ['0.168.9', 'refused'],
  ['', 'refused'],
  ['0.169.0', true],
  ['0.169.4', true],
  ['0.170.0', false],
  ['1.0.0', false],
])('version %s is known: %s', (version, known) => {
  const capabilities = capabilitiesOf(version);
  if ('ok' in capabilities) expect(known).toBe('refused');
  else expect([capabilities.known, capabilities.approvals]).toEqual([known, known]);
});

test('a socket has its files under the sha256 of its path', () => {
  expect(serverFiles('/a/socket').map((file) => path.basename(file))).toEqual([
    '43c5b60ee7e11dce84db6bd35e314b8e2b22a8d561462d438b246a83f1571341',
    '43c5b60ee7e11dce84db6bd35e314b8e2b22a8d561462d438b246a83f1571341.lock',
  ]);
});
