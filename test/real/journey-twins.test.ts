import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, lifeOf } from '../tmux/journey.ts';
import { quickStart, type Started } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

/** Agents of one CLI in one folder that start in the same moment, beside sessions that were there before. */

const AGENTS = [
  { id: 'claire', provider: 'claude' },
  { id: 'clara', provider: 'claude' },
  { id: 'cody', provider: 'codex' },
  { id: 'cora', provider: 'codex' },
] as const;
/** A session of somebody else that is newer than all of theirs when they start. */
const STRANGER = '0199aaaa-0000-7000-8000-000000000001';

let product: RealProduct;
let started: Started;

const recordOf = (agent: string): string => lifeOf(product, agent).handle.record;

beforeAll(async () => {
  product = await RealProduct.open();
  const day = path.join(product.home.codex, 'sessions', '2099', '01', '01');
  fs.mkdirSync(day, { recursive: true });
  const meta = { id: STRANGER, cwd: product.workspace, timestamp: new Date().toISOString() };
  const line = { timestamp: meta.timestamp, type: 'session_meta', payload: meta };
  fs.writeFileSync(path.join(day, `rollout-2099-01-01T00-00-00-${STRANGER}.jsonl`), `${JSON.stringify(line)}\n`);
  started = await quickStart(product, product.writeTeam('twins', AGENTS));
});
afterAll(() => product?.end());

test('Z60 Z61 Z62 codex and claude: each of two in one folder has a session of its own, told by its process', async () => {
  const sessions = started.agents.map(({ session_id }) => session_id);
  expect(new Set(sessions).size).toBe(AGENTS.length);
  expect(sessions).not.toContain(STRANGER);
  await Promise.all(
    AGENTS.map(({ id }) => deliver(product, id, `only for ${id} [[say HEARD-${id}]]`, '--expects', 'nothing')),
  );
  for (const { id } of AGENTS) {
    await eventually('its record to hold it', () => fs.readFileSync(recordOf(id), 'utf8').includes(`only for ${id}`));
    expect(path.basename(recordOf(id))).toContain(started.agents.find(({ agent_id }) => agent_id === id)?.session_id);
    for (const other of AGENTS.filter((agent) => agent.id !== id))
      expect(fs.readFileSync(recordOf(id), 'utf8')).not.toContain(`only for ${other.id}`);
  }
});

test('Z62 G11 each goes on with its own, and with no other', async () => {
  const before = new Map(AGENTS.map(({ id }) => [id, recordOf(id)]));
  expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
  const again = await product.json<Started>(['restart']);
  expect(again.agents.map(({ agent_id, session_id }) => [agent_id, session_id])).toEqual(
    started.agents.map(({ agent_id, session_id }) => [agent_id, session_id]),
  );
  for (const { id } of AGENTS) expect(recordOf(id)).toBe(before.get(id));
});

test('G15 when the wrappers of all are killed at once, a shutdown leaves nothing of them', async () => {
  const lives = AGENTS.map(({ id }) => lifeOf(product, id));
  for (const { handle } of lives) signalProcess(handle.process, 'SIGKILL');
  await eventually('the wrappers to end', () => lives.every(({ handle }) => probeProcess(handle.process) === 'dead'));
  expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
  for (const { incarnation } of lives) expect(startedFor(incarnation)).toEqual([]);
});

/** The processes that bear the mark of a life. */
function startedFor(incarnation: string): string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TEAM_AGENT_INCARNATION=${incarnation}`);
      } catch {
        return false; // it has ended, or it is the kernel's
      }
    });
}
