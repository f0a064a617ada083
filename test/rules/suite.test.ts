import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { proofsOf, rowsOf } from '../../script/proofs.ts';
import { readReport } from '../../script/report.ts';
import { machineTraces, shellOf } from '../../script/traces.ts';
import { freshFolder } from '../support/files.ts';

describe('the count at the end of the suite', () => {
  const one = (status: string) => ({ fullName: `a ${status} one`, status });
  const report = (testResults: object[], status = 0) => {
    const file = path.join(freshFolder('report'), 'report.json');
    fs.writeFileSync(file, JSON.stringify({ testResults }));
    return readReport(file, '/project', status);
  };

  test('is of tests, and names those that failed or did not run', () => {
    const assertionResults = ['passed', 'passed', 'failed', 'pending'].map(one);
    expect(report([{ name: '/project/test/a.test.ts', status: 'failed', assertionResults }], 1)).toEqual({
      passed: 2,
      failures: ['test/a.test.ts: a failed one'],
      skipped: ['test/a.test.ts: a pending one'],
    });
  });

  test('holds a file that could not be loaded as a failure', () => {
    const broken = {
      name: '/project/a.test.ts',
      status: 'failed',
      message: 'no such module\nat x',
      assertionResults: [],
    };
    expect(report([broken], 1).failures).toEqual(['a.test.ts: no such module']);
  });

  test('holds an error outside the tests as a failure', () => {
    const fine = { name: '/project/a.test.ts', status: 'passed', assertionResults: [one('passed')] };
    expect(report([fine], 0).failures).toEqual([]);
    expect(report([fine], 1).failures).toHaveLength(1);
  });

  test('is never nothing of nothing', () => {
    expect(report([]).failures).toEqual(['no test ran']);
    expect(readReport('/nowhere/report.json', '/project', 7).failures).toHaveLength(1);
  });
});

describe('the scoreboard', () => {
  test('reads rows with their group, bars in code included', () => {
    const text =
      '### A. Help\n| id | capability | trigger | proof |\n|---|---|---|---|\n| A02 | a `b\\|c` d | x | y |\n';
    expect(rowsOf(text)).toEqual([{ id: 'A02', group: 'A. Help', capability: 'a `b|c` d' }]);
  });

  test.each([
    ["test('E21 unique buffers', () => {});", ['E21']],
    ['it(\n  `E03 E04 a broadcast`, f);', ['E03', 'E04']],
    ["test.each([[1], (2)])('M01: never lost %d', f);", ['M01']],
    ["test.each<[string, (x: number) => void]>([['a', (b(c))]])('G12 %s', f);", ['G12']],
    // In two pieces: this file is read for titles too.
    ['describe' + "('N01 the whole journey', f);", ['N01']],
    ["test.skip('E21 not today', f);", []],
    ["test.todo('E21 one day');", []],
    ["test('knows E21', f);", []],
    ["pattern.test('E21 x');", []],
  ])('reads titles: %s', (text, ids) => {
    expect(proofsOf('test/tmux/a.test.ts', text).map((proof) => proof.id)).toEqual(ids);
  });

  test.each([
    ['test/rules/a.test.ts', ['rule']],
    ['test/simulator/a.test.ts', ['simulator']],
    ['test/tmux/a/b.test.ts', ['tmux']],
    ['test/real/claude/a.test.ts', ['claude']],
    ['test/real/claude-and-codex.test.ts', ['claude', 'codex']],
  ])('knows the part by the folder: %s', (file, parts) => {
    expect(proofsOf(file, "test('E21 x', f);")[0]?.parts).toEqual(parts);
  });
});

describe('traces of one machine', () => {
  const found = (text: string): string[] => machineTraces('a.ts', Buffer.from(text), '/data/co/project', '/home/ann');

  test.each([
    'see /data/co/project/src/a.ts',
    "cd '/data/co'",
    '/home/ann/.npmrc',
    `"resolved": "${'https'}://example.invalid/a.tgz"`,
    `${'registry'}=https://example.invalid`,
  ])('%s', (line) => {
    expect(found(`fine\n${line}\n`)).toEqual([expect.stringMatching(/^a\.ts:2 holds /)]);
  });

  test.each(['/home/anna/x', '$HOME/data/co/project', '/data/company', '/tmp/x', '\0/home/ann'])('not %j', (line) => {
    expect(found(line)).toEqual([]);
  });
});

test.each([
  ['#!/bin/sh\n', 'sh'],
  ['#!/usr/bin/env bash\n', 'bash'],
  ['#!/usr/bin/env node\n', undefined],
  ['echo\n#!/bin/sh\n', undefined],
])('the shell of %j', (text, shell) => {
  expect(shellOf(Buffer.from(text))).toBe(shell);
});
