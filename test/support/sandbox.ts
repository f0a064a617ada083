import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/**
 * Every test file runs in a sandbox of its own: private HOME, TMPDIR and XDG_RUNTIME_DIR, no TMUX, no session variables of
 * a provider. Code under test that would reach outside finds nothing there.
 */
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ta-'));
for (const folder of ['home', 'tmp', 'run']) fs.mkdirSync(path.join(root, folder), { mode: 0o700 });
fs.writeFileSync(path.join(root, 'owner'), String(process.pid)); // another run that looks for leftovers lets it be

for (const name of Object.keys(process.env)) {
  if (/^(TMUX|TEAM_AGENT_|CLAUDE|CODEX|ANTHROPIC|OPENAI)/.test(name)) delete process.env[name];
}
Object.assign(process.env, {
  HOME: path.join(root, 'home'),
  TMPDIR: path.join(root, 'tmp'),
  XDG_RUNTIME_DIR: path.join(root, 'run'),
  TEAM_AGENT_SANDBOX: root,
  NO_COLOR: '1',
});
process.umask(0o077);

afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
});
