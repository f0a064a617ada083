import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { freshFolder } from '../support/files.ts';

const launcher = path.join(import.meta.dirname, '../../bin/team-agent');
const PROGRAM =
  'console.log([new URL(import.meta.url).pathname.split("/").slice(-2).join("/"), ...process.argv.slice(2)].join("|"))';

/** A copy of the launcher in a package of its own, with these files; dates in seconds. */
function installation(files: Record<string, { text: string; date: number }>): string {
  const root = freshFolder('package');
  for (const [name, { text, date }] of Object.entries({ ...files, 'bin/team-agent': { text: '', date: 0 } })) {
    fs.mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
    fs.utimesSync(path.join(root, name), date, date);
  }
  fs.writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
  fs.utimesSync(path.join(root, 'package.json'), 1, 1);
  for (const folder of ['src/cli', 'src']) {
    if (fs.existsSync(path.join(root, folder))) fs.utimesSync(path.join(root, folder), 1, 1);
  }
  fs.copyFileSync(launcher, path.join(root, 'bin/team-agent'));
  return root;
}

/** A folder with nothing but a program called `node` that says it is this version and runs nothing. */
function oldNode(): string {
  const folder = freshFolder('old');
  fs.writeFileSync(path.join(folder, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v20.0.0\nexit 1\n', {
    mode: 0o755,
  });
  return folder;
}

const bundle = { 'dist/cli.js': { text: PROGRAM, date: 100 } };
const sources = (date: number) => ({ 'src/cli/main.ts': { text: PROGRAM, date } });
const toolPath = `${path.dirname(process.execPath)}:/usr/bin:/bin`;

function start(program: string, words: string[] = [], search = toolPath) {
  const { status, stdout, stderr } = spawnSync(program, words, { env: { PATH: search }, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('bin/team-agent', () => {
  test('runs the bundle of an installed package, words as they are', () => {
    const root = installation(bundle);
    expect(start(`${root}/bin/team-agent`, ['send', 'a b', '', "*'"]).stdout).toBe("dist/cli.js|send|a b||*'\n");
  });

  test('runs the bundle of a checkout when no source is newer, else the sources', () => {
    const fresh = installation({ ...bundle, ...sources(99) });
    expect(start(`${fresh}/bin/team-agent`).stdout).toBe('dist/cli.js\n');
    const stale = installation({ ...bundle, ...sources(101) });
    expect(start(`${stale}/bin/team-agent`, ['x']).stdout).toBe('cli/main.ts|x\n');
    expect(start(`${installation(sources(1))}/bin/team-agent`).stdout).toBe('cli/main.ts\n');
  });

  test('is found through links, relative ones to a link included', () => {
    const root = installation(bundle);
    const bin = freshFolder('links');
    fs.symlinkSync(`${root}/bin/team-agent`, path.join(bin, 'first'));
    fs.symlinkSync('first', path.join(bin, 'second'));
    expect(start(path.join(bin, 'second'), ['x']).stdout).toBe('dist/cli.js|x\n');
    expect(execFileSync('sh', ['team-agent'], { cwd: `${root}/bin`, encoding: 'utf8' })).toBe('dist/cli.js\n');
  });

  test('takes its own Node before that of the PATH', () => {
    const root = installation(bundle);
    fs.mkdirSync(`${root}/.toolchain/bin`, { recursive: true });
    fs.symlinkSync(process.execPath, `${root}/.toolchain/bin/node`);
    expect(start(`${root}/bin/team-agent`, [], `${oldNode()}:/usr/bin:/bin`).stdout).toBe('dist/cli.js\n');
  });

  test('says in one line what to install', () => {
    const old = start(`${installation(sources(1))}/bin/team-agent`, [], `${oldNode()}:/usr/bin:/bin`);
    expect(old).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^team-agent: Node\.js v20\.0\.0 is too old\. Install Node\.js 22\.18 [^\n]*\n$/),
    });
    const none = start(`${installation(bundle)}/bin/team-agent`, [], freshFolder('empty'));
    expect(none).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^team-agent: no Node\.js found\. Install Node\.js 22\.18 [^\n]*\n$/),
    });
  });

  test('says that an installation without a program is incomplete', () => {
    expect(start(`${installation({})}/bin/team-agent`)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/incomplete/),
    });
  });
});
