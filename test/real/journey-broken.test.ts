import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask, deliver } from '../tmux/journey.ts';
import { quickStart } from './stage.ts';
import { type RealAgent, RealProduct } from './world/real-product.ts';

let product: RealProduct;
afterEach(() => product?.end());

const BOTH: readonly RealAgent[] = [
  { id: 'claire', provider: 'claude' },
  { id: 'cody', provider: 'codex' },
];

/** The user's CLI, but something happens to its arguments first: `lines` of a shell, for each argument `$a`. */
function wrap(cli: 'claude' | 'codex', lines: string): void {
  const file = path.join(product.home.bin, cli);
  const program = fs.realpathSync(file);
  fs.rmSync(file);
  const script = `#!/bin/sh\nfor a in "$@"; do\n  shift\n  ${lines}\n  set -- "$@" "$a"\ndone\nexec '${program}' "$@"\n`;
  fs.writeFileSync(file, script, { mode: 0o700 });
}

test('N01 N02 a proxy of the user does not stand between the agents and the team', async () => {
  product = await RealProduct.open({
    environment: {
      HTTP_PROXY: 'http://127.0.0.1:9',
      http_proxy: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
  await quickStart(product, product.writeTeam('crew', BOTH));
  for (const { id } of BOTH) await deliver(product, id, 'hello', '--expects', 'nothing');
});

/** Nothing of the refused launch lives, and no file of it is left. */
function expectUndone(): void {
  expect(product.rows('select * from incarnations where ended_at is null')).toEqual([]);
  expect(fs.readdirSync(path.join(product.paths.run, 'agents'))).toEqual([]);
}

test('C06 CLIs that cannot reach the team are not ready: refused, with what is missing', async () => {
  product = await RealProduct.open();
  const elsewhere = 's#http://127.0.0.1:[0-9]*/mcp#http://127.0.0.1:9/mcp#';
  wrap('codex', `a=$(printf %s "$a" | sed "${elsewhere}")`);
  wrap('claude', `case $a in */mcp.json) sed -i "${elsewhere}" "$a" ;; esac`);
  const refused = await ask(product, 'quick-start', product.writeTeam('crew', BOTH));
  expect(refused).toMatchObject({ code: 1, reason: 'agents_not_ready' });
  expect(refused.message).toContain('claire: it was not ready after 30 s: it has not asked for its team tools');
  expect(refused.message).toContain("cody: cody's Codex could not start: it could not reach the team's tools");
  expect(refused.next).toContain('team-agent events --team crew');
  expectUndone();
});

test.each([
  ['Claude Code', 'projects', 0],
  ['Codex', 'sessions', 1],
])('C06 a folder of records of %s that cannot be read: refused, nothing is left', async (_, name, agent) => {
  product = await RealProduct.open();
  const home = agent === 0 ? product.home.claude : product.home.codex;
  fs.writeFileSync(path.join(home, name), '');
  const refused = await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(agent, agent + 1)));
  expect(refused).toMatchObject({ code: 1, reason: 'agents_not_ready' });
  expect(refused.message).toContain(path.join(home, name));
  expectUndone();
});

test('C06 a session id of Claude Code that is in use: refused in its own words', async () => {
  product = await RealProduct.open();
  const id = '11111111-2222-4333-8444-555555555555';
  wrap('claude', `if [ "$before" = --session-id ]; then a=${id}; fi; before=$a`);
  const folder = path.join(product.home.claude, 'projects', product.workspace.replace(/[^A-Za-z0-9]/g, '-'));
  fs.mkdirSync(folder, { recursive: true });
  const old = { type: 'user', sessionId: id, uuid: id, message: { role: 'user', content: 'old' } };
  fs.writeFileSync(path.join(folder, `${id}.jsonl`), `${JSON.stringify(old)}\n`);
  const refused = await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(0, 1)));
  expect(refused).toMatchObject({ code: 1, reason: 'agents_not_ready' });
  expect(refused.message).toMatch(/claire ended as soon as it was started .*already in use/);
  expectUndone();
});
