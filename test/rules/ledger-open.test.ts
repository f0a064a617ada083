import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Kysely } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { isRefusal, systemClock, teamId } from '../../src/kernel/index.ts';
import { type Ledger, openLedger, openLedgerReader, putTeam, teams } from '../../src/ledger/index.ts';
import { MIGRATIONS } from '../../src/ledger/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { writeOldLedger } from '../support/old-ledger.ts';

const TEAM = teamId('rules') ?? expect.unreachable();
const ABOUT = {
  name: 'Rules',
  session_name: 'rules',
  documents: 'd',
  objective: 'o',
  intent: 'running',
  notify: 'each',
} as const;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

async function opened(file: string, migrations = MIGRATIONS): Promise<Ledger> {
  const ledger = await openLedger(file, systemClock, migrations);
  if (isRefusal(ledger)) throw new Error(ledger.message);
  return ledger;
}

async function withTeam(file: string): Promise<Ledger> {
  const ledger = await opened(file);
  await ledger.change(TEAM, 'person', (change) => putTeam(change, ABOUT));
  return ledger;
}

const shape = (folder: string): string[] =>
  fs
    .globSync('**', { cwd: folder })
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile())
    .map(
      (file) =>
        `${file} ${fs.statSync(file).mtimeMs} ${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}`,
    )
    .sort();

