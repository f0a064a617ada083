import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyProcess, type ProcessIdentity, probeProcess, shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { BIN } from './conversations.ts';
import { type Answer, LISTENER } from './journey.ts';

/** What becomes of a launcher's conversation that has no session yet: a person has a dialog to answer, or gave it up. */

const CLAUDE = `#!/bin/sh
[ "$1" = --version ] && { echo '2.1.400 (Claude Code)'; exit 0; }
exec ${shellWord(process.execPath)} ${shellWord(path.join(import.meta.dirname, 'launched-program.ts'))} "$@"
`;
/** Its server never comes up. */
const CODEX = `#!/bin/sh
[ "$1" = --version ] && { echo 'codex-cli 0.169.0'; exit 0; }
echo $$ >"$HOME/server"
while :; do sleep 0.1; done
`;

let product: Product;
let home: string;
const launchers: ChildProcess[] = [];

beforeEach(() => {
  home = freshFolder('person');
  fs.mkdirSync(path.join(home, 'bin'));
  for (const [name, text] of Object.entries({ claude: CLAUDE, codex: CODEX }))
    fs.writeFileSync(path.join(home, 'bin', name), text, { mode: 0o755 });
  const account = { hasCompletedOnboarding: true, oauthAccount: { accountUuid: 'a' } };
  fs.writeFileSync(path.join(home, '.claude.json'), JSON.stringify(account));
  fs.mkdirSync(path.join(home, '.codex'));
  fs.writeFileSync(path.join(home, '.codex', 'auth.json'), '{}');
  product = new Product('project', {
    HOME: home,
    PATH: `${path.join(home, 'bin')}:${process.env.PATH}`,
    CLAUDE_CONFIG_DIR: undefined,
    CODEX_HOME: undefined,
    CLAUDE_CODE_OAUTH_TOKEN: 'a-token-of-the-person',
  });
});
afterEach(async () => {
  for (const launcher of launchers.splice(0)) {
    if (launcher.exitCode !== null || launcher.signalCode !== null) continue;
    launcher.kill('SIGTERM');
    await once(launcher, 'exit');
  }
  await product.end();
  if (product.coordinator()) await product.run(['coordinator', 'stop', '--force']);
});

/** As in a pane of a tmux that the person is in: it runs right here. */
function launch(...words: readonly string[]): ChildProcess {
  const child = spawn(BIN, words, {
    cwd: product.workspace,
    env: { ...product.environment, TMUX: 'x' },
    stdio: 'ignore',
  });
  launchers.push(child);
  return child;
}

const isThere = (name: string): boolean => fs.existsSync(path.join(home, name));
const launched = () =>
  fs.existsSync(product.paths.ledger) ? product.rows('select handle, ended_at from leaders') : [];

/** Its terminal part runs, and shows a dialog. */
async function showsDialog(): Promise<void> {
  await eventually('its dialog', () => isThere('pid') && String(launched()[0]?.handle).includes('"terminal"'));
}

/** A person answers the dialog; then the conversation runs our command. */
async function answersAndRuns(...words: readonly string[]): Promise<Answer & { readonly leader?: object }> {
  fs.writeFileSync(path.join(home, 'runs.new'), JSON.stringify([BIN, '--json', ...words]));
  fs.renameSync(path.join(home, 'runs.new'), path.join(home, 'runs'));
  fs.writeFileSync(path.join(home, 'answered'), '');
  await eventually('what it ran', () => isThere('ran'));
  return JSON.parse(fs.readFileSync(path.join(home, 'ran'), 'utf8'));
}

test.each<[string, () => Promise<unknown>]>([
  ['was stopped', () => product.run(['coordinator', 'stop'])],
  ['was killed', () => product.killCoordinator()],
])('D05 M10 a conversation whose coordinator %s during its dialog leads the team that it starts', async (_, end) => {
  const docs = product.writeTeam('crew', [{ id: 'w', script: LISTENER }]);
  launch('claude');
  await showsDialog();
  const before = product.coordinator();
  await end();
  await eventually('the coordinator to be gone', () => product.coordinator()?.pid !== before?.pid);
  const started = await answersAndRuns('quick-start', docs);
  expect(started).toMatchObject({ ok: true, leader: { receiver: 'claude', epoch: 1 } });
});

test('G14 D05 the shutdown of the last team leaves the coordinator to a launch that shows its dialog', async () => {
  const docs = product.writeTeam('crew', [{ id: 'w', script: LISTENER }]);
  expect(await product.json(['quick-start', docs])).toMatchObject({ ok: true });
  launch('claude');
  await showsDialog();
  expect(await product.json(['shutdown'])).toMatchObject({ ok: true, coordinator: { status: 'running' } });
});

test('D04 a launch that is given up while it is prepared leaves no server, no pane and no row that lives', async () => {
  const launcher = launch('codex');
  const server = await eventually('its server', () => isThere('server') && serverOf());
  launcher.kill('SIGINT');
  await eventually('it to end', () => launcher.exitCode !== null || launcher.signalCode !== null);
  await eventually('its server to end', () => probeProcess(server) === 'dead');
  await eventually('its row to be closed', () => launched()[0]?.ended_at !== null);
  expect(fs.readdirSync(path.join(product.paths.run, 'leaders'))).toEqual([]);
});

test('D04 M10 what a killed coordinator had prepared for a launcher that is gone ends with the next boot', async () => {
  const launcher = launch('codex');
  const server = await eventually('its server', () => isThere('server') && serverOf());
  await product.killCoordinator();
  await eventually('the launcher to end', () => launcher.exitCode !== null || launcher.signalCode !== null);
  expect(await product.json(['coordinator', 'start'])).toMatchObject({ ok: true });
  await eventually('its server to end', () => probeProcess(server) === 'dead', 40_000);
  await eventually('its row to be closed', () => launched()[0]?.ended_at !== null);
});

test('D13 a team that a launch names is the one of every other verb; a name that none has is refused, and begins nothing', async () => {
  for (const name of ['one', 'two']) {
    const docs = product.writeTeam(name, [{ id: 'w', script: LISTENER }]);
    expect(await product.json(['quick-start', docs])).toMatchObject({ ok: true });
  }
  const inTmux = { environment: { TMUX: 'x' } };
  const refused = await product.json<{ next: string[] }>(['--team', 'tow', 'claude'], inTmux);
  expect(refused).toMatchObject({ ok: false, code: 1, reason: 'team_not_found' });
  expect(refused.next).toEqual(['team-agent --team one claude', 'team-agent --team two claude']);
  expect(launched()).toEqual([]);
  const session = String(product.rows("select session_name from teams where team = 'two'")[0]?.session_name);
  launch('--team', session, 'claude');
  await showsDialog();
  fs.writeFileSync(path.join(home, 'answered'), '');
  const receivers = () => product.rows('select team from leases where receiver is not null').map(({ team }) => team);
  await eventually('it to lead', () => receivers().length > 0);
  expect(receivers()).toEqual(['two']);
});

function serverOf(): ProcessIdentity | undefined {
  return identifyProcess(Number(fs.readFileSync(path.join(home, 'server'), 'utf8')));
}
