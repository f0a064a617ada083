import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ControlEvent,
  ControlParser,
  command,
  escapeFormat,
  quote,
} from '../../src/tmux/server/control-protocol.ts';

function parse(...chunks: string[]): ControlEvent[] {
  const parser = new ControlParser();
  return chunks.flatMap((chunk) => parser.feed(chunk));
}

test('a block ends only with its own time, number and flags, and tells whether it was asked for', () => {
  const events = parse(
    '%begin 1795368712 292 0\n%end 1795368712 292 0\n',
    '%begin 1795368712 297 1\n%end 1795368712 296 1\n%window-close @1\n\n%end\n%end 1795368712 297 1\n',
    '%begin 1795368712 298 1\nno buffer X\n%error 1795368712 298 1\n',
  );
  expect(events).toEqual([
    { kind: 'block', ok: true, number: 292, requested: false, lines: [] },
    {
      kind: 'block',
      ok: true,
      number: 297,
      requested: true,
      lines: ['%end 1795368712 296 1', '%window-close @1', '', '%end'],
    },
    { kind: 'block', ok: false, number: 298, requested: true, lines: ['no buffer X'] },
  ]);
});

test.each<[string, ControlEvent]>([
  ['%window-close @3', { kind: 'window_closed', window: '@3' }],
  ['%unlinked-window-close @12', { kind: 'window_closed', window: '@12' }],
  ['%layout-change @1 ac9e,200x50,0,0,1 ac9e,200x50,0,0,1 *', { kind: 'layout_changed', window: '@1' }],
  ['%sessions-changed', { kind: 'sessions_changed' }],
  ['%exit', { kind: 'exit', why: '' }],
  ['%exit server exited', { kind: 'exit', why: 'server exited' }],
  ['%session-changed $0 team-a', { kind: 'other', line: '%session-changed $0 team-a' }],
])('%s is told', (line, event) => {
  expect(parse(`${line}\n`)).toEqual([event]);
});

test('the events do not depend on where the chunks end', () => {
  const text =
    '%begin 1 1 0\n%end 1 1 0\n%session-changed $0 a\n%begin 1 2 1\nZeile ü\n%end 1 1 1\n%end 1 2 1\n%window-close @1\n%exit\n';
  const whole = parse(text);
  expect(whole).toHaveLength(5);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const ends = [...cuts, text.length].sort((a, b) => a - b);
      const chunks = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
      expect(parse(...chunks)).toEqual(whole);
    }),
  );
});

test.each([
  ['plain', '"plain"'],
  ['', '""'],
  ['two words; ~ {x} %1 #{y}', '"two words; ~ {x} %1 #{y}"'],
  [`a "b" \\ $HOME 'c'`, `"a \\"b\\" \\\\ \\$HOME 'c'"`],
  ['line\nnext\ttab\u001b[1m\u007f', '"line\\012next\\011tab\\033[1m\\177"'],
])('%j is quoted for a control line', (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

test('whatever is quoted stays one line and one argument', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(!text.includes('\0'));
      const quoted = quote(text);
      expect(quoted).not.toMatch(/[\u0001-\u001f\u007f]/);
      // Between the outer quotes a quote or a dollar stands only behind a backslash.
      expect(quoted.slice(1, -1).replace(/\\./gu, '')).not.toMatch(/["$\\]/);
    }),
  );
  expect(() => quote('a\0b')).toThrow('NUL');
  expect(command('display-message', '-p', 'a b')).toBe('"display-message" "-p" "a b"');
});

test.each([
  ['no hash', 'no hash'],
  ['#{pane_id}', '##{pane_id}'],
  ['a # b ## c', 'a ## b #### c'],
  // tmux keeps every # before a [.
  ['#[bold] ##[x]', '#[bold] ##[x]'],
])('%j is escaped for a format', (text, escaped) => {
  expect(escapeFormat(text)).toBe(escaped);
});
