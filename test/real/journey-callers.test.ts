import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, inputsOf, reached } from '../tmux/journey.ts';
import { questionsOf, sendTo } from './person.ts';
import { quickStart, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const tools = ['fs_read', 'fs_write', 'execute_bash'];
  const folder = product.writeTeam('crew', [
    { id: 'claire', provider: 'claude', tools },
    { id: 'cody', provider: 'codex', tools },
    { id: 'sam', provider: 'scripted' },
  ]);
  await quickStart(product, folder);
});
afterAll(() => product?.end());

const modelOf = (agent: string) => (agent === 'claire' ? product.anthropic : product.openai);
let scripts = 0;

/** How an agent runs a command: in its shell, or, with a person's yes, outside the sandbox of that. */
type Shell = 'shell' | 'escalate';

/** Answers of our command, one for each line of words, run by an agent's own shell tool; `before` stands before each. */
async function inside(agent: string, shell: Shell, commands: readonly string[], before = ''): Promise<object[]> {
  scripts += 1;
  const script = path.join(product.workspace, `script-${scripts}.sh`);
  const answers = path.join(product.workspace, `answers-${scripts}`);
  const lines = commands.map(
    (words, index) => `${before} ${shellWord(BIN)} --json ${words} > ${answers}-${index} 2>&1`,
  );
  fs.writeFileSync(script, [...lines, 'true'].join('\n'));
  await reached(product, await sendTo(product, agent, `[[${shell} sh ${script}]] [[say ran]]`));
  if (agent === 'claire' || shell === 'escalate') {
    const { id } = await eventually('the question', async () => (await questionsOf(product, agent))[0]);
    await ask(product, 'approve', id);
  }
  const ran = () => modelOf(agent).turns.some(({ prompt, results }) => prompt.includes(script) && results.length > 0);
  await eventually(`${script} to have run`, ran, 60_000);
  await whyWhen(product, agent, 'idle');
  return commands.map((_, index) => JSON.parse(fs.readFileSync(`${answers}-${index}`, 'utf8')));
}

const heardBySam = (text: string) => inputsOf(product, 'sam').filter((line) => line.text.includes(text));

describe.each<[string, Shell]>([
  ['claire', 'shell'],
  ['cody', 'escalate'],
])('the shell of %s (%s)', (agent, shell) => {
  test('E10 what it sends is from it, also without its token, and it cannot name another sender', async () => {
    const [sent, asLeader] = await inside(agent, shell, [
      `send sam "by ${agent}"`,
      `send sam "forged by ${agent}" --from leader`,
    ]);
    expect(sent).toMatchObject({ ok: true, to: ['sam'] });
    expect(asLeader).toMatchObject({ ok: false, reason: 'sender_is_the_caller' });
    const [bare] = await inside(agent, shell, [`send sam "bare ${agent}"`], 'env -u TEAM_AGENT_TOKEN');
    expect(bare).toMatchObject({ ok: true, to: ['sam'] });
    for (const text of [`by ${agent}`, `bare ${agent}`]) {
      const [line] = await eventually(`${text} to reach sam`, () => heardBySam(text).length > 0 && heardBySam(text));
      expect(line?.text).toMatch(new RegExp(`^\\[team message \\S+ from ${agent} \\(peer\\)\\]`));
    }
    expect(heardBySam('forged')).toEqual([]);
    const [forged] = await inside(agent, shell, [`send sam "forged by ${agent}"`], 'env TEAM_AGENT_TOKEN=made-up');
    expect(forged).toMatchObject({ ok: false, reason: 'untrusted_caller' });
  });

  test('D05 M02 N03 it may not start a team, answer questions or take the mail of the leader', async () => {
    const commands = ['quick-start docs/crew', 'approve ap_0123456789ab', 'deny claire', 'inbox leader --take'];
    const refused = await inside(agent, shell, commands);
    for (const [index, answer] of refused.entries()) {
      expect(answer, commands[index]).toMatchObject({ ok: false, reason: 'worker_may_not' });
    }
    expect(product.rows('select team from teams')).toEqual([{ team: 'crew' }]);
  });
});

test('E10 D05 in the sandbox of Codex our command reaches nothing, and says so', async () => {
  const coordinator = product.coordinator();
  const answers = await inside('cody', 'shell', ['send sam "from the sandbox"', 'status', 'quick-start docs/crew']);
  for (const answer of answers) {
    expect(answer).toMatchObject({
      ok: false,
      reason: 'sandboxed_caller',
      evidence: { variable: 'CODEX_SANDBOX_NETWORK_DISABLED', connection: expect.stringContaining('EPERM') },
    });
  }
  expect(heardBySam('from the sandbox')).toEqual([]);
  expect(product.coordinator()).toEqual(coordinator);
});
