import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RunFolder } from '../../script/leftovers.ts';
import { freshFolder } from '../support/files.ts';

function runFolder(): RunFolder {
  const folder = new RunFolder(freshFolder('runs'));
  onTestFinished(() => folder.remove());
  return folder;
}

const whats = async (folder: RunFolder): Promise<string[]> => (await folder.leftovers(0)).map(({ what }) => what);

describe('what a run leaves behind', () => {
  test('is nothing at first', async () => {
    expect(await whats(runFolder())).toEqual([]);
  });

  test.each([
    ['its environment', (folder: string) => ({ arguments_: [], env: { TMPDIR: `${folder}/ta-x` } })],
    ['its arguments', (folder: string) => ({ arguments_: [`${folder}/ta-x/run/socket`], env: {} })],
  ])('a process that names the folder in %s is found and ended', async (_, make) => {
    const folder = runFolder();
    const { arguments_, env } = make(folder.path);
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)', ...arguments_], { env });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const left = await folder.leftovers(0);
    expect(left.map(({ what }) => what)).toEqual([expect.stringContaining(`process ${child.pid}:`)]);
    const ended = once(child, 'exit');
    for (const one of left) one.remove();
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await whats(folder)).toEqual([]);
  });

  test('a process of another run is not taken for one', async () => {
    const folder = runFolder();
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)', `${folder.path}x`]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expect(await whats(folder)).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('a socket whose file is gone is found', async () => {
    const folder = runFolder();
    const address = path.join(folder.path, 's');
    const server = net.createServer().listen(address);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    fs.unlinkSync(address);
    expect(await whats(folder)).toEqual([`socket ${address}`]);
  });

  test('a file or folder is found', async () => {
    const folder = runFolder();
    fs.mkdirSync(path.join(folder.path, 'ta-abc'));
    expect(await whats(folder)).toEqual([path.join(folder.path, 'ta-abc')]);
  });
});
