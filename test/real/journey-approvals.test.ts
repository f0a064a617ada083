import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, reached } from '../tmux/journey.ts';
import { press, type Question, questionsOf, sendTo, shownBy, waitsFor } from './person.ts';
import { call, quickStart, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const tools = ['fs_read', 'fs_write', 'execute_bash'];
  const folder = product.writeTeam(
    'crew',
    [
      { id: 'claire', provider: 'claude', tools, head: 'permission_mode: manual\n' },
      { id: 'cody', provider: 'codex', tools, head: 'permission_mode: manual\n' },
      { id: 'paula', provider: 'claude', tools, head: 'permission_mode: plan\n' },
      { id: 'petra', provider: 'codex', tools, head: 'permission_mode: plan\n' },
      { id: 'sam', provider: 'scripted' },
    ],
    'startup_order: [claire, cody, paula, petra, sam]\n',
  );
  await quickStart(product, folder);
});
afterAll(() => product?.end());

const CLIS = [
  { agent: 'claire', asks: 'Do you want to proceed?', yes: '1', survives: false, denial: /not this one/ },
  {
    agent: 'cody',
    asks: 'Would you like to run the following command?',
    yes: 'y',
    survives: true,
    denial: /rejected|denied|declined/i,
  },
] as const;

const modelOf = (agent: string) => (agent === 'claire' || agent === 'paula' ? product.anthropic : product.openai);

/** What tools of the turn that was asked with `word` have told the model. */
const toolsSaid = (agent: string, word: string): readonly string[] =>
  modelOf(agent)
    .turns.filter(({ prompt, system }) => prompt.includes(word) && system.includes(`You are ${agent}`))
    .at(-1)?.results ?? [];

const fileOf = (word: string): string => path.join(product.workspace, word);

/** Lets an agent ask whether it may write the file `word`; returns the open question. */
async function asksFor(agent: string, word: string): Promise<Question> {
  await reached(product, await sendTo(product, agent, `[[escalate touch ${fileOf(word)}]] [[say after ${word}]]`));
  return eventually(`${agent} to ask for ${word}`, async () =>
    (await questionsOf(product, agent)).find(({ text }) => text.includes(word)),
  );
}

const finished = (agent: string, word: string) =>
  eventually(`the turn of ${word} to end`, () =>
    modelOf(agent).turns.some(
      ({ prompt, results, outcome }) => prompt.includes(word) && results.length > 0 && outcome === 'answered',
    ),
  );

