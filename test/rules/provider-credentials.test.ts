import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { environmentOf } from '../../src/lifecycle/profiles/credential.ts';
import { plan as planClaude } from '../../src/providers/claude/launch/plan.ts';
import { plan as planCodex } from '../../src/providers/codex/launch.ts';
import { type Credentials, findProvider, type Installation, type LaunchRequest } from '../../src/providers/index.ts';

const CANARY = 'sk-CANARY0123456789abcdef';
const COMPATIBLE: Credentials = {
  mode: 'compatible_api',
  file: '/w/.team/crew/profiles/kimi.env',
  key: CANARY,
  baseUrl: 'https://api.example.com/v1/',
  model: 'k2',
};
const OFFICIAL: Credentials = { mode: 'official_api', file: COMPATIBLE.file, key: CANARY };

/** What a person has around: none of it may reach the endpoint of a profile. */
const PERSON = {
  PATH: '/bin',
  HOME: '/home/u',
  ANTHROPIC_API_KEY: 'own',
  ANTHROPIC_AUTH_TOKEN: 'own',
  ANTHROPIC_BASE_URL: 'http://own',
  ANTHROPIC_CUSTOM_HEADERS: 'x: own',
  ANTHROPIC_MODEL: 'own',
  CLAUDE_CODE_USE_BEDROCK: '1',
  CLAUDE_CONFIG_DIR: '/home/u/.claude',
  OPENAI_API_KEY: 'own',
  OPENAI_BASE_URL: 'http://own',
  CODEX_API_KEY: 'own',
  CODEX_HOME: '/home/u/.codex',
};

const planOf = (name: string, credentials: Credentials) => {
  const provider = findProvider(name);
  if (isRefusal(provider)) throw new Error(provider.message);
  const plan = provider.credentials.plan(credentials, '/w/.team/run/homes/crew/ann');
  return { plan, environment: environmentOf(PERSON, provider.variables, plan) };
};

const request = {
  agent: 'ann',
  team: 'crew',
  incarnation: 'i_0123456789abcdef',
  session: '437f72a8-2bb6-4d4e-a1b2-05d5e51510c2',
  role: 'developer',
  prompt: 'Build things.',
  workspace: '/w',
  folder: '/w',
  tools: [],
  permission: 'manual',
  trusted: true,
  mcp: 'inherit',
  runFolder: '/w/.team/run/i',
  socketFolder: '/run/s',
  mcpUrl: 'http://127.0.0.1:9/mcp',
  hooksUrl: 'http://127.0.0.1:9/hooks',
} as unknown as LaunchRequest;
const installation = {
  binary: '/opt/cli',
  version: '1',
  capabilities: { approvals: true },
  warnings: [],
  details: { trusted: 'by_person', config: '/c' },
} as unknown as Installation;

const launches = [
  ['claude', planClaude],
  ['codex', planCodex],
] as const;

describe('a credential of a profile', () => {
  test('B08 a compatible API for Claude Code: its key, its address, its model, a configuration of its own', () => {
    const { plan, environment } = planOf('claude', COMPATIBLE);
    const models = Object.keys(environment).filter((name) => environment[name] === 'k2');
    expect(models).toEqual(expect.arrayContaining(['ANTHROPIC_MODEL', 'ANTHROPIC_DEFAULT_HAIKU_MODEL']));
    const { CLAUDE_CONFIG_DIR: config, ...rest } = environment;
    expect(Object.fromEntries(Object.entries(rest).filter(([name]) => !models.includes(name)))).toEqual({
      PATH: '/bin',
      HOME: '/home/u',
      ANTHROPIC_BASE_URL: 'https://api.example.com',
    });
    expect(plan.secrets).toEqual({ ANTHROPIC_AUTH_TOKEN: CANARY });
    expect(plan.files).toEqual([{ path: `${config}/.claude.json`, content: expect.any(String), keeps: true }]);
    expect(config).toMatch(/^\/w\/\.team\/run\/homes\/crew\/ann\//);
    expect(plan.files[0]?.content).not.toContain('hasTrustDialogAccepted');
  });

  test('B08 an official key for Claude Code: the person’s own configuration, and no other login', () => {
    const { plan, environment } = planOf('claude', OFFICIAL);
    expect(environment).toEqual({
      PATH: '/bin',
      HOME: '/home/u',
      ANTHROPIC_MODEL: 'own',
      CLAUDE_CONFIG_DIR: '/home/u/.claude',
    });
    expect(plan).toMatchObject({ secrets: { ANTHROPIC_API_KEY: CANARY }, files: [], options: [] });
  });

  test.each([
    [OFFICIAL, 'https://api.openai.com/v1', 'model_provider="team_agent_official"'],
    [COMPATIBLE, 'https://api.example.com/v1', 'model_provider="team_agent"'],
    [
      { ...COMPATIBLE, modelProvider: 'kimi', providerName: 'A "name"' },
      'https://api.example.com/v1',
      'model_provider="kimi"',
    ],
  ])('B08 Codex is told where its key stands, and not the key: %#', (credentials, url, provider) => {
    const { plan, environment } = planOf('codex', credentials);
    expect(environment).toEqual({ PATH: '/bin', HOME: '/home/u', CODEX_HOME: '/home/u/.codex', OPENAI_BASE_URL: url });
    expect(plan.secrets).toEqual({ TEAM_AGENT_PROVIDER_API_KEY: CANARY, OPENAI_API_KEY: CANARY });
    expect(plan.options).toContain(provider);
    const definition = plan.options.find((option) => option.startsWith('model_providers.')) ?? '';
    expect(definition).toContain(`base_url="${url}",env_key="TEAM_AGENT_PROVIDER_API_KEY",wire_api="responses"`);
  });

  test.each(launches)('A09 B08 Z07 the plan of %s has no secret in it, with an environment neither', (name, launch) => {
    for (const credentials of [OFFICIAL, COMPATIBLE]) {
      const { plan, environment } = planOf(name, credentials);
      const made = launch({ ...request, environment, credentials: plan }, installation);
      expect(isRefusal(made)).toBe(false);
      expect(JSON.stringify(made)).not.toContain('CANARY');
    }
  });

  test.each(launches)('B08 Z64 a life of %s without a profile is started as ever', (_, launch) => {
    const made = launch({ ...request, environment: { PATH: '/bin' } }, installation);
    expect(JSON.stringify(made)).not.toMatch(/model_provider|TEAM_AGENT_PROVIDER|homes/);
  });

  test('B08 this machine’s own ports are reached past the proxies of a profile', () => {
    const { plan } = planOf('codex', COMPATIBLE);
    const proxied = { ...plan, secrets: { ...plan.secrets, HTTPS_PROXY: 'http://me:CANARY@p' } };
    const environment = environmentOf(PERSON, [], proxied);
    expect(environment).toMatchObject({ NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' });
    expect(environment).not.toHaveProperty('HTTPS_PROXY');
    const excepted = { ...proxied, environment: { NO_PROXY: 'example.com' } };
    expect(environmentOf(PERSON, [], excepted)).toMatchObject({ NO_PROXY: 'example.com,127.0.0.1' });
  });
});
