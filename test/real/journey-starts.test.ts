import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, deliver } from '../tmux/journey.ts';
import { quickStart, whyWhen } from './stage.ts';
import { type RealAgent, type RealOptions, RealProduct } from './world/real-product.ts';

let product: RealProduct;
afterEach(() => product?.end());

const BOTH: readonly RealAgent[] = [
  { id: 'claire', provider: 'claude' },
  { id: 'cody', provider: 'codex' },
];

async function open(options: RealOptions, agents: readonly RealAgent[] = BOTH): Promise<string> {
  product = await RealProduct.open(options);
  return product.writeTeam('crew', agents);
}

test('C09 C06 --trust: both start without tmux around and without a dialog; the word is kept, nothing is written for the CLIs', async () => {
  const folder = await open({ trustsWorkspace: false, environment: { TMUX: undefined, TMUX_PANE: undefined } });
  const config = fs.readFileSync(`${product.home.codex}/config.toml`, 'utf8');
  const started = await quickStart(product, folder, '--trust');
  expect(started.agents.map(({ state }) => state)).toEqual(['idle', 'idle']);
  for (const { id } of BOTH) await deliver(product, id, 'hello', '--expects', 'nothing');
  const [event] = product.rows("select data from events where type = 'folders.trusted'");
  expect(JSON.parse(String(event?.data))).toEqual({ folders: [product.workspace], said_by: 'person' });
  expect((await product.run(['shutdown'])).code).toBe(0);
  const again = await quickStart(product, folder, '--fresh');
  expect(again.agents.map(({ state }) => state)).toEqual(['idle', 'idle']);
  expect(fs.readFileSync(`${product.home.codex}/config.toml`, 'utf8')).toBe(config);
  const state = JSON.parse(fs.readFileSync(`${product.home.claude}/.claude.json`, 'utf8'));
  expect(state.projects[product.workspace]?.hasTrustDialogAccepted ?? false).toBe(false);
});

test('C04 agents that never ask run a command outside their folder at once, and take mail as before', async () => {
  const agents = BOTH.map((agent) => ({ ...agent, tools: ['execute_bash'], head: 'permission_mode: bypass\n' }));
  const folder = await open({ environment: { IS_SANDBOX: '1' } }, agents);
  await quickStart(product, folder, '--yes');
  const [event] = product.rows("select data from events where type = 'permission.granted'");
  expect(JSON.parse(String(event?.data))).toEqual({ agents: ['claire', 'cody'], said_by: 'person' });
  for (const { id } of agents) {
    const file = path.join(product.home.path, `made-by-${id}`);
    await deliver(product, id, `go [[shell echo made > ${file}]] [[say made]]`, '--expects', 'nothing');
    await eventually(`${id} to have made it`, () => fs.existsSync(file) && fs.readFileSync(file, 'utf8') === 'made\n');
    const next = await deliver(product, id, 'and now?', '--expects', 'nothing');
    expect(next).toMatchObject({ state: 'consumed', channel: 'protocol', attempts: 1 });
  }
  expect(product.rows("select * from events where type like 'approval.%'")).toEqual([]);
});

const UNKNOWN = { claude: { version: '9.9.9 (Claude Code)' }, codex: { version: 'codex-cli 9.9.9' } };

test('N06 versions that were never measured are announced; what proves itself works, approvals stay in the terminal', async () => {
  const folder = await open(
    UNKNOWN,
    BOTH.map((agent) => ({ ...agent, tools: ['execute_bash'] })),
  );
  const started = await quickStart(product, folder);
  expect(started.warnings.join('\n')).toMatch(/Claude Code 9\.9\.9.*\n.*Codex 9\.9\.9/);
  const status = await product.json<{ agents: Record<string, Record<string, unknown>> }>(['status']);
  for (const { id } of BOTH) {
    expect(status.agents[id]).toMatchObject({ provider_version: '9.9.9', channel: 'protocol' });
    const delivery = await deliver(
      product,
      id,
      `go [[escalate touch ${product.home.path}/asked-${id}]] [[say done]]`,
      '--expects',
      'nothing',
    );
    expect(delivery).toMatchObject({ state: 'consumed', channel: 'protocol', attempts: 1 });
    await whyWhen(product, id, 'waiting_approval');
    expect(await ask(product, 'approve', id)).toMatchObject({ code: 1, reason: 'approval_unanswerable' });
  }
});

test('N06 the warning is on the screen too', async () => {
  const folder = await open(UNKNOWN, BOTH.slice(1));
  const { code, stdout } = await product.run(['quick-start', folder]);
  expect(code).toBe(0);
  expect(stdout).toContain('Codex 9.9.9');
});

const DIALOGS: readonly (readonly [string, (product: RealProduct) => void, RegExp, string])[] = [
  [
    'a CLAUDE.md from elsewhere',
    ({ workspace, home }) => {
      fs.writeFileSync(path.join(home.path, 'rules.md'), 'be kind\n');
      fs.writeFileSync(path.join(workspace, 'CLAUDE.md'), `@${home.path}/rules.md\n`);
    },
    /external CLAUDE\.md/i,
    '❯ No, disable external imports',
  ],
  [
    'settings that are wrong',
    ({ workspace }) => {
      fs.mkdirSync(path.join(workspace, '.claude'), { recursive: true });
      fs.writeFileSync(path.join(workspace, '.claude', 'settings.json'), '{"permissions": {"allow": 7}}');
    },
    /Settings Error/,
    '❯ 1. Fix with Claude',
  ],
];

test.each(DIALOGS)(
  'C08 Claude Code asks about %s: refused with the text of its dialog, no key is sent, all is undone',
  async (_, prepare, text, choice) => {
    const folder = await open({});
    prepare(product);
    const refused = await ask(product, 'quick-start', folder);
    expect(refused).toMatchObject({ code: 1, reason: 'startup_dialog' });
    expect(refused.message).toMatch(text);
    // Its first choice, as it opened.
    expect(refused.message).toContain(choice);
    expect(refused.next).toContain(`cd ${product.workspace} && claude`);
    expect(product.rows('select * from incarnations where ended_at is null')).toEqual([]);
    expect(fs.readdirSync(path.join(product.paths.run, 'agents'))).toEqual([]);
  },
);