/** Another process that has put a team into the ledger and keeps it open. */
async function opener(file: string): Promise<{ kill(): Promise<unknown> }> {
  const module = (name: string) => JSON.stringify(pathToFileURL(path.resolve('src', name, 'index.ts')).href);
  const program = `
    import { openLedger, putTeam } from ${module('ledger')};
    import { systemClock } from ${module('kernel')};
    const ledger = await openLedger(${JSON.stringify(file)}, systemClock);
    await ledger.change('rules', 'person', (change) => putTeam(change, ${JSON.stringify(ABOUT)}));
    console.log('open');
    setInterval(() => undefined, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const kill = () => {
    child.kill('SIGKILL');
    return gone;
  };
  ending.push(kill);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await eventually('the other process has the ledger', () => said.includes('open'));
  return { kill };
}

describe('one opener', () => {
  test('a second opener is refused, and the first goes on', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    const other = await opener(file);
    const refused = await openLedger(file, systemClock);
    expect(refused).toMatchObject({ ok: false, reason: 'ledger_in_use', next: ['team-agent coordinator status'] });
    await other.kill();
  });

  test('C02 an opener that was in the way for a moment, and got nowhere itself, is waited for', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    const other = new DatabaseSync(file);
    other.exec('begin; select * from sqlite_master');
    const opening = openLedger(file, systemClock);
    other.close();
    const ledger = await opening;
    if (isRefusal(ledger)) throw new Error(ledger.message);
    ending.push(() => ledger.close());
  });

  test('M10 a killed opener has let go, what it committed is there, and its successor has a higher epoch', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    const other = await opener(file);
    expect(fs.existsSync(`${file}-shm`)).toBe(false);
    expect(fs.statSync(`${file}-wal`).size).toBeGreaterThan(0);
    await other.kill();
    const ledger = await opened(file);
    ending.push(() => ledger.close());
    expect(await teams(ledger.db)).toMatchObject([{ team: 'rules', home_epoch: 2 }]);
    expect(ledger.ownership.epoch).toBe(2);
    expect(fs.existsSync(`${file}-shm`)).toBe(false);
  });

  test('the ledger is the owner’s alone, and no file for shared memory ever stands beside it', async () => {
    const folder = freshFolder('ledger');
    const ledger = await withTeam(path.join(folder, 'team.db'));
    for (const name of fs.readdirSync(folder)) {
      expect(['team.db', 'team.db-wal']).toContain(name);
      expect(fs.statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
    }
    await ledger.close();
    expect(fs.readdirSync(folder)).toEqual(['team.db']);
  });

  test('what is no ledger is refused and left as it is', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    fs.writeFileSync(file, 'this is a letter, not a database\n'.repeat(200));
    const before = shape(path.dirname(file));
    expect(await openLedger(file, systemClock)).toMatchObject({ ok: false, reason: 'ledger_unwritable' });
    expect(shape(path.dirname(file))).toEqual(before);
  });
});

describe('versions', () => {
  const next = { up: async () => undefined };

  test('L09 a ledger of a later version is refused, unchanged, with what to type', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    await (await opened(file, { ...MIGRATIONS, '9999-later': next })).close();
    const refused = await openLedger(file, systemClock);
    expect(refused).toMatchObject({ ok: false, reason: 'ledger_newer', evidence: { unknown: ['9999-later'] } });
    expect(isRefusal(refused) && refused.next.length).toBe(1);
    const again = await opened(file, { ...MIGRATIONS, '9999-later': next });
    await again.close();
  });

  test('L09 before a migration a whole copy of the ledger is kept; a fresh one needs none', async () => {
    const folder = freshFolder('ledger');
    const file = path.join(folder, 'team.db');
    await (await withTeam(file)).close();
    expect(fs.existsSync(path.join(folder, 'run'))).toBe(false);
    const failing = { up: () => Promise.reject(new Error('not today')) };
    const refused = await openLedger(file, systemClock, { ...MIGRATIONS, '9999-later': failing });
    expect(refused).toMatchObject({ ok: false, message: expect.stringContaining('not today') });
    const copy = path.join(folder, 'run', 'backups', 'team-before-9999-later.db');
    const kept = new DatabaseSync(copy, { readOnly: true });
    expect(kept.prepare('select team from teams').all()).toMatchObject([{ team: 'rules' }]);
    kept.close();
    expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
    const ledger = await opened(file);
    ending.push(() => ledger.close());
    expect(await teams(ledger.db)).toHaveLength(1);
  });

  test('M10 a migration that breaks off in the middle leaves nothing half made', async () => {
    const file = path.join(freshFolder('ledger'), 'team.db');
    const half = {
      up: async (db: Kysely<unknown>) => {
        await db.schema.createTable('half').addColumn('made', 'text').execute();
        throw new Error('cut');
      },
    };
    await (await withTeam(file)).close();
    const refused = await openLedger(file, systemClock, { ...MIGRATIONS, '9999-half': half });
    expect(refused).toMatchObject({ ok: false, message: expect.stringContaining('cut') });
    const ledger = await opened(file);
    ending.push(() => ledger.close());
    expect((await ledger.db.introspection.getTables()).map(({ name }) => name)).not.toContain('half');
  });
});

describe('a reader while no coordinator lives', () => {
  const look = async (file: string): Promise<string[]> => {
    const reader = await openLedgerReader(file);
    const names = reader ? (await teams(reader.db)).map(({ team }) => team) : [];
    await reader?.close();
    return names;
  };

  test('H06 of a ledger that was closed leaves every byte as it was, and nothing anywhere', async () => {
    const folder = freshFolder('ledger');
    await (await withTeam(path.join(folder, 'team.db'))).close();
    const [files, temporary] = [shape(folder), fs.readdirSync(os.tmpdir()).sort()];
    expect(await look(path.join(folder, 'team.db'))).toEqual(['rules']);
    expect(shape(folder)).toEqual(files);
    expect(fs.readdirSync(os.tmpdir()).sort()).toEqual(temporary);
  });

  test('H06 of a ledger whose coordinator was killed reads its log too, and leaves all as it was', async () => {
    const folder = freshFolder('ledger');
    const other = await opener(path.join(folder, 'team.db'));
    await other.kill();
    expect(fs.readdirSync(folder).sort()).toEqual(['team.db', 'team.db-wal']);
    const [files, temporary] = [shape(folder), fs.readdirSync(os.tmpdir()).sort()];
    expect(await look(path.join(folder, 'team.db'))).toEqual(['rules']);
    expect(shape(folder)).toEqual(files);
    expect(fs.readdirSync(os.tmpdir()).sort()).toEqual(temporary);
  });

  test('H06 L09 of a ledger of an earlier version reads it as this version would, and leaves all as it was', async () => {
    const folder = freshFolder('ledger');
    const file = path.join(folder, 'team.db');
    await writeOldLedger(file, '/docs/crew');
    const [files, temporary] = [shape(folder), fs.readdirSync(os.tmpdir()).sort()];
    const reader = await openLedgerReader(file);
    expect(await reader?.db.selectFrom('member_changes').selectAll().execute()).toEqual([]);
    expect((await teams(reader?.db ?? expect.unreachable())).map(({ peer_limits }) => peer_limits)).toEqual(['{}']);
    await reader?.close();
    expect(shape(folder)).toEqual(files);
    expect(fs.readdirSync(os.tmpdir()).sort()).toEqual(temporary);
  });

  test('H13 where there is none, or an empty file, there is nothing to read, and none is made', async () => {
    const folder = freshFolder('ledger');
    expect(await openLedgerReader(path.join(folder, 'team.db'))).toBeUndefined();
    expect(fs.readdirSync(folder)).toEqual([]);
    fs.writeFileSync(path.join(folder, 'empty.db'), '');
    expect(await openLedgerReader(path.join(folder, 'empty.db'))).toBeUndefined();
    expect(fs.readdirSync(folder)).toEqual(['empty.db']);
  });
});
