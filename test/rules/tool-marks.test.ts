import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settingsOf } from '../../src/providers/claude/launch/settings.ts';
import { permissionOf } from '../../src/providers/codex/settings/permission.ts';
import { findProvider, type PermissionMode, providerNames, TOOLS, toolMarks } from '../../src/providers/index.ts';
import { PERMISSION_MODES } from '../../src/providers/shape.ts';

const READING = ['fs_list', 'fs_read', 'mcp_team', 'provider_builtin'];
const WRITING = [...READING, 'fs_write'];
const BUILDING = [...WRITING, 'execute_bash', 'git_diff'];

/** The tools that a CLI itself decides about. */
const hard = (provider: string, tools: readonly string[], permission: PermissionMode = 'manual'): readonly string[] =>
  toolMarks(provider, { tools, permission }).flatMap(({ tool, enforcement }) => (enforcement === 'hard' ? [tool] : []));

test.each([
  ['claude', 'nothing', [], 'manual', ['execute_bash', 'fs_list', 'fs_read', 'fs_write']],
  ['claude', 'reading', READING, 'manual', ['execute_bash', 'fs_list', 'fs_write']],
  ['claude', 'reading', READING, 'bypass', ['execute_bash', 'fs_list', 'fs_write']],
  ['claude', 'writing', WRITING, 'accept_edits', ['execute_bash', 'fs_list', 'fs_write']],
  ['claude', 'building', BUILDING, 'manual', ['execute_bash']],
  ['claude', 'all', TOOLS, 'plan', ['execute_bash']],
  ['codex', 'nothing', [], 'manual', ['fs_write']],
  ['codex', 'reading', READING, 'auto', ['fs_write']],
  ['codex', 'writing', WRITING, 'manual', ['fs_write']],
  ['codex', 'building', BUILDING, 'manual', []],
  ['codex', 'building', BUILDING, 'plan', ['fs_write']],
  ['codex', 'reading', READING, 'bypass', []],
  ['codex', 'all', TOOLS, 'accept_edits', []],
  ['scripted', 'nothing', [], 'manual', []],
  ['scripted', 'all', TOOLS, 'bypass', []],
] as const)('B09 %s with %s (%s, %s) decides by itself about %s', (provider, _, tools, permission, expected) => {
  expect(hard(provider, tools, permission)).toEqual(expected);
});

test('B09 every provider has a mark for every tool, whatever is granted', () => {
  const granted = fc.record({ tools: fc.subarray([...TOOLS]), permission: fc.constantFrom(...PERMISSION_MODES) });
  fc.assert(
    fc.property(fc.constantFrom(...providerNames()), granted, (provider, { tools, permission }) => {
      const marks = toolMarks(provider, { tools, permission });
      expect(marks.map(({ tool }) => tool)).toEqual(TOOLS);
      for (const { tool, granted } of marks) expect(granted).toBe(tools.includes(tool));
      for (const { enforcement } of marks) expect(['hard', 'prompt_only']).toContain(enforcement);
    }),
  );
  expect(toolMarks('a-provider-of-old', { tools: ['fs_read'], permission: 'manual' })).toContainEqual({
    tool: 'fs_read',
    granted: true,
    enforcement: 'prompt_only',
  });
  expect(findProvider('a-provider-of-old')).toMatchObject({ ok: false });
});

test('B09 what Claude Code is said to keep from an agent, a deny rule of its launch keeps from it', () => {
  const native = { execute_bash: 'Bash', fs_read: 'Read', fs_write: 'Edit', fs_list: 'Grep' } as const;
  fc.assert(
    fc.property(fc.subarray([...TOOLS]), fc.constantFrom(...PERMISSION_MODES), (tools, permission) => {
      const settings = settingsOf({ starts: '/s', hooksUrl: '', tools, mode: permission, approvals: true });
      const { deny = [] } = settings.permissions as { deny?: readonly string[] };
      for (const { tool, granted, enforcement } of toolMarks('claude', { tools, permission })) {
        if (enforcement === 'hard' && !granted) expect(deny).toContain(native[tool as keyof typeof native]);
      }
    }),
  );
});

test('B09 what Codex is said to keep from an agent, the sandbox of its launch keeps from it', () => {
  fc.assert(
    fc.property(fc.subarray([...TOOLS]), fc.constantFrom(...PERMISSION_MODES), (tools, permission) => {
      for (const { granted, enforcement } of toolMarks('codex', { tools, permission })) {
        if (enforcement === 'hard' && !granted) expect(permissionOf({ tools, permission }).sandbox).toBe('read-only');
      }
    }),
  );
});
