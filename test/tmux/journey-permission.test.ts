import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Product } from '../support/product.ts';
import { ask, LISTENER } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin');

let product: Product;
afterEach(() => product.end());

const eventsOf = (type: string) =>
  product
    .rows(`select actor, data from events where type = '${type}' order by seq`)
    .map(({ actor, data }) => ({ actor, ...JSON.parse(String(data)) }));

/** Types a command line as a person would. */
function typed(line: string): { code: number | null; output: string } {
  const ran = spawnSync('sh', ['-c', line], {
    cwd: product.workspace,
    env: { ...product.environment, PATH: `${BIN}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  return { code: ran.status, output: `${ran.stdout}${ran.stderr}` };
}

test('C04 agents that never ask start only after a yes, and what the refusal suggests is what starts them', async () => {
  product = new Product();
  const agents = [
    { id: 'bold', script: LISTENER },
    { id: 'careful', script: LISTENER, head: 'permission_mode: manual\n' },
    { id: 'resting', script: LISTENER, head: 'paused: true\n' },
  ];
  const folder = product.writeTeam("the bold's crew", agents, 'dangerous_auto_approve: true\n');
  const before = fs.readdirSync(product.workspace);
  const refused = await ask(product, 'quick-start', folder, '--trust');
  expect(refused).toMatchObject({
    code: 1,
    ok: false,
    reason: 'dangerous_needs_yes',
    evidence: { agents: ['bold'] },
  });
  expect(refused.message).toContain('bold');
  expect(refused.message).not.toContain('careful');
  expect(fs.readdirSync(product.workspace)).toEqual(before);
  expect(product.coordinator()).toBeUndefined();
  const [command = ''] = refused.next ?? [];
  expect(command).toMatch(/--trust --yes$/);
  expect(typed(command)).toMatchObject({ code: 0 });
  expect(eventsOf('permission.granted')).toEqual([{ actor: 'coordinator', agents: ['bold'], said_by: 'person' }]);
  const status = await product.json<{ agents: Record<string, object> }>(['status']);
  expect(status.agents).toMatchObject({ bold: { permission: 'bypass' }, careful: { permission: 'manual' } });
});

test('C04 a yes counts for one launch only', async () => {
  product = new Product();
  const folder = product.writeTeam('crew', [{ id: 'bold', script: LISTENER }], 'dangerous_auto_approve: true\n');
  expect(await ask(product, 'quick-start', folder, '--yes')).toMatchObject({ ok: true });
  expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
  const kept = product.rows('select count(*) as n from events');
  expect(await ask(product, 'quick-start', folder)).toMatchObject({ code: 1, reason: 'dangerous_needs_yes' });
  expect(product.rows('select count(*) as n from events')).toEqual(kept);
});

test('C08 --trust is a person’s yes to the folders of the agents: it is on record, and so is who said it', async () => {
  product = new Product();
  const other = path.join(product.workspace, 'sub');
  fs.mkdirSync(other);
  const agents = [
    { id: 'a', script: LISTENER },
    { id: 'b', script: LISTENER },
    { id: 'c', script: LISTENER, head: 'working_directory: sub\n' },
  ];
  const folder = product.writeTeam('crew', agents);
  const trusted = () => product.rows('select folder, said_by from trusted_folders order by folder');
  expect(await ask(product, 'quick-start', folder)).toMatchObject({ ok: true });
  expect([trusted(), eventsOf('folders.trusted')]).toEqual([[], []]);
  await ask(product, 'shutdown');
  expect(await ask(product, 'quick-start', folder, '--trust')).toMatchObject({ ok: true });
  const folders = [product.workspace, other];
  expect(trusted()).toEqual(folders.map((one) => ({ folder: one, said_by: 'person' })));
  expect(eventsOf('folders.trusted')).toEqual([{ actor: 'coordinator', folders, said_by: 'person' }]);
  expect(eventsOf('permission.granted')).toEqual([]);
});
