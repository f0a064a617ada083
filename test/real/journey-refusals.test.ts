import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask } from '../tmux/journey.ts';
import { type RealAgent, type RealOptions, RealProduct } from './world/real-product.ts';

let product: RealProduct;
afterEach(() => product?.end());

interface Case {
  readonly provider: RealAgent['provider'];
  readonly head?: string;
  readonly options?: RealOptions;
  readonly flags?: readonly string[];
  readonly prepare?: (product: RealProduct) => void;
  readonly reason: string;
  readonly words: RegExp;
  /** What helps. */
  readonly next: RegExp;
}

const bypass = { head: 'permission_mode: bypass\n' };

const CASES: readonly (readonly [string, Case])[] = [
  [
    'no Claude Code',
    {
      provider: 'claude',
      options: { claude: 'missing' },
      reason: 'provider_missing',
      words: /claude/,
      next: /^npm install .*@anthropic-ai\/claude-code$/,
    },
  ],
  [
    'no Codex',
    {
      provider: 'codex',
      options: { codex: 'missing' },
      reason: 'provider_missing',
      words: /codex/,
      next: /^npm install .*@openai\/codex$/,
    },
  ],
  [
    'a Claude Code without a login',
    {
      provider: 'claude',
      options: { loggedIn: false },
      reason: 'provider_not_logged_in',
      words: /no login/,
      next: /^claude \/login$/,
    },
  ],
  [
    'a Codex without a login',
    {
      provider: 'codex',
      options: { loggedIn: false },
      reason: 'provider_not_logged_in',
      words: /no login/,
      next: /^codex login$/m,
    },
  ],
  [
    'a Claude Code that is too old',
    {
      provider: 'claude',
      options: { claude: { version: '2.1.300 (Claude Code)' } },
      reason: 'provider_version_unsupported',
      words: /2\.1\.300.*2\.1\.330/,
      next: /^claude update$/m,
    },
  ],
  [
    'a Codex that is too old',
    {
      provider: 'codex',
      options: { codex: { version: 'codex-cli 0.150.1' } },
      reason: 'provider_version_unsupported',
      words: /0\.150\.1.*0\.169\.0/,
      next: /^npm install .*@openai\/codex$/,
    },
  ],
  [
    'a folder that Claude Code does not trust',
    {
      provider: 'claude',
      options: { trustsWorkspace: false },
      reason: 'folder_not_trusted',
      words: /trust/,
      next: /^team-agent quick-start \S+\/docs\/one --trust$/m,
    },
  ],
  [
    'a folder that Codex does not trust',
    {
      provider: 'codex',
      options: { trustsWorkspace: false },
      reason: 'folder_not_trusted',
      words: /trust/,
      next: /^team-agent quick-start \S+\/docs\/one --trust$/m,
    },
  ],
  [
    'a Claude Code that shall not ask, as root outside a sandbox',
    {
      provider: 'claude',
      ...bypass,
      flags: ['--yes'],
      reason: 'provider_cannot',
      words: /\broot\b/,
      next: /^env IS_SANDBOX=1 team-agent quick-start \S+\/docs\/one --yes$/,
    },
  ],
  [
    'a Claude Code that would ask whether it may use a key',
    {
      provider: 'claude',
      options: { environment: { ANTHROPIC_API_KEY: 'sk-ant-another-key-of-no-account' } },
      reason: 'provider_not_logged_in',
      words: /ANTHROPIC_API_KEY/,
      next: /^env -u ANTHROPIC_API_KEY team-agent quick-start \S+\/docs\/one$/m,
    },
  ],
  [
    'a Claude Code that was never set up',
    {
      provider: 'claude',
      prepare: ({ home }) => fs.writeFileSync(path.join(home.claude, '.claude.json'), '{}'),
      reason: 'provider_not_logged_in',
      words: /first questions/,
      next: /^claude$/,
    },
  ],
  [
    'a state of Claude Code that is torn',
    {
      provider: 'claude',
      prepare: ({ home }) => fs.writeFileSync(path.join(home.claude, '.claude.json'), '{"pro'),
      reason: 'provider_config_invalid',
      words: /\.claude\.json/,
      next: /^claude$/,
    },
  ],
  [
    'a configuration of Codex that is not TOML',
    {
      provider: 'codex',
      prepare: ({ home }) => fs.appendFileSync(path.join(home.codex, 'config.toml'), 'model = [\n'),
      reason: 'provider_config_invalid',
      words: /config\.toml/,
      next: /config\.toml/,
    },
  ],
];

test.each(CASES)('C06 Z14 %s is refused, with a command that helps, and nothing is made', async (_, given) => {
  product = await RealProduct.open(given.options);
  given.prepare?.(product);
  const folder = product.writeTeam('one', [{ id: 'solo', provider: given.provider, head: given.head ?? '' }]);
  const before = everythingIn(product);
  const refused = await ask(product, 'quick-start', folder, ...(given.flags ?? []));
  expect(refused).toMatchObject({ ok: false, code: 1, reason: given.reason });
  expect(refused.message).toMatch(given.words);
  expect(refused.next?.join('\n')).toMatch(given.next);
  for (const command of refused.next ?? []) execFileSync('sh', ['-n', '-c', command]);
  expect(everythingIn(product)).toEqual(before);
  expect(fs.existsSync(product.paths.sockets)).toBe(false);
});

/** All files of the project, and what the user has written for the two CLIs. */
function everythingIn({ workspace, home }: RealProduct): readonly string[] {
  const files = fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }).sort();
  const own = [path.join(home.claude, '.claude.json'), path.join(home.codex, 'config.toml')];
  return [...files, ...own.map((file) => fs.readFileSync(file, 'utf8'))];
}

test.each(['claude', 'codex'] as const)('C04 a %s that never asks needs a yes', async (provider) => {
  product = await RealProduct.open({ environment: { IS_SANDBOX: '1' } });
  const folder = product.writeTeam('one', [{ id: 'solo', provider, ...bypass }]);
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({
    code: 1,
    reason: 'dangerous_needs_yes',
    next: [`team-agent quick-start ${folder} --yes`],
  });
  expect(fs.existsSync(product.paths.team)).toBe(false);
});