describe.each(CLIS)('$agent', ({ agent, asks, yes, survives, denial }) => {
  test('N03 M07 an open approval is a state with its text, no delivery touches it, and what was held comes after approve', async () => {
    const question = await asksFor(agent, `first-${agent}`);
    expect(question).toMatchObject({ agent_id: agent, kind: 'command', answerable: true });
    await eventually('the dialog', () => shownBy(product, agent).includes(asks));
    const held = await sendTo(product, agent, `y${agent}`);
    expect(await waitsFor(product, held, 'dialog_open')).toMatchObject({ state: 'held', attempts: 0 });
    await whyWhen(product, agent, 'waiting_approval');
    const status = await product.json<{ agents: Record<string, object> }>(['status']);
    expect(status.agents[agent]).toMatchObject({
      state: 'waiting_approval',
      approvals: [{ id: question.id, text: question.text }],
    });
    expect(shownBy(product, agent)).toContain(asks);
    expect(shownBy(product, agent)).not.toContain(`y${agent}`);
    expect(toolsSaid(agent, `first-${agent}`)).toEqual([]);
    expect(fs.existsSync(fileOf(`first-${agent}`))).toBe(false);

    expect(await ask(product, 'approve', question.id)).toMatchObject({ ok: true });
    const [delivery] = await reached(product, held);
    expect(delivery).toMatchObject({ channel: 'protocol', attempts: 1 });
    expect(fs.existsSync(fileOf(`first-${agent}`))).toBe(true);
    expect(toolsSaid(agent, `first-${agent}`)).toHaveLength(1);
    const heard = () => modelOf(agent).turns.filter(({ prompt }) => prompt === `y${agent}`);
    await eventually('the held text at the model', () => heard().length > 0);
    await whyWhen(product, agent, 'idle');
    expect(heard()).toHaveLength(1);
    expect(await questionsOf(product, agent)).toEqual([]);
  });

  test('N03 deny: the tool does not run, and the model hears of it', async () => {
    const { id } = await asksFor(agent, `denied-${agent}`);
    expect(await ask(product, 'deny', id, '--message', 'not this one')).toMatchObject({ ok: true });
    await finished(agent, `denied-${agent}`);
    expect(toolsSaid(agent, `denied-${agent}`)).toEqual([expect.stringMatching(denial)]);
    expect(fs.existsSync(fileOf(`denied-${agent}`))).toBe(false);
    await whyWhen(product, agent, 'idle');
  });

  test('N03 approve is for once, approve --session for the same command until the session ends', async () => {
    const word = `often-${agent}`;
    for (const flags of [[], ['--session']]) {
      const { id } = await asksFor(agent, word);
      expect(await ask(product, 'approve', id, ...flags)).toMatchObject({ ok: true });
      await eventually('the command to have run', () => fs.existsSync(fileOf(word)));
      await whyWhen(product, agent, 'idle');
      fs.rmSync(fileOf(word));
    }
    await sendTo(product, agent, `[[escalate touch ${fileOf(word)}]] [[say unasked]]`);
    await eventually('the command to have run unasked', () => fs.existsSync(fileOf(word)));
    await whyWhen(product, agent, 'idle');
  });

  test('N03 the first answer wins: a person answers in the pane, the approval closes, a later one is refused', async () => {
    const { id } = await asksFor(agent, `pane-${agent}`);
    await eventually('the dialog', () => shownBy(product, agent).includes(asks));
    press(product, agent, yes);
    await eventually('the file', () => fs.existsSync(fileOf(`pane-${agent}`)));
    await eventually('the approval to close', async () => (await questionsOf(product, agent)).length === 0);
    expect(await ask(product, 'approve', id)).toMatchObject({ ok: false, code: 1, reason: 'approval_unknown' });
    await finished(agent, `pane-${agent}`);
    await whyWhen(product, agent, 'idle');
  });

  test('N03 M07 a coordinator that is killed while an approval is open answers nothing, and its successor lists it', async () => {
    const { text } = await asksFor(agent, `killed-${agent}`);
    await eventually('the dialog', () => shownBy(product, agent).includes(asks));
    const before = product.coordinator();
    if (!before) throw new Error('no coordinator');
    await product.killCoordinator();
    await product.revived(before);
    await whyWhen(product, agent, 'waiting_approval');
    const again = await eventually('the question', async () => (await questionsOf(product, agent))[0]);
    // Claude Code's hook hung on the one that was killed: its dialog is all that is left to answer.
    expect(again).toMatchObject({ agent_id: agent, text, answerable: survives });
    const held = await sendTo(product, agent, `n${agent}`);
    await waitsFor(product, held, 'dialog_open');
    expect(shownBy(product, agent)).toContain(asks);
    expect(fs.existsSync(fileOf(`killed-${agent}`))).toBe(false);
    const answered = await ask(product, 'approve', again.id);
    expect(answered).toMatchObject(survives ? { ok: true } : { ok: false, reason: 'approval_unanswerable' });
    if (!survives) press(product, agent, yes);
    expect((await reached(product, held))[0]).toMatchObject({ attempts: 1 });
    expect(fs.existsSync(fileOf(`killed-${agent}`))).toBe(true);
    await whyWhen(product, agent, 'idle');
  });
});

test.each(['claire', 'cody', 'paula', 'petra'])('I07 no tool of the team asks when %s calls it', async (agent) => {
  const calls = [
    call('hello', {}),
    call('get_team_status', {}),
    call('inbox', {}),
    call('read_message', { message_id: '{{message}}' }),
    call('update_state', { note: 'at work' }),
    call('send_message', { to: 'sam', content: 'hi' }),
    call('request_human', { question: 'shall I?' }),
    call('report_result', { summary: 'done' }),
  ];
  await sendTo(product, agent, `every-tool ${calls.join(' ')}`);
  // Nobody answers anything here: a question would keep its tool from ever saying something.
  const said = await eventually('all tools to have said something', () => {
    const results = toolsSaid(agent, 'every-tool');
    return results.length === calls.length && results;
  });
  for (const result of said) expect(result).toMatch(/ok\\*":\s*true/);
  await whyWhen(product, agent, 'idle');
});
