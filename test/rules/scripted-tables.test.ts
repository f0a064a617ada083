import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageFolder } from '../../src/kernel/index.ts';
import { shellWord } from '../../src/kernel/text.ts';
import { readComposer } from '../../src/providers/scripted/dialogs.ts';
import { advance, EMPTY_RECORD } from '../../src/providers/scripted/facts.ts';
import { parseMessage } from '../../src/providers/scripted/program/message.ts';
import { chooseRule, fillIn, fillInAll, type Rule } from '../../src/providers/scripted/program/script.ts';
import { parseScript } from '../../src/providers/scripted/program/script-file.ts';
import { answerTo } from '../../src/providers/scripted/program/team-tools.ts';
import { Composer } from '../../src/providers/scripted/program/terminal/composer.ts';
import { type Key, KeyReader } from '../../src/providers/scripted/program/terminal/keys.ts';
import { bottomLines, clip } from '../../src/providers/scripted/program/terminal/screen.ts';
import { Lines, parseFromAgent, parseToAgent } from '../../src/providers/scripted/protocol.ts';
import {
  isComposerReceipt,
  isProtocolReceipt,
  parseRecordLine,
  type RecordLine,
} from '../../src/providers/scripted/record.ts';
import { render } from './scripted-harness.ts';

const ID = '6b0d2f0e-6f5b-4c59-9a53-1d7f0a3f2c11';

describe('a message as the agent reads it', () => {
  test.each([
    ['no header', 'hello there', { delivery: undefined, from: 'person', expects: 'nothing', body: 'hello there' }],
    [
      'the least header',
      `[team message ${ID} from bob (peer)]\nhi`,
      { delivery: ID, from: 'bob', authority: 'peer', body: 'hi' },
    ],
    [
      'fences',
      render(ID, 'a\n--- b\n\nc'),
      { from: 'leader', task: undefined, expects: 'nothing', body: 'a\n--- b\n\nc' },
    ],
    ['a task', render(ID, 'x', ' task t-1'), { task: 't-1', expects: 'nothing', body: 'x' }],
    ['a task with blanks', render(ID, 'x', ' task tidy up expects result'), { task: 'tidy up', expects: 'result' }],
    ['an expectation alone', render(ID, 'x', ' expects reply'), { task: undefined, expects: 'reply' }],
    ['an unknown expectation', render(ID, 'x', ' expects wonders'), { expects: 'nothing' }],
    [
      'an attribute of a later version',
      render(ID, 'x', ' urgent task t expects reply soon'),
      { task: 't', expects: 'reply' },
    ],
    ['a fence of its own in the body', render(ID, '--- 1\nx\n--- 1 end'), { body: '--- 1\nx\n--- 1 end' }],
    ['no end of the fence', `[team message ${ID} from b (peer)]\n--- ab\nhalf`, { body: 'half' }],
    [
      'a header that is not in the first line',
      `well:\n[team message ${ID} from b (peer)]`,
      { delivery: undefined, from: 'person' },
    ],
    ['an empty body', render(ID, ''), { body: '' }],
  ])('%s', (_name, text, expected) => {
    expect(parseMessage(text)).toMatchObject(expected);
  });
});

