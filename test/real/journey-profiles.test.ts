import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readIfThere } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, tmux } from '../tmux/journey.ts';
import { paneOf, quickStart } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

/** What a profile holds, by the agent that uses it. */
const KEYS = { claire: 'sk-CANARYclaire0123456789', cody: 'sk-CANARYcody0123456789ab' } as const;
type Name = keyof typeof KEYS;
const AGENTS = Object.keys(KEYS) as Name[];

let product: RealProduct;
let folder: string;

const baseOf = (agent: Name): string => (agent === 'claire' ? product.anthropic.url : `${product.openai.url}/v1`);
const modelOf = (agent: Name) => (agent === 'claire' ? product.anthropic : product.openai);

function writeProfile(home: string, agent: Name, key: string, more = ''): void {
  const file = path.join(home, 'profiles', `${agent}.env`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const text = `AUTH_MODE=compatible_api\nBASE_URL=${baseOf(agent)}\nAPI_KEY=${key}\nMODEL=model-of-${agent}\n${more}`;
  fs.writeFileSync(file, text, { mode: 0o600 });
}

/** What the models of both were asked with, once the agent has heard a word. */
async function askedAbout(agent: Name, word: string) {
  await deliver(product, agent, `${word} [[say ${word}]]`, '--expects', 'nothing');
  return eventually(`${agent}'s model to be asked`, () =>
    modelOf(agent).turns.find(({ prompt, outcome }) => prompt.includes(word) && outcome === 'answered'),
  );
}

beforeAll(async () => {
  // Nobody is logged in: whatever works, works by the profiles.
  product = await RealProduct.open({ loggedIn: false, environment: { IS_SANDBOX: '1' } });
  const head = (agent: Name) => `auth_mode: compatible_api\nprofile: ${agent}\ndangerous_auto_approve: true\n`;
  folder = product.writeTeam('pair', [
    { id: 'claire', provider: 'claude', head: head('claire') },
    { id: 'cody', provider: 'codex', head: head('cody') },
  ]);
  for (const agent of AGENTS) writeProfile(folder, agent, KEYS[agent]);
  await quickStart(product, folder, '--yes');
});
afterAll(() => product?.end());

/** Every file below a folder that holds a text. */
function filesWith(home: string, text: string): string[] {
  return (
    fs
      .readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(home, name))
      // What was there a moment ago may have gone: CLIs write into new files and rename them.
      .filter((file) => fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() && readIfThere(file)?.includes(text))
  );
}

function commandLines(): string {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // it has ended meanwhile
      }
    })
    .join('\n');
}

