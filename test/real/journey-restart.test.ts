import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, powerOff, reached } from '../tmux/journey.ts';
import { startPair } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

interface Again {
  readonly ok: boolean;
  readonly message?: string;
  readonly start_mode?: string;
  readonly session_id?: string;
  readonly agents?: readonly {
    readonly agent_id: string;
    readonly restart_mode: string;
    readonly session_id: string;
  }[];
}

let product: RealProduct;
beforeAll(async () => {
  product = await RealProduct.open();
  await startPair(product);
  for (const agent of AGENTS)
    await deliver(product, agent, `remember PLUM-${agent} [[say YES]]`, '--expects', 'nothing');
});
afterAll(() => product?.end());

const AGENTS = ['claire', 'cody'] as const;
type Name = (typeof AGENTS)[number];

const modelOf = (agent: Name) => (agent === 'claire' ? product.anthropic : product.openai);
const sessionOf = (agent: Name): unknown =>
  product.rows(
    `select session_id from sessions where agent_id = '${agent}' and discarded_at is null order by opened_at desc`,
  )[0]?.session_id;

/** What the model is shown when the agent is spoken to next. */
async function historyOf(agent: Name, word: string): Promise<string> {
  await deliver(product, agent, `and ${word} [[say ${word}]]`, '--expects', 'nothing');
  const request = await eventually(`${agent}'s model to be asked`, () =>
    modelOf(agent).turns.find(({ prompt }) => prompt.includes(word)),
  );
  return JSON.stringify(request.history);
}

/** Asks, and fails with all that was said when it is refused. */
async function succeed(...args: readonly string[]): Promise<Again> {
  const answer = await product.json<Again>(args);
  if (!answer.ok) throw new Error(`${args.join(' ')}: ${JSON.stringify(answer)}`);
  return answer;
}

/** What a reboot leaves: nothing. By recorded process, never by name. */
async function reboot(): Promise<void> {
  const agents = product.rows('select handle from incarnations where ended_at is null').flatMap(({ handle }) => {
    const { process, details } = JSON.parse(String(handle));
    return details.pid === undefined ? [process] : [process, { pid: Number(details.pid), start: details.start }];
  });
  await powerOff(product, agents);
}

describe('with the real Claude Code and Codex', () => {
  test.each(AGENTS)(
    'G01 G02 E12 N05 %s is stopped, gets mail meanwhile, and goes on with its conversation',
    async (agent) => {
      const session = sessionOf(agent);
      expect(await ask(product, 'stop-agent', agent)).toMatchObject({ ok: true, code: 0 });
      const sent = await ask(product, 'send', agent, `while away [[say AWAY-${agent}]]`, '--expects', 'nothing');
      expect(sent.deliveries).toEqual([expect.objectContaining({ state: 'held', reason: 'agent_stopped' })]);
      const again = await succeed('start-agent', agent);
      expect(again).toMatchObject({ ok: true, start_mode: 'resumed', session_id: session });
      expect(await reached(product, sent.message_id)).toEqual([expect.objectContaining({ state: 'consumed' })]);
      expect(await historyOf(agent, `STOPPED-${agent}`)).toContain(`PLUM-${agent}`);
      expect(modelOf(agent).turns.filter(({ prompt }) => prompt.includes(`AWAY-${agent}`))).toHaveLength(1);
    },
  );

  test('G11 N05 a team that was shut down is started again: both have their conversations, and an edited role is told', async () => {
    const sessions = AGENTS.map(sessionOf);
    expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
    for (const agent of AGENTS) {
      const file = path.join(product.paths.team, 'pair', 'agents', `${agent}.md`);
      fs.appendFileSync(file, `You are called EDITED-${agent} now.\n`);
    }
    const again = await succeed('restart');
    expect(again).toMatchObject({ ok: true });
    expect(again.agents?.map(({ restart_mode, session_id }) => [restart_mode, session_id])).toEqual(
      sessions.map((session) => ['resumed', session]),
    );
    for (const agent of AGENTS) {
      expect(await historyOf(agent, `AGAIN-${agent}`)).toContain(`PLUM-${agent}`);
      const request = modelOf(agent).turns.find(({ prompt }) => prompt.includes(`AGAIN-${agent}`));
      expect(`${request?.system}${JSON.stringify(request?.history)}`).toContain(`EDITED-${agent}`);
    }
  });

  test('G11 N05 after a reboot one command brings both back with what they knew', async () => {
    const sessions = AGENTS.map(sessionOf);
    await reboot();
    const again = await succeed('restart');
    expect(again).toMatchObject({ ok: true });
    expect(again.agents?.map(({ session_id }) => session_id)).toEqual(sessions);
    for (const agent of AGENTS) expect(await historyOf(agent, `BOOTED-${agent}`)).toContain(`PLUM-${agent}`);
  });

  test.each(AGENTS)('G03 %s is replaced by force, on the same conversation', async (agent) => {
    const session = sessionOf(agent);
    const again = await succeed('start-agent', agent, '--force');
    expect(again).toMatchObject({ ok: true, start_mode: 'resumed', session_id: session });
    expect(await historyOf(agent, `FORCED-${agent}`)).toContain(`PLUM-${agent}`);
  });

  test.each(AGENTS)('G05 %s is reset: nothing of its conversation is left, and nobody resumes it', async (agent) => {
    const session = sessionOf(agent);
    const again = await succeed('reset-agent', agent, '--discard-session');
    expect(again).toMatchObject({ ok: true, start_mode: 'fresh' });
    expect(again.session_id).not.toBe(session);
    expect(await historyOf(agent, `RESET-${agent}`)).not.toContain(`PLUM-${agent}`);
    expect(sessionOf(agent)).toBe(again.session_id);
  });
});
