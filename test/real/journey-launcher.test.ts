import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TEAM_AGENT, UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminal: UserTerminal;

beforeEach(async () => {
  product = await RealProduct.open();
  terminal = new UserTerminal(product);
});
afterEach(async () => {
  await terminal.end();
  await product.end();
});

test.each(['claude', 'codex'])(
  'D01 C09 team-agent %s outside tmux runs in a session of its own name, with the environment of the person',
  async (provider) => {
    const words = provider === 'claude' ? ['--permission-mode', 'manual'] : [];
    const launcher = spawn(TEAM_AGENT, [provider, ...words], {
      cwd: product.workspace,
      env: { ...terminal.environment, A_WORD: 'of the person' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(launcher, 'exit');
    const session = await eventually('its session', () => terminal.sessions()[0]);
    expect(session).toMatch(new RegExp(`^team-agent-leader-${provider}-project-\\w+-[0-9a-f]{8}$`));
    await terminal.shows(provider === 'claude' ? 'manual mode' : 'Ask Codex', session);
    expect(terminal.tmux('show-environment', '-t', `=${session}`)).not.toMatch(/KEY|TOKEN/);
    const again = spawn(TEAM_AGENT, [provider], {
      cwd: product.workspace,
      env: terminal.environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const joined = once(again, 'exit');
    expect(String((await once(again.stderr, 'data'))[0])).toContain(session);
    terminal.tmux('kill-session', '-t', `=${session}`);
    await Promise.all([ended, joined]);
    expect(terminal.sessions()).toEqual([]);
  },
);

test('D02 the words behind the launcher are those of its CLI; what cannot lead is refused', async () => {
  const version = await product.run(['claude', '--version'], { environment: { TMUX: 'x' } });
  expect(version).toMatchObject({ code: 2, stdout: '' });
  expect(version.stderr).toContain('--version');
  const help = await product.run(['claude', '--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('word for word');
});
