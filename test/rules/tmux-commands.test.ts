import { expect, test } from 'vitest';
import { parseRow } from '../../src/tmux/rows.ts';
import { bufferName, openPane } from '../../src/tmux/server/commands.ts';
import { serverEnvironment } from '../../src/tmux/server/one-shot.ts';
import { recentEnough } from '../../src/tmux/version.ts';

test('a row of list-panes is read back', () => {
  expect(parseRow('%3:4711:0:1:200:50:i_1:copy-mode:team-a')).toEqual({
    pane: '%3',
    pid: 4711,
    dead: false,
    inMode: true,
    width: 200,
    height: 50,
    incarnation: 'i_1',
    mode: 'copy-mode',
    session: 'team-a',
  });
  expect(parseRow('%0:1:1:0:80:24:::my session')).toMatchObject({
    dead: true,
    inMode: false,
    incarnation: '',
    mode: '',
  });
  expect(parseRow('')).toBeUndefined();
  expect(parseRow('guard-held')).toBeUndefined();
});

test.each([
  ['3.3a', true],
  ['3.2', true],
  ['3.10', true],
  ['4.0', true],
  ['next-3.6', true],
  ['master', true],
  ['openbsd-7.6', true],
  ['3.1c', false],
  ['2.9', false],
  ['next-3.1', false],
])('version %s is recent enough: %s', (version, expected) => {
  expect(recentEnough(version)).toBe(expected);
});

test('a name that would change the meaning of a target or a format is a bug', () => {
  const request = { window: 'a', folder: '/', environment: {}, argv: ['cat', '-'] };
  for (const name of ['', 'a:b', 'a.b', 'a b', '#{x}', 'a,b', '=a']) {
    expect(() => openPane({ ...request, session: name, incarnation: 'i_1' }, 'new_window')).toThrow('not a name');
    expect(() => openPane({ ...request, session: 'team-a', incarnation: name }, 'new_window')).toThrow('not a name');
    expect(() => bufferName(name)).toThrow('not a name');
  }
});

test('the server sees only a few variables', () => {
  const environment = { PATH: '/bin', HOME: '/h', LC_ALL: 'C.UTF-8', TMUX: 'x', SECRET: 's', TERM: 'screen' };
  expect(serverEnvironment(environment)).toEqual({ PATH: '/bin', HOME: '/h', LC_ALL: 'C.UTF-8', TERM: 'screen' });
  expect(serverEnvironment({})).toEqual({ TERM: 'xterm-256color' });
});
