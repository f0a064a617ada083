import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask, deliver } from '../tmux/journey.ts';
import { quickStart, why } from './stage.ts';
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
  for (const { id } of BOTH) console.log(await deliver(product, id, 'hello', '--expects', 'nothing'));
});

test('C06 Codex cannot reach the team: refused', async () => {
  product = await RealProduct.open();
  wrap('codex', 'a=$(printf %s "$a" | sed "s#http://127.0.0.1:[0-9]*/mcp#http://127.0.0.1:9/mcp#")');
  console.log(await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(1))));
});

test('C06 Claude Code cannot reach the team: refused', async () => {
  product = await RealProduct.open();
  wrap('claude', 'case $a in */mcp.json) sed -i "s#http://127.0.0.1:[0-9]*/mcp#http://127.0.0.1:9/mcp#" "$a" ;; esac');
  console.log(await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(0, 1))));
});

test('record folder claude', async () => {
  product = await RealProduct.open();
  fs.writeFileSync(path.join(product.home.claude, 'projects'), '');
  console.log(await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(0, 1))));
  console.log(
    JSON.stringify(await ask(product, 'send', 'claire', 'hello [[say HI]]', '--wait=consumed', '--timeout', '5')),
    await why(product, 'claire'),
    product.anthropic.turns.map((t) => [t.prompt, t.outcome]),
  );
});

test('record folder codex', async () => {
  product = await RealProduct.open();
  fs.writeFileSync(path.join(product.home.codex, 'sessions'), '');
  console.log(await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(1))));
});

test('session id in use', async () => {
  product = await RealProduct.open();
  const id = '11111111-2222-4333-8444-555555555555';
  wrap('claude', `if [ "$before" = --session-id ]; then a=${id}; fi; before=$a`);
  const folder = path.join(product.home.claude, 'projects', product.workspace.replace(/[^A-Za-z0-9]/g, '-'));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, `${id}.jsonl`),
    `${JSON.stringify({ type: 'user', sessionId: id, uuid: id, message: { role: 'user', content: 'old' }, timestamp: new Date().toISOString() })}\n`,
  );
  console.log(await ask(product, 'quick-start', product.writeTeam('crew', BOTH.slice(0, 1))));
});
