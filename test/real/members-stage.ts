import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { call } from './stage.ts';
import type { UserTerminal } from './user-terminal.ts';
import type { RealProduct } from './world/real-product.ts';

/** A conversation that leads manages the members of its team by its tools alone. `sam` is one that the documents describe. */
export async function managesMembers(
  product: RealProduct,
  terminal: UserTerminal,
  kind: 'claude' | 'codex',
): Promise<void> {
  const role_file = path.join(product.workspace, 'sue.md');
  fs.writeFileSync(role_file, '---\nname: sue\nrole: helper\nprovider: scripted\ntools: []\n---\nHelp.\n');
  const steps = [
    call('add_agent', { agent: 'sue', role_file: 'sue.md' }),
    call('fork_agent', { agent: 'sue', as: 'sue-2' }),
    call('stop_agent', { agent: 'sue' }),
    call('start_agent', { agent: 'sue' }),
    call('remove_agent', { agent: 'sue-2', force: true }),
    call('remove_agent', { agent: 'sam', force: true }),
  ];
  await terminal.type(`manage ${steps.join(' ')} [[say MANAGED]]`);
  await terminal.shows(/^[●•] MANAGED/m);
  const said =
    (kind === 'claude' ? product.anthropic : product.openai).turns
      .at(-1)
      ?.results.map((text) => text.replaceAll('\\"', '"')) ?? [];
  expect(said).toHaveLength(steps.length);
  const expected = [
    '"start_mode":"fresh"',
    '"start_mode":"forked"',
    '"stopped":true',
    '"start_mode":"resumed"',
    '"status":"removed"',
    'from_spec_confirm_required',
  ];
  for (const [index, words] of expected.entries()) expect(said[index]).toContain(words);
  const { agents } = await product.json<{ agents: Record<string, { state: string }> }>(['status']);
  expect(Object.keys(agents)).toContain('sue');
  expect(Object.keys(agents)).not.toContain('sue-2');
  const asked = product.rows("select actor, data from events where type = 'agent.removing'");
  expect(asked).toEqual([{ actor: 'leader', data: expect.stringContaining('sue-2') }]);
}
