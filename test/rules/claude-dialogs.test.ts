import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findStartupDialog, readComposer } from '../../src/providers/claude/dialogs.ts';

const FOLDER = path.join(import.meta.dirname, '..', 'fixtures', 'claude', 'screens');
const screen = (name: string): string[] => fs.readFileSync(path.join(FOLDER, `${name}.txt`), 'utf8').split('\n');

describe('Z67 dialogs before the input opens', () => {
  test.each([
    ['first-run-theme', 'offline', 'Unable to connect to Anthropic services'],
    ['first-run-authtoken', 'theme', 'Choose the text style'],
    ['onboarding-step2', 'onboarding', 'Security notes:'],
    ['onboarding-step3', 'trust', 'Accessing workspace:'],
    ['after-trust', 'api_key', 'Detected a custom API key'],
    ['bypass-dialog', 'bypass', 'WARNING: Claude Code running in Bypass Permissions mode'],
  ])('%s is known as %s, and its text begins with its title', (name, kind, title) => {
    const found = findStartupDialog(screen(name));
    expect(found?.kind).toBe(kind);
    expect(found?.text.split('\n')[0]).toContain(title);
  });

  test.each(['input-ready', 'preseeded-launch', 'bypass-preaccepted', 'busy-queued', 'interrupted', 'state'])(
    '%s shows none',
    (name) => {
      expect(findStartupDialog(screen(name))).toBeUndefined();
    },
  );

  test('a question that nobody has seen before is a dialog when a key is asked for', () => {
    const found = findStartupDialog([
      '────────────',
      ' A brand new thing?',
      ' ❯ Yes',
      '   No',
      ' Enter to confirm · Esc to cancel',
    ]);
    expect(found).toMatchObject({ kind: 'unknown', text: expect.stringMatching(/^A brand new thing\?/) });
  });

  test('an empty screen is no dialog', () => {
    expect(findStartupDialog([])).toBeUndefined();
    expect(findStartupDialog(['', '   '])).toBeUndefined();
  });
});

describe('the place where a paste would land', () => {
  test.each([
    ['input-ready', 'empty'],
    ['preseeded-launch', 'empty'],
    ['state', 'empty'],
    ['interrupted', 'draft'],
    ['busy-queued', 'draft'],
    ['mcp-permission-prompt', 'dialog'],
    ['permreq-hook-pending', 'dialog'],
    ['elicitation', 'dialog'],
    ['after-trust', 'dialog'],
    ['first-run-theme', 'nothing'],
  ])('%s: %s', (name, seen) => {
    expect(readComposer(screen(name)).seen).toBe(seen);
  });

  const composer = (...lines: string[]): string[] => [
    '● done',
    '──────────── builder ─',
    ...lines,
    '────────────',
    '  ⏸ manual mode on',
  ];

  test.each([
    [['❯ '], { seen: 'empty' }],
    [['❯'], { seen: 'empty' }],
    [['❯\u00a0'], { seen: 'empty' }],
    [['❯ Try "fix lint errors"'], { seen: 'empty' }],
    [['❯ half a word'], { seen: 'draft', text: 'half a word' }],
    [['❯ two', '  lines'], { seen: 'draft', text: 'two\n  lines' }],
  ])('%j', (lines, seen) => {
    expect(readComposer(composer(...lines))).toEqual(seen);
  });
});
