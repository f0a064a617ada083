/** Each capability of docs/scoreboard.md with the parts of the suite that prove it: `node script/scoreboard.ts [--json]`. */
import fs from 'node:fs';
import path from 'node:path';
import { type Part, proofsOf, rowsOf } from './proofs.ts';

const root = path.dirname(import.meta.dirname);
const PARTS: readonly Part[] = ['rule', 'simulator', 'tmux', 'claude', 'codex'];
const WIDTH = 80;

const rows = rowsOf(fs.readFileSync(path.join(root, 'docs/scoreboard.md'), 'utf8'));
const files = fs.globSync('test/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] });
const proofs = files.flatMap((file) => proofsOf(file, fs.readFileSync(path.join(root, file), 'utf8')));
const known = new Set(rows.map((row) => row.id));
const strangers = proofs.filter((proof) => !known.has(proof.id));

const table = rows.map((row) => {
  const tests = proofs.filter((proof) => proof.id === row.id);
  return { ...row, parts: PARTS.filter((part) => tests.some((test) => test.parts.includes(part))), tests };
});
const proved = table.filter((row) => row.tests.length > 0).length;

function line(id: string, capability: string, parts: string): string {
  const room = WIDTH - 6 - parts.length - (parts ? 2 : 0);
  const text = capability.length > room ? `${capability.slice(0, room - 1)}…` : capability;
  return `${id.padEnd(4)}  ${parts ? `${text.padEnd(room)}  ${parts}` : text}`;
}

if (process.argv.includes('--json')) {
  const capabilities = table.map(({ tests, ...row }) => ({
    ...row,
    tests: tests.map(({ file, title }) => ({ file, title })),
  }));
  console.log(JSON.stringify({ ok: strangers.length === 0, proved, total: rows.length, capabilities }));
} else {
  let group = '';
  for (const row of table) {
    if (row.group !== group) console.log(`${group ? '\n' : ''}${row.group}`);
    group = row.group;
    console.log(line(row.id, row.capability, row.parts.join(' ') || '-'));
  }
  console.log(`\n${proved} of ${rows.length} proved`);
}
for (const { id, file } of strangers) console.error(`${file}: there is no row ${id}`);
process.exitCode = strangers.length > 0 ? 1 : 0;