describe('with the real Claude Code and Codex, and no login of their own', () => {
  test.each(AGENTS)('B08 Z64 %s works with the key, the address and the model of its profile', async (agent) => {
    const asked = await askedAbout(agent, `FIRST-${agent}`);
    expect(asked).toMatchObject({ credential: `Bearer ${KEYS[agent]}`, model: `model-of-${agent}` });
    expect(modelOf(agent).requests.every(({ credential }) => credential === `Bearer ${KEYS[agent]}`)).toBe(true);
    const models = new Set(modelOf(agent).requests.map(({ model }) => model));
    expect([...models]).toEqual([`model-of-${agent}`]);
  });

  test('A09 B07 Z07 the keys are in no file but the profiles, in no command line, and in nothing that is told', async () => {
    for (const agent of AGENTS) await askedAbout(agent, `SECOND-${agent}`);
    const profiles = [folder, path.join(product.paths.team, 'pair')].flatMap((home) =>
      AGENTS.map((agent) => path.join(home, 'profiles', `${agent}.env`)),
    );
    expect(filesWith(product.workspace, 'CANARY').sort()).toEqual(profiles.sort());
    expect(filesWith(product.home.path, 'CANARY')).toEqual([]);
    expect(commandLines()).not.toContain('CANARY');
    const told = await Promise.all(
      [['status', '--detail'], ['events'], ['ledger', 'dump'], ['why', 'claire'], ['why', 'cody']].map(
        async (command) => (await product.run(['--json', ...command])).stdout,
      ),
    );
    expect(told.join('\n')).not.toContain('CANARY');
    const session = '=team-pair:';
    expect(tmux(product, 'show-environment', '-t', session) + tmux(product, 'show-environment', '-g')).not.toContain(
      'CANARY',
    );
  });

  test.each(AGENTS)('A09 Z07 a shell of %s that prints its environment does not print the key', async (agent) => {
    const file = path.join(product.workspace, `environment-of-${agent}`);
    await deliver(product, agent, `look [[shell env > ${file}]] [[say LOOKED]]`, '--expects', 'nothing');
    const seen = await eventually('its shell to have written', () => {
      const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
      return text.includes('TEAM_AGENT_TOKEN=') ? text : undefined;
    });
    expect(seen).not.toContain('CANARY');
  });

  test.each(AGENTS)('B08 N05 %s goes on with its conversation after a start with a newer key', async (agent) => {
    await askedAbout(agent, `PLUM-${agent}`);
    const newer = `${KEYS[agent]}-newer`;
    writeProfile(path.join(product.paths.team, 'pair'), agent, newer);
    expect(await ask(product, 'stop-agent', agent)).toMatchObject({ ok: true });
    const again = await product.json<{ ok: boolean; start_mode: string; message?: string }>([
      ...['start-agent', agent, '--yes'],
    ]);
    expect(again, again.message).toMatchObject({ ok: true, start_mode: 'resumed' });
    const asked = await askedAbout(agent, `AFTER-${agent}`);
    expect(asked.credential).toBe(`Bearer ${newer}`);
    expect(JSON.stringify(asked.history)).toContain(`PLUM-${agent}`);
    const pane = paneOf(product, agent);
    await eventually(`${agent}'s pane to show it`, () =>
      tmux(product, 'capture-pane', '-p', '-t', pane).includes('AFTER-'),
    );
  });

  test('B08 what is remembered belongs to its configuration: without the profile a Claude Code would have to begin anew', async () => {
    const document = path.join(product.paths.team, 'pair', 'agents', 'claire.md');
    const text = fs.readFileSync(document, 'utf8');
    fs.writeFileSync(document, text.replace(/auth_mode: .*\nprofile: .*\n/, ''));
    const environment = { ANTHROPIC_AUTH_TOKEN: 'a-token-of-the-person' };
    const refused = await product.json<{ reason: string; message: string }>(
      ['start-agent', 'claire', '--force', '--yes'],
      {
        environment,
      },
    );
    expect(refused).toMatchObject({ code: 1, reason: 'resume_unavailable' });
    expect(refused.message).toMatch(/it was made with the config folder .*homes\/pair\/claire\/claude/);
    fs.writeFileSync(document, text);
  });

  test('B08 what was said to one model provider is not gone on with at another, but by somebody who gives it up', async () => {
    const kept = path.join(product.paths.team, 'pair');
    writeProfile(kept, 'cody', KEYS.cody, 'MODEL_PROVIDER=another\n');
    const refused = await product.json<{ reason: string; message: string }>([
      'start-agent',
      'cody',
      '--force',
      '--yes',
    ]);
    expect(refused).toMatchObject({ code: 1, reason: 'resume_unavailable' });
    expect(refused.message).toMatch(/model provider team_agent, and the one of now is another/);
    const fresh = ['start-agent', 'cody', '--force', '--yes', '--allow-fresh'];
    expect(await product.json(fresh)).toMatchObject({ ok: true, start_mode: 'fresh' });
    expect((await askedAbout('cody', 'ELSEWHERE')).credential).toBe(`Bearer ${KEYS.cody}`);
  });

  test('B08 the person’s own configuration is as it was', () => {
    const claude = JSON.parse(fs.readFileSync(path.join(product.home.claude, '.claude.json'), 'utf8'));
    expect(Object.keys(claude).sort()).toEqual([
      'customApiKeyResponses',
      'hasCompletedOnboarding',
      'projects',
      'theme',
    ]);
    expect(fs.readFileSync(path.join(product.home.codex, 'config.toml'), 'utf8')).not.toContain('team_agent');
  });
});
