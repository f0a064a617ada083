import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { deliver } from '../tmux/journey.ts';
import { quickStart } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
beforeAll(async () => {
  product = await RealProduct.open({ loggedIn: false });
});
afterAll(() => product?.end());

/** A team of one agent of each CLI, with one official key each. */
function team(keys: { readonly claude: string; readonly codex: string }): string {
  const folder = product.writeTeam('official', [
    { id: 'claire', provider: 'claude', head: 'auth_mode: official_api\nprofile: claude\n' },
    { id: 'cody', provider: 'codex', head: 'auth_mode: official_api\nprofile: codex\n' },
  ]);
  fs.mkdirSync(path.join(folder, 'profiles'), { recursive: true });
  const write = (name: string, base: string, key: string): void =>
    fs.writeFileSync(
      path.join(folder, 'profiles', `${name}.env`),
      `AUTH_MODE=official_api\nBASE_URL=${base}\nAPI_KEY=${key}\n`,
    );
  write('claude', product.anthropic.url, keys.claude);
  write('codex', `${product.openai.url}/v1`, keys.codex);
  return folder;
}

test('B08 a key that Claude Code would ask about is refused before anything starts, with the way to say yes', async () => {
  const folder = team({ claude: 'sk-CANARYnever-seen-0123456789', codex: 'sk-CANARYcody0123456789ab' });
  const refused = await product.json<{ reason: string; message: string; next: string[] }>(['quick-start', folder]);
  expect(refused).toMatchObject({ code: 1, reason: 'provider_not_logged_in' });
  expect(refused.next.join()).toMatch(/claude\.env && ANTHROPIC_API_KEY="\$\{ANTHROPIC_API_KEY:-\$API_KEY\}" claude/);
  expect(JSON.stringify(refused)).not.toContain('CANARY');
  expect(fs.existsSync(product.paths.team)).toBe(false);
});

test('B08 official keys reach the APIs of their makers, asked of nobody before', async () => {
  const keys = { claude: 'sk-CANARYclaire0123456789', codex: 'sk-CANARYcody0123456789ab' };
  const state = path.join(product.home.claude, '.claude.json');
  const before = JSON.parse(fs.readFileSync(state, 'utf8'));
  const known = { ...before, customApiKeyResponses: { approved: [keys.claude.slice(-20)], rejected: [] } };
  fs.writeFileSync(state, JSON.stringify(known));
  const folder = team(keys);
  await quickStart(product, folder);
  // No smoke check: that would ask the maker, who says so itself.
  expect([...product.anthropic.requests, ...product.openai.requests]).toEqual([]);
  for (const [agent, model, credential] of [
    ['claire', product.anthropic, keys.claude],
    ['cody', product.openai, `Bearer ${keys.codex}`],
  ] as const) {
    await deliver(product, agent, `hello [[say HELLO]]`, '--expects', 'nothing');
    const asked = await eventually(`${agent}'s model to be asked`, () => model.turns.at(-1));
    expect(asked.credential).toBe(credential);
  }
  expect(JSON.parse(fs.readFileSync(state, 'utf8')).customApiKeyResponses).toEqual(known.customApiKeyResponses);
});