describe('what a line of the record proves', () => {
  const user = (source: 'protocol' | 'composer', id: string | null, text: string): RecordLine => ({
    type: 'user',
    source,
    id,
    text,
    at: 1,
  });
  test.each([
    ['our id over the protocol', user('protocol', ID, 'x'), true, false],
    ['another id', user('protocol', 'other', `[team message ${ID} from a (peer)]`), false, false],
    ['our header in the composer', user('composer', null, `[team message ${ID} from a (peer)]\nx`), false, true],
    ['our header behind a draft', user('composer', null, `wait [team message ${ID} from a (peer)]\nx`), false, true],
    ['our header in a later line', user('composer', null, `look:\n[team message ${ID} from a (peer)]`), false, false],
    ['our id alone', user('composer', null, ID), false, false],
    [
      'the agent saying it',
      { type: 'assistant', text: `[team message ${ID} from a (peer)]`, at: 1 } as RecordLine,
      false,
      false,
    ],
    [
      'the agent saying it, dressed up as input',
      {
        type: 'assistant',
        source: 'composer',
        id: ID,
        text: `[team message ${ID} from a (peer)]`,
        at: 1,
      } as RecordLine,
      false,
      false,
    ],
    [
      'a tool call that carries it',
      { type: 'tool', call: ID, name: 'x', arguments: { id: ID }, ok: true, at: 1 } as RecordLine,
      false,
      false,
    ],
  ])('%s', (_name, line, protocol, composer) => {
    expect(isProtocolReceipt(line, ID)).toBe(protocol);
    expect(isComposerReceipt(line, ID)).toBe(composer);
  });

  test.each([
    '',
    'x',
    '[]',
    'null',
    '{"type":"user","at":1}',
    '{"type":"dance","at":1}',
    '{"type":"greeting"}',
    '{"type":"toString","at":1}',
  ])('not a line of ours: %s', (text) => {
    expect(parseRecordLine(text)).toBeUndefined();
  });

  test('the state at the end follows the lines; a new process life starts from nothing', () => {
    const state = (...lines: RecordLine[]) => lines.reduce(advance, EMPTY_RECORD);
    const session: RecordLine = { type: 'session', session: 's', incarnation: 'i_1', pid: 7, start: '9', at: 1 };
    const greeting: RecordLine = { type: 'greeting', at: 2 };
    const started: RecordLine = { type: 'turn', state: 'started', at: 3 };
    const opened: RecordLine = { type: 'dialog', state: 'opened', kind: 'approval', text: 'ok?', at: 4 };
    const closed: RecordLine = { ...opened, state: 'closed', at: 5 };
    expect(state()).toMatchObject({ turn: 'unknown', greeted: false });
    expect(state(session)).toMatchObject({ turn: 'starting', process: { pid: 7, start: '9' }, since: 1 });
    expect(state(session, opened)).toMatchObject({ turn: 'waiting_approval', greeted: false });
    expect(state(session, opened, closed)).toMatchObject({ turn: 'starting' });
    expect(state(session, greeting)).toMatchObject({ turn: 'idle', greeted: true });
    expect(state(session, greeting, started)).toMatchObject({ turn: 'working', since: 3 });
    const input: RecordLine = { type: 'user', id: null, source: 'composer', text: 'do it', at: 4 };
    expect(state(session, greeting, input)).toMatchObject({ turn: 'working', open: true, since: 4 });
    expect(state(session, greeting, started, opened)).toMatchObject({
      turn: 'waiting_approval',
      dialog: { text: 'ok?' },
    });
    expect(state(session, greeting, started, opened, closed)).toMatchObject({ turn: 'working', dialog: undefined });
    expect(state(session, greeting, started, { type: 'turn', state: 'interrupted', at: 6 })).toMatchObject({
      turn: 'interrupted',
    });
    expect(state(session, greeting, started, { type: 'turn', state: 'ended', at: 6 })).toMatchObject({ turn: 'idle' });
    expect(state(session, greeting, { type: 'exit', code: 0, at: 6 })).toMatchObject({ turn: 'exited' });
    expect(state(session, greeting, started, { ...session, incarnation: 'i_2' })).toMatchObject({
      incarnation: 'i_2',
      greeted: false,
      open: false,
      turn: 'starting',
    });
  });
});

describe('what the bottom of a screen says', () => {
  test.each([
    ['an empty composer', ['> ', '-- a: idle', '', ''], { seen: 'empty' }],
    ['an empty composer, trimmed', ['said', '>', '-- a: idle'], { seen: 'empty' }],
    ['a draft', ['> half', '-- a: idle'], { seen: 'draft', text: 'half' }],
    ['an approval', ['? rm -r x', '[Enter] yes [n] no', '-- a: waiting'], { seen: 'dialog', text: 'rm -r x' }],
    ['talk that looks like a composer', ['> ', '-- a: idle', 'more talk'], { seen: 'nothing' }],
    ['a dialog in the talk above', ['[Enter] ok', '-- a: idle', '> ', '-- a: idle'], { seen: 'empty' }],
    ['a shell', ['$ '], { seen: 'nothing' }],
    ['nothing', [], { seen: 'nothing' }],
    ['the status alone', ['-- a: idle'], { seen: 'nothing' }],
  ] as const)('%s', (_name, screen, expected) => {
    expect(readComposer([...screen])).toEqual(expected);
  });

  const bottom = { agent: 'a-rather-long-name', state: 'waiting_approval', queued: 2, composer: '', dialog: undefined };
  test.each([
    ['empty', bottom, { seen: 'empty' }],
    ['a long draft', { ...bottom, composer: `${'word '.repeat(300)}end` }, { seen: 'draft' }],
    ['a draft of blanks', { ...bottom, composer: '  ' }, { seen: 'draft' }],
    ['a draft that ends in many blanks', { ...bottom, composer: `x${' '.repeat(500)}` }, { seen: 'draft' }],
    ['a draft of line ends', { ...bottom, composer: '\n\n' }, { seen: 'draft' }],
    ['an approval', { ...bottom, dialog: { kind: 'approval', text: 'May I\ndo it? '.repeat(20) } }, { seen: 'dialog' }],
    ['a question', { ...bottom, dialog: { kind: 'question', text: '' } }, { seen: 'dialog' }],
    ['wide characters', { ...bottom, composer: '漢字'.repeat(60) }, { seen: 'draft' }],
  ] as const)('what is drawn in 20 columns is read back, and fits: %s', (_name, view, expected) => {
    const lines = bottomLines(view, 20);
    expect(readComposer(lines)).toMatchObject(expected);
    for (const line of lines) expect(clip(line, 19)).toBe(line);
  });

  test('a text is cut at columns, not at characters', () => {
    expect(clip('漢字x', 4)).toBe('漢字');
    expect(clip('漢字x', 3)).toBe('漢');
    expect(clip('abc', 8)).toBe('abc');
  });
});

