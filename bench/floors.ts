import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from './calls.ts';
import { median, timed } from './figures.ts';
import type { Ground } from './ground.ts';

/** What nothing can be quicker than, ms, on this machine in this run. */
export interface Floors {
  /** An empty program in the very Node that runs the bench. */
  readonly node: number;
  /** One row in one transaction, WAL and FULL, on the disk of the bench. */
  readonly commit: number;
  /** One HTTP request over a unix socket, its connection kept. */
  readonly round: number;
  /** One `tmux -V`. */
  readonly tmux: number;
}

export async function measureFloors(ground: Ground): Promise<Floors> {
  return {
    node: median(await repeated(15, () => emptyNode(ground))),
    commit: commitFloor(ground),
    round: await roundFloor(ground),
    tmux: median(await repeated(9, async () => (await ground.run(['tmux', '-V'])).ms)),
  };
}

/** One run of an empty program, ms. */
export async function emptyNode(ground: Ground): Promise<number> {
  const file = path.join(ground.folder, 'empty.mjs');
  if (!fs.existsSync(file)) fs.writeFileSync(file, '');
  return (await ground.run([process.execPath, file])).ms;
}

function commitFloor(ground: Ground): number {
  const connection = new DatabaseSync(path.join(ground.folder, 'floor.db'));
  connection.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;');
  connection.exec('create table floor (id integer primary key, text text not null)');
  const insert = connection.prepare('insert into floor (text) values (?)');
  const samples: number[] = [];
  for (let count = 0; count < 200; count++) {
    const began = performance.now();
    connection.exec('begin immediate');
    insert.run('x'.repeat(400));
    connection.exec('commit');
    samples.push(performance.now() - began);
  }
  connection.close();
  return median(samples);
}

/** The least that an answer costs: client and server are in one process. */
async function roundFloor(ground: Ground): Promise<number> {
  const socketPath = path.join(ground.folder, 'floor.sock');
  const server = http.createServer((_request, response) => response.end('{"ok":true}'));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const client = new Client({ socketPath }, {});
  const samples = await repeated(200, () => timed(() => client.request('/', undefined)));
  client.close();
  server.close();
  return median(samples);
}

export async function repeated(count: number, sample: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index++) samples.push(await sample());
  return samples;
}
