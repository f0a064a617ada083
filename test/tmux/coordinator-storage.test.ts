import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { CrashScene, deliveryIs, inputsOf, provedOnce } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

/** How large a file may grow by this process, in bytes: 0 is a full disk for it. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

test.runIf(process.platform === 'linux')(
  'a ledger that cannot be written refuses with exit 4, acknowledges nothing that is not stored, and goes on after',
  async () => {
    const made = new CrashScene('full');
    scenes.push(made);
    expect((await made.run(['quick-start', made.writeTeam('alpha', [{ id: 'worker' }])])).code).toBe(0);
    const coordinator = made.coordinator();
    if (!coordinator) throw new Error('no coordinator lives');
    expect(await made.json(['send', 'worker', 'before', '--wait=result'])).toMatchObject({ ok: true });

    limitFiles(coordinator.pid, 0);
    for (const text of ['refused one', 'refused two']) {
      const refused = await made.json(['send', 'worker', text]);
      expect(refused).toMatchObject({ ok: false, reason: 'ledger_unwritable', code: 4 });
    }
    expect(await made.json(['status'])).toMatchObject({ ok: true, observed: 'live', code: 0 });
    expect(made.coordinator()).toEqual(coordinator);
    expect(made.rows(`select * from messages where body like 'refused%'`)).toEqual([]);
    expect(inputsOf(made, 'worker')).toHaveLength(1);

    limitFiles(coordinator.pid, 'unlimited');
    expect(await made.json(['send', 'worker', 'after'])).toMatchObject({ ok: true, code: 0 });
    provedOnce(made, await deliveryIs(made, 'after', 'answered'), 'worker');
    expect(inputsOf(made, 'worker')).toHaveLength(2);
    expect(made.coordinator()).toEqual(coordinator);
  },
);

test.runIf(process.platform === 'linux')(
  'a delivery that was under way when the ledger could not be written is settled once it can be',
  async () => {
    const made = new CrashScene('full');
    scenes.push(made);
    // The agent takes the message, and its report meets the full disk.
    const script = 'rules: [{ match: slow, do: [{ run: "until [ -e {{workspace}}/go ]; do sleep 0.02; done" }] }]\n';
    expect((await made.run(['quick-start', made.writeTeam('alpha', [{ id: 'worker', script }])])).code).toBe(0);
    const coordinator = made.coordinator();
    if (!coordinator) throw new Error('no coordinator lives');
    expect(await made.json(['send', 'worker', 'slow', '--wait=consumed'])).toMatchObject({ ok: true });
    expect(await made.json(['send', 'worker', 'waits', '--expects', 'nothing'])).toMatchObject({ ok: true });

    limitFiles(coordinator.pid, 0);
    execFileSync('touch', [`${made.workspace}/go`]);
    expect(await made.json(['send', 'worker', 'no'])).toMatchObject({ reason: 'ledger_unwritable' });
    expect(made.rows(`select state from deliveries join messages using (message_id) where body = 'waits'`)).toEqual([
      { state: 'queued' },
    ]);
    limitFiles(coordinator.pid, 'unlimited');
    provedOnce(made, await deliveryIs(made, 'waits', 'consumed'), 'worker');
    expect(made.coordinator()).toEqual(coordinator);
  },
);
