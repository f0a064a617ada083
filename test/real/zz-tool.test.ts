import fs from 'node:fs';
import { afterAll, beforeAll, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, reached } from '../tmux/journey.ts';
import { sendTo } from './person.ts';
import { quickStart, why, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
beforeAll(async () => {
  product = await RealProduct.open();
  await quickStart(product, product.writeTeam('crew', [
    { id: 'claire', provider: 'claude', tools: ['fs_read', 'fs_write', 'execute_bash'], head: 'permission_mode: accept_edits\n' },
    { id: 'cody', provider: 'codex', tools: ['fs_read', 'fs_write', 'execute_bash'] },
  ]));
});
afterAll(() => product?.end());
test.each(['claire', 'cody'])('tool %s', async (agent) => {
  const model = agent === 'cody' ? product.openai : product.anthropic;
  const mark = `${product.workspace}/began-${agent}`;
  await reached(product, await sendTo(product, agent, `run [[shell touch began-${agent}; sleep 6; touch ended-${agent}]] [[say ran]]`));
  await eventually('it to run', () => fs.existsSync(mark)).catch(async (e) => console.log(String(e), JSON.stringify(await why(product, agent))));
  const plain = await sendTo(product, agent, 'plain');
  const t = performance.now();
  const sent = await ask(product, 'send', agent, 'urgent', '--now', '--expects', 'nothing');
  const [d] = await reached(product, sent.message_id);
  console.log(agent, 'consumed after', performance.now() - t, JSON.stringify(d));
  await reached(product, plain);
  await whyWhen(product, agent, 'idle');
  console.log(agent, model.turns.map((r) => [r.prompt.slice(0, 40), r.results.map((x) => x.slice(0, 300)), r.outcome]), 'ended', fs.existsSync(`${product.workspace}/ended-${agent}`));
  console.log(JSON.stringify(model.turns.at(-2)?.history.slice(-6)).slice(0, 3000));
}, 60_000);