describe('keys of a terminal', () => {
  const PASTE = '\u001b[200~one\rtwo\r\nthree\u001b[201~';
  const read = (...pieces: string[]): Key[] => {
    const reader = new KeyReader();
    return pieces.flatMap((piece) => reader.read(piece));
  };

  test('text, Enter, a paste and what is dropped', () => {
    expect(read('hi\u001b[A\u001b[1;5Cyou\u001bOP\r\u0015\u007f')).toEqual([
      { kind: 'text', text: 'hi' },
      { kind: 'text', text: 'you' },
      { kind: 'enter' },
      { kind: 'clear' },
      { kind: 'backspace' },
    ]);
    expect(read(`${PASTE}\r`)).toEqual([{ kind: 'paste', text: 'one\ntwo\nthree' }, { kind: 'enter' }]);
  });

  test('a paste is the same, wherever its bytes are cut', () => {
    for (let cut = 1; cut < PASTE.length; cut++) {
      expect(read(PASTE.slice(0, cut), PASTE.slice(cut))).toEqual([{ kind: 'paste', text: 'one\ntwo\nthree' }]);
    }
    expect(read(...PASTE)).toEqual([{ kind: 'paste', text: 'one\ntwo\nthree' }]);
  });

  test('an escape byte is the key only when nothing follows it', () => {
    const reader = new KeyReader();
    expect(reader.read('\u001b')).toEqual([]);
    expect(reader.waiting).toBe(true);
    expect(reader.flush()).toEqual([{ kind: 'escape' }]);
    expect(reader.flush()).toEqual([]);
    expect(read('\u001b', '[A', 'x')).toEqual([{ kind: 'text', text: 'x' }]);
    expect(read('\u001b\u001b[Ax')).toEqual([{ kind: 'escape' }, { kind: 'text', text: 'x' }]);
  });

  test('M07 in a dialog pasted text is lost and Enter answers: the trap', () => {
    const composer = new Composer();
    const dialog = { kind: 'approval', text: 'rm?' } as const;
    expect(composer.press({ kind: 'paste', text: 'hello' }, dialog)).toBeUndefined();
    expect(composer.press({ kind: 'enter' }, dialog)).toEqual({ typed: 'answer', decision: 'approve' });
    expect(composer.press({ kind: 'text', text: 'n' }, dialog)).toEqual({ typed: 'answer', decision: 'deny' });
    expect(composer.text).toBe('');
  });

  test('an interrupt empties the composer first, and quits when it is empty', () => {
    const composer = new Composer();
    composer.put('half');
    expect(composer.press({ kind: 'interrupt' }, undefined)).toBeUndefined();
    expect(composer.text).toBe('');
    expect(composer.press({ kind: 'interrupt' }, undefined)).toEqual({ typed: 'quit' });
  });
});

