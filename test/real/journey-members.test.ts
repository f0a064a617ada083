import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, lifeOf } from '../tmux/journey.ts';
import { startPair } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

interface Joined {
  readonly ok: boolean;
  readonly session_id: string;
  readonly start_mode: string;
  readonly agents: readonly { readonly agent_id: string; readonly session_id: string; readonly restart_mode: string }[];
}

let product: RealProduct;
beforeAll(async () => {
  product = await RealProduct.open();
  await startPair(product);
});
afterAll(() => product?.end());

const AGENTS = ['claire', 'cody'] as const;
type Name = (typeof AGENTS)[number];

const modelOf = (agent: Name) => (agent === 'claire' ? product.anthropic : product.openai);
const twinOf = (agent: Name): string => `${agent}-2`;

async function succeed(...args: readonly string[]): Promise<Joined> {
  const answer = await product.json<Joined>(args);
  if (!answer.ok) throw new Error(`${args.join(' ')}: ${JSON.stringify(answer)}`);
  return answer;
}

/** What the model of a CLI is shown when one of its agents is spoken to. */
async function historyOf(agent: string, kind: Name, word: string): Promise<string> {
  await deliver(product, agent, `and ${word} [[say ${word}]]`, '--expects', 'nothing');
  const request = await eventually(`${agent}'s model to be asked`, () =>
    modelOf(kind).turns.find(({ prompt }) => prompt.includes(word)),
  );
  return `${request.system}${JSON.stringify(request.history)}`;
}

describe('with the real Claude Code and Codex', () => {
  test.each(AGENTS)(
    'G10 N05 a fork of %s has its history under a session of its own, while its source goes on',
    async (agent) => {
      await deliver(product, agent, `remember PLUM-${agent} [[say YES]]`, '--expects', 'nothing');
      const source = lifeOf(product, agent);
      const forked = await succeed('fork-agent', agent, '--as', twinOf(agent), '--label', `twin of ${agent}`);
      expect(forked.start_mode).toBe('forked');
      expect(forked.session_id).not.toBe(source.handle.session);
      expect(lifeOf(product, agent)).toEqual(source);
      expect(await historyOf(twinOf(agent), agent, `TWIN-${agent}`)).toContain(`PLUM-${agent}`);
      const own = await historyOf(agent, agent, `SOURCE-${agent}`);
      expect(own).toContain(`PLUM-${agent}`);
      expect(own).not.toContain(`TWIN-${agent}`);
      expect(lifeOf(product, twinOf(agent)).handle.session).toBe(forked.session_id);
    },
  );

  test.each(AGENTS)('G10 %s is forked in the middle of a turn, which goes on', async (agent) => {
    const gate = modelOf(agent).holdAnswers();
    const sent = await ask(product, 'send', agent, `think PEAR-${agent} [[say PEAR-DONE]]`, '--expects', 'nothing');
    await eventually('its model to think', () => modelOf(agent).requestsWith(`PEAR-${agent}`).length > 0);
    const forking = succeed('fork-agent', agent, '--as', `${agent}-3`);
    const forked = await forking;
    gate.release();
    expect(forked.session_id).not.toBe(lifeOf(product, agent).handle.session);
    await eventually('the turn of its source to end', async () => {
      const { agents } = await product.json<{ agents: Record<string, { state: string }> }>(['status']);
      return agents[agent]?.state === 'idle';
    });
    expect(await historyOf(`${agent}-3`, agent, `THIRD-${agent}`)).toContain(`PLUM-${agent}`);
    expect(modelOf(agent).turns.filter(({ prompt }) => prompt.includes(`PEAR-${agent}`))).toHaveLength(1);
    expect((await ask(product, 'deliveries', sent.message_id)).deliveries).toMatchObject([{ state: 'consumed' }]);
    expect(await succeed('remove-agent', `${agent}-3`, '--force')).toMatchObject({ role_file_removed: true });
  });

  test.each([
    ['claude', 'claire'],
    ['codex', 'cody'],
  ] as const)('G06 G08 a %s is added with its role, works, and is removed', async (provider, kind) => {
    const file = path.join(product.workspace, 'third.md');
    fs.writeFileSync(
      file,
      `---\nname: third\nrole: third one\nprovider: ${provider}\ntools: [fs_read]\n---\nYou are ADDED-${kind}.\n`,
    );
    const added = await succeed('add-agent', `${kind}-new`, '--role-file', file);
    expect(added.start_mode).toBe('fresh');
    const seen = await historyOf(`${kind}-new`, kind, `NEW-${kind}`);
    expect(seen).toContain(`ADDED-${kind}`);
    expect(seen).not.toContain(`PLUM-${kind}`);
    const { handle } = lifeOf(product, `${kind}-new`);
    expect(await succeed('remove-agent', `${kind}-new`, '--force')).toMatchObject({ stopped: true });
    expect(probeProcess(handle.pane.process)).toBe('dead');
  });

  test('G10 N05 after a shutdown the forks go on with their own conversations', async () => {
    const sessions = AGENTS.map((agent) => lifeOf(product, twinOf(agent)).handle.session);
    expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
    const again = await succeed('restart');
    expect(again.agents.filter(({ agent_id }) => agent_id.endsWith('-2'))).toMatchObject(
      sessions.map((session_id) => ({ restart_mode: 'resumed', session_id })),
    );
    for (const agent of AGENTS) {
      const seen = await historyOf(twinOf(agent), agent, `AGAIN-${agent}`);
      expect(seen).toContain(`PLUM-${agent}`);
      expect(seen).toContain(`TWIN-${agent}`);
      expect(seen).not.toContain(`SOURCE-${agent}`);
    }
  });
});
