import { execFileSync, spawnSync } from 'node:child_process';

const UP = 'ip link set lo up';

/**
 * The words that run a command in a network namespace of its own where only loopback exists; the command's words follow.
 * As root the namespace is enough, others become root of a user namespace first. Installs `ip` when it is missing and root
 * asks. The namespace's name is written to the file `record`. Throws with one line when there is no such namespace here: nothing may then run on the open network instead.
 */
export function loopbackOnly(record: string, tell: (line: string) => void): readonly string[] {
  const root = process.getuid?.() === 0;
  if (!runs('ip', ['-V']) && root && runs('apt-get', ['--version'])) installIp(tell);
  if (!runs('ip', ['-V'])) {
    throw new Error('the real journeys need ip, for loopback: install it (for example: sudo apt-get install iproute2)');
  }
  const enter = ['unshare', ...(root ? [] : ['--map-root-user']), '--net', 'sh', '-c'];
  const [program = '', ...args] = [...enter, UP];
  const tried = spawnSync(program, args, { encoding: 'utf8' });
  if (tried.status !== 0) {
    const why = tried.error?.message ?? tried.stderr.trim().split('\n')[0];
    throw new Error(`the real journeys need a network namespace, and none can be made here: ${why}`);
  }
  return [...enter, `${UP} && readlink /proc/self/ns/net >"$0" && exec "$@"`, record];
}

function runs(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function installIp(tell: (line: string) => void): void {
  tell('installing iproute2');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ('ignore' | 'inherit')[] };
  try {
    execFileSync('apt-get', ['update', '-qq'], quiet);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'iproute2'], {
      ...quiet,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch {
    tell('apt-get could not install iproute2'); // whether ip is there now decides, and is asked next
  }
}
