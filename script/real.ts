/**
 * Single journeys with the real Claude Code and Codex, by hand: `node script/real.ts test/real/world.test.ts [-t TITLE]`.
 * The words go to the test runner. As in `./script/test real` everything runs with loopback alone.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installCommandLines } from './command-lines.ts';
import { loopbackOnly } from './loopback.ts';

const root = path.dirname(import.meta.dirname);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ta-'));
try {
  installCommandLines(root, (line) => console.log(line));
  const runner = [process.execPath, path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project=real'];
  const inside = loopbackOnly(path.join(folder, 'namespace'), (line) => console.log(line));
  const [program = '', ...words] = [...inside, ...runner, ...process.argv.slice(2)];
  process.exitCode = spawnSync(program, words, { cwd: root, stdio: 'inherit' }).status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