describe('a script', () => {
  const rule = (over: Partial<Rule>): Rule => ({
    match: undefined,
    from: undefined,
    task: undefined,
    times: Number.POSITIVE_INFINITY,
    steps: [],
    ...over,
  });
  const message = { ...parseMessage(render(ID, 'count to 12', ' task sums')), from: 'leader' };

  test.each([
    ['nothing given', [rule({})], [], 0],
    ['a match', [rule({ match: /shout/ }), rule({ match: /count to (\d+)/ })], [], 1],
    ['who sent it', [rule({ from: ['a'] }), rule({ from: ['a', 'leader'] })], [], 1],
    ['its task', [rule({ task: 'other' }), rule({ task: 'sums' })], [], 1],
    ['all that is given', [rule({ task: 'sums', match: /shout/ })], [], undefined],
    ['the first', [rule({}), rule({})], [], 0],
    ['one that is used up', [rule({ times: 2 }), rule({})], [2], 1],
    ['none', [], [], undefined],
  ])('the rule is chosen by %s', (_name, rules, used, expected) => {
    expect(chooseRule(rules, used, message)?.index).toBe(expected);
  });

  test('groups of the match are templates; one that took no part is empty', () => {
    expect(chooseRule([rule({ match: /to (\d+)( loudly)?/ })], [], message)?.groups).toEqual(['12', '']);
  });

  test('templates are filled in once, and unknown ones stay', () => {
    const values = new Map([
      ['body', 'I am {{from}}'],
      ['from', 'bob'],
    ]);
    expect(fillIn('{{from}}: {{ body }} {{nobody}}', values)).toBe('bob: I am {{from}} {{nobody}}');
    expect(fillInAll({ a: ['{{from}}', 1], b: { c: '{{from}}' } }, values)).toEqual({ a: ['bob', 1], b: { c: 'bob' } });
    expect(fillIn('echo {{x}}', new Map([['x', "it's; rm"]]), shellWord)).toBe("echo 'it'\\''s; rm'");
  });

  const faults: [string, string, number, string][] = [
    ['an unknown key', 'rules: []\ncolour: red\n', 2, 'colour'],
    ['an unknown step', 'on_start:\n  - say: hi\n  - dance: 1\n', 3, 'on_start.1'],
    ['two keys in a step', 'on_start:\n  - say: hi\n    wait: 1\n', 2, 'on_start.0'],
    ['a wrong value of a step', 'rules:\n  - match: x\n    do:\n      - wait: soon\n', 4, 'rules.0.do.0.wait'],
    [
      'a wrong value deep inside',
      'on_start:\n  - when:\n      do:\n        - wait: soon\n',
      4,
      'on_start.0.when.do.0.wait',
    ],
    ['a broken expression', 'rules:\n  - do: []\n  - match: "("\n    do: []\n', 3, 'rules.1.match'],
    ['a signal that is none', 'on_start:\n  - crash: SIGNOTHING\n', 2, 'on_start.0.crash'],
    ['a name of our own', 'on_start:\n  - set: { body: x }\n', 2, 'on_start.0.set.body'],
    ['a key twice', 'channel: paste\nchannel: paste\n', 2, ''],
    ['no YAML', 'rules: [\n', 2, ''],
    ['a list', '- say: hi\n', 1, ''],
  ];
  test.each(faults)('names file, line and key of %s', (_name, source, line, key) => {
    const parsed = parseScript('/s.yaml', source);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.faults[0]).toMatchObject({ file: '/s.yaml', line, key });
  });

  test('every example of the documentation can be played, and fits 80 columns', () => {
    const page = fs.readFileSync(path.join(packageFolder, 'docs', 'scripted-agent.md'), 'utf8');
    const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, source = '']) => source);
    const scripts = examples.filter((source) => !source.startsWith('---'));
    expect(scripts.length).toBeGreaterThan(3);
    for (const source of scripts) expect(parseScript('/s.yaml', source)).toMatchObject({ ok: true });
    expect(page.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('every step is in the documentation', () => {
    const page = fs.readFileSync(path.join(packageFolder, 'docs', 'scripted-agent.md'), 'utf8');
    const refused = parseScript('/s.yaml', 'on_start: [{ dance: 1 }]');
    const [, names = ''] = (refused.ok ? '' : (refused.faults[0]?.message ?? '')).split('one of: ');
    expect(names.split(', ').length).toBeGreaterThan(10);
    for (const name of names.split(', ')) expect(page).toContain(`- \`${name}: `);
  });

  test('an empty document is a script that does nothing special', () => {
    expect(parseScript('/s.yaml', '# nothing\n')).toMatchObject({
      ok: true,
      script: { rules: [], channel: 'protocol' },
    });
  });
});

describe('lines between agent and caller', () => {
  test('a line may come in pieces', () => {
    const lines = new Lines();
    expect(lines.take('{"a"')).toEqual([]);
    expect(lines.take(':1}\n\n{"b":2}\n{"c')).toEqual(['{"a":1}', '{"b":2}']);
    expect(lines.take('":3}\n')).toEqual(['{"c":3}']);
    expect(() => lines.take('x'.repeat(9 * 1024 * 1024))).toThrow(RangeError);
  });

  test.each(['', 'x', '{}', '{"type":"submit","id":"x"}', '{"type":"answer","decision":"maybe"}', '{"type":"find"}'])(
    'no request: %s',
    (line) => {
      expect(parseToAgent(line)).toBeUndefined();
    },
  );

  test.each([
    '',
    '{}',
    '{"type":"state"}',
    '{"type":"state","turn":{"state":"dancing","since":1}}',
    '{"type":"greeting","version":2}',
  ])('no answer: %s', (line) => {
    expect(parseFromAgent(line)).toBeUndefined();
  });

  test('an MCP answer is found in JSON and in an event stream', () => {
    expect(answerTo(2, '{"jsonrpc":"2.0","id":2,"result":{}}')).toMatchObject({ id: 2 });
    expect(
      answerTo(
        2,
        'event: message\ndata: {"method":"x"}\n\n: alive\n\nevent: message\ndata: {"id":2,\ndata: "result":{}}\n\n',
      ),
    ).toMatchObject({ id: 2 });
    expect(answerTo(2, 'data: {"id":1,"result":{}}\n\n')).toBeUndefined();
    expect(answerTo(2, '')).toBeUndefined();
  });
});
