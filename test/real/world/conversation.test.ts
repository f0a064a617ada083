import { describe, expect, test } from 'vitest';
import { type Entry, promptOf } from './conversation.ts';
import { filled, stepsOf } from './directives.ts';

const user = (text: string): Entry => ({ kind: 'user', text });
const note = (text: string): Entry => ({ kind: 'note', text });
const answer = (text: string): Entry => ({ kind: 'answer', text });
const CALL: readonly Entry[] = [
  { kind: 'call', text: 'Bash' },
  { kind: 'result', text: 'A' },
];

const team = (id: string, body: string) =>
  `[team message ${id} from leader (user) expects result]\n--- abcd\n${body}\n--- abcd end`;
const peer = (text: string, when = '') =>
  `Another Claude session sent a message${when}:\n${text}\n\nThis came from another Claude session — not typed by your user.`;

describe('the prompt that a scripted model plays', () => {
  test.each<[string, readonly Entry[], string | undefined]>([
    ['the newest text', [user('one'), answer('1'), user('two')], 'two'],
    ['not what it has answered', [user('[[say one]]'), answer('one')], undefined],
    ['of several the newest with directives', [user('[[say one]]'), user('[[say two]]'), user('three')], '[[say two]]'],
    ['what follows an interruption', [user('[[say one]]'), user('[Request interrupted by user]'), user('two')], 'two'],
    ['no environment of Codex', [user('two'), user('<environment_context>x</environment_context>')], 'two'],
    ['no reminder', [user('<system-reminder>\nBe kind.\n</system-reminder>'), user('two')], 'two'],
    ['no note', [user('two'), note('# Environment\n[[say no]]')], 'two'],
    ['the body of a team message', [user(peer(team('id', '[[say two]]')))], '[[say two]]'],
    ['the text of a peer', [user(peer('two'))], 'two'],
    [
      'what came while it worked',
      [user('[[say one]]'), ...CALL, note(peer('[[say two]]', ' while you were working'))],
      '[[say two]]',
    ],
    [
      'that a task has ended',
      [user('<system-reminder>\n<task-notification>x</task-notification></system-reminder>')],
      'a background task has ended',
    ],
  ])('is %s', (_, entries, text) => {
    expect(promptOf(entries)?.text).toBe(text);
  });

  test('knows its message, how many calls there were and what the newest returned', () => {
    const entries = [user('before'), answer('x'), user(team('id', '[[shell a]] [[shell b]]')), ...CALL];
    expect(promptOf(entries)).toMatchObject({ message: 'id', index: 2, calls: 1, result: 'A' });
  });
});

test('hold, drip, error and cut belong to the step that follows', () => {
  expect(stepsOf('[[error 529 always]] [[shell ls]] [[hold 5]] [[cut]] [[say x]]')).toMatchObject([
    {
      act: { kind: 'shell', command: 'ls' },
      hold: 0,
      error: { status: 529, times: Number.POSITIVE_INFINITY },
      cuts: 0,
    },
    { act: { kind: 'say', text: 'x' }, hold: 5, error: undefined, cuts: 1 },
  ]);
});

test('a directive that cannot be read is told, and words are filled in everywhere', () => {
  expect(stepsOf('[[team send {oops]]').at(-1)?.act).toEqual({
    kind: 'say',
    text: 'this directive cannot be read: team send {oops',
  });
  expect(filled({ id: '{{message}}', of: [1, '{{result}}', '{{other}}'] }, { message: 'm', result: 'r' })).toEqual({
    id: 'm',
    of: [1, 'r', '{{other}}'],
  });
});
