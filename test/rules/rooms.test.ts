import { describe, expect, test } from 'vitest';
import { importCycles, importsOf, ROOMS, roomViolations } from '../../script/rooms.ts';

const violations = (file: string, text: string): string[] => roomViolations(new Map([[file, text]]));

describe('what a file imports', () => {
  test.each([
    ["import { a } from './b.ts';", ['src/kernel/b.ts']],
    ["import type { A } from '../team/index.ts';", ['src/team/index.ts']],
    ["import {\n  a,\n  b,\n} from './b.ts';", ['src/kernel/b.ts']],
    ["export * from './b.ts';", ['src/kernel/b.ts']],
    ["import './b.ts';", ['src/kernel/b.ts']],
    ["const b = await import('./b.ts');", ['src/kernel/b.ts']],
    ["import fs from 'node:fs';", []],
    ["// import { a } from './b.ts';", []],
    ["/* \nimport { a } from './b.ts';\n*/", []],
  ])('%j', (text, found) => {
    expect(importsOf('src/kernel/a.ts', text)).toEqual(found);
  });
});

describe('the order of the rooms', () => {
  test.each([
    ['a room below, through its index', 'src/messages/send.ts', '../ledger/index.ts'],
    ['its own files', 'src/messages/send.ts', './line.ts'],
    ['its own files from a folder', 'src/providers/claude/channel.ts', '../shape.ts'],
    ['a kernel file from a program that starts often', 'src/cli/main.ts', '../kernel/text.ts'],
    ['the same from the scripted agent', 'src/providers/scripted/program/main.ts', '../../../kernel/clock.ts'],
  ])('allows %s', (_, file, target) => {
    expect(violations(file, `import { a } from '${target}';`)).toEqual([]);
  });

  test.each([
    ['a room above', 'src/ledger/open.ts', '../messages/index.ts', 'messages/ is not below ledger/'],
    ['a type of a room above', 'src/kernel/ids.ts', '../cli/index.ts', 'cli/ is not below kernel/'],
    ['a file behind an index', 'src/messages/send.ts', '../ledger/schema.ts', 'a room is used through its index.ts'],
    ['a kernel file from elsewhere', 'src/team/a.ts', '../kernel/text.ts', 'a room is used through its index.ts'],
    ['a nested index', 'src/team/a.ts', '../providers/claude/index.ts', 'a room is used through its index.ts'],
    ['the ledger from a provider', 'src/providers/claude/a.ts', '../../ledger/index.ts', 'stores nothing'],
    ['a test', 'src/kernel/a.ts', '../../test/support/files.ts', 'nothing outside src/'],
  ])('refuses %s', (_, file, target, because) => {
    expect(violations(file, `import type { A } from '${target}';`)).toEqual([expect.stringContaining(because)]);
  });

  test.each(['src/misc/a.ts', 'src/main.ts'])('refuses a file outside every room: %s', (file) => {
    expect(violations(file, '')).toEqual([expect.stringContaining('is in no room')]);
  });

  test('every room may use the kernel and no room the front', () => {
    for (const room of ROOMS.slice(1)) {
      if (room !== 'kernel')
        expect(violations(`src/${room}/a.ts`, "import { a } from '../kernel/index.ts';")).toEqual([]);
      expect(violations(`src/${room}/a.ts`, "import { a } from '../cli/index.ts';")).toHaveLength(1);
    }
  });
});

describe('cycles', () => {
  const files = (arrows: Record<string, string[]>): Map<string, string> =>
    new Map(
      Object.entries(arrows).map(([from, to]) => [
        `src/${from}.ts`,
        to.map((name) => `import './${name}.ts';`).join('\n'),
      ]),
    );

  test('are found, each once', () => {
    expect(importCycles(files({ a: ['b'], b: ['c'], c: ['b', 'd'], d: [] }))).toEqual([
      'src/b.ts -> src/c.ts -> src/b.ts',
    ]);
  });

  test('two ways to one file are none', () => {
    expect(importCycles(files({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
  });
});
