import { describe, expect, test } from 'vitest';
import { SEND_FORMS, sendRequest, TEXT_LIMIT, textOf, withBothForms } from '../../src/cli/sending.ts';
import { isRefusal, refuse } from '../../src/kernel/reasons.ts';

const reasonOf = (value: unknown): string | undefined => (isRefusal(value) ? value.reason : undefined);

describe('E05 whose words are text', () => {
  test.each([
    ['the first word is for whom', ['ann', 'hello', 'big', 'world'], {}, ['ann'], 'hello big world'],
    ['with --to every word is text', ['hello', 'world'], { to: 'ann,bob' }, ['ann', 'bob'], 'hello world'],
    ['a list before the text', ['ann, bob', 'hi'], {}, ['ann', 'bob'], 'hi'],
    ['everybody', ['*', 'hi'], {}, ['*'], 'hi'],
    ['blanks of one word stay as they are', ['ann', '  two  blanks\n'], {}, ['ann'], '  two  blanks\n'],
  ])('%s', (_, words, flags, to, text) => {
    expect(sendRequest(words, flags)).toMatchObject({ to, text });
  });

  test('a task in place of a name', () => {
    expect(sendRequest(['task:T1', 'go', 'on'], {})).toEqual({ to: undefined, task: 'T1', text: 'go on' });
  });

  test.each([
    ['one word behind --task is the text', ['go on'], { task: 'T1' }, undefined, 'go on'],
    ['none with --stdin', [], { task: 'T1', stdin: true }, undefined, undefined],
    ['two words are for whom and the text', ['ann', 'go on'], { task: 'T1' }, ['ann'], 'go on'],
    ['one with --stdin is for whom', ['ann'], { task: 'T1', stdin: true }, ['ann'], undefined],
    ['behind --to all is text', ['go'], { task: 'T1', to: 'ann' }, ['ann'], 'go'],
  ])('E02 %s', (_, words, flags, to, text) => {
    expect(sendRequest(words, flags)).toEqual({ to, text, task: 'T1' });
  });

  test('two tasks are one too many', () => {
    expect(reasonOf(sendRequest(['task:T1', 'x'], { task: 'T2' }))).toBe('usage');
  });

  test.each([
    ['nothing at all', [], {}],
    ['only for whom', ['ann'], {}],
    ['no text behind --to', [], { to: 'ann' }],
    ['text beside --stdin', ['ann', 'hi'], { stdin: true }],
    ['--stdin without for whom', [], { stdin: true }],
  ])('%s is wrong usage', (_, words, flags) => {
    expect(reasonOf(sendRequest(words, flags))).toBe('usage');
  });

  test('a first word that nobody is called shows both forms, but not behind --to', () => {
    const unknown = refuse('target_not_in_team', 'Nobody in the team is called hello.', {
      next: ['team-agent status'],
    });
    expect(withBothForms(unknown, {}).next).toEqual([...SEND_FORMS, 'team-agent status']);
    expect(withBothForms(unknown, { to: 'hello' })).toBe(unknown);
    const other = refuse('empty_message', 'The message is empty.');
    expect(withBothForms(other, {})).toBe(other);
  });
});

describe('the flags of send', () => {
  test('all of them', () => {
    const flags = {
      task: 'T',
      confirmHuman: true,
      expects: 'reply',
      replyTo: 'm_1',
      wait: 'result',
      timeout: '2.5',
      ttl: '60',
    };
    expect(sendRequest(['ann', 'hi'], flags)).toEqual({
      to: ['ann'],
      text: 'hi',
      task: 'T',
      confirm_human: true,
      expects: 'reply',
      reply_to: 'm_1',
      wait: 'result',
      timeout_s: 2.5,
      ttl_s: 60,
    });
  });

  test('--wait alone has a timeout, and no --wait has none', () => {
    expect(sendRequest(['ann', 'hi'], { wait: 'consumed' })).toMatchObject({ timeout_s: 30 });
    expect(sendRequest(['ann', 'hi'], { timeout: '5' })).not.toHaveProperty('timeout_s');
  });

  test('E13 --now is passed on, and nothing is when it is not said', () => {
    expect(sendRequest(['ann', 'hi'], { now: true })).toEqual({ to: ['ann'], text: 'hi', now: true });
    expect(sendRequest(['ann', 'hi'], {})).not.toHaveProperty('now');
  });

  test('--stdin leaves the text open', () => {
    expect(sendRequest(['ann'], { stdin: true })).toEqual({ to: ['ann'], text: undefined });
  });

  test.each([
    ['expects', { expects: 'applause' }],
    ['wait', { wait: 'forever' }],
    ['timeout 0', { timeout: '0' }],
    ['timeout in words', { timeout: 'soon' }],
    ['timeout of a month', { timeout: '2592000' }],
    ['a negative ttl', { ttl: '-1' }],
    ['infinity', { ttl: 'Infinity' }],
  ])('%s is refused', (_, flags) => {
    expect(reasonOf(sendRequest(['ann', 'hi'], flags))).toBe('usage');
  });

  test('E10 --from is refused, whatever it names', () => {
    expect(reasonOf(sendRequest(['ann', 'hi'], { from: 'leader' }))).toBe('sender_is_the_caller');
  });
});

describe('bytes as text', () => {
  test('E20 stay byte for byte', () => {
    const text = '\ufefftab\there, \u{1f469}\u200d\u{1f680}, a\u0301, end\r\n\n';
    const read = textOf(Buffer.from(text));
    expect(typeof read === 'string' && Buffer.from(read).equals(Buffer.from(text))).toBe(true);
  });

  test.each([
    ['a cut character', Buffer.from([0x61, 0xe2, 0x82]), 'message_not_text'],
    ['a byte of another encoding', Buffer.from([0x61, 0xff]), 'message_not_text'],
    ['a NUL byte', Buffer.from('a\u0000b'), 'message_not_text'],
    ['a byte too many', Buffer.alloc(TEXT_LIMIT + 1, 'a'), 'message_too_large'],
  ])('%s is refused', (_, bytes, reason) => {
    expect(reasonOf(textOf(bytes))).toBe(reason);
  });

  test('the largest text is taken', () => {
    expect(textOf(Buffer.alloc(TEXT_LIMIT, 'a'))).toHaveLength(TEXT_LIMIT);
  });
});
