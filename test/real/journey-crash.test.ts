import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../tmux/journey.ts';
import {
  crashedAndRevived,
  crashingAt,
  modelOf,
  post,
  processesOf,
  queuedBehind,
  takenBy,
  takenOnce,
  typedTurn,
} from './crash-stage.ts';
import { startPair } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  await startPair(product);
});
afterAll(() => product?.end());

const MOMENTS = [
  'offer.before_commit',
  'offer.committed',
  'offer.written',
  'receipt.before_commit',
  'receipt.committed',
] as const;

describe.each(['claire', 'cody'])('%s', (agent) => {
  test.each(MOMENTS)(`E22 M10 M04 idle ${agent}: the coordinator is killed at %s, nobody types`, async (moment) => {
    const before = processesOf(product, agent);
    const body = `idle ${agent} ${moment}`;
    const coordinator = await crashingAt(product, moment);
    const first = await post(product, agent, body);
    await crashedAndRevived(product, coordinator);
    const second = await post(product, agent, `after ${moment}`);
    const delivery = await takenOnce(product, agent, first, body);
    expect(delivery).toMatchObject({ channel: 'protocol', attempts: moment === 'offer.committed' ? 2 : 1 });
    const next = await takenOnce(product, agent, second, `after ${moment}`);
    expect(takenBy(product, agent).slice(-2)).toEqual([delivery.delivery_id, next.delivery_id]);
    expect(processesOf(product, agent)).toEqual(before);
  });

  test.each(MOMENTS)(`E22 M10 M04 busy ${agent}: the coordinator is killed at %s, nobody types`, async (moment) => {
    const before = processesOf(product, agent);
    const body = `busy ${agent} ${moment}`;
    const coordinator = await crashingAt(product, moment);
    const gate = modelOf(product, agent).holdAnswers();
    await typedTurn(product, agent, `a turn of a person, before ${moment}`);
    const first = await post(product, agent, body);
    const second = await post(product, agent, `second ${moment}`);
    const waiting = (await ask(product, 'deliveries', first)).deliveries;
    expect(waiting).toMatchObject([{ state: 'queued', reason: 'working' }]);
    gate.release();
    await crashedAndRevived(product, coordinator);
    const delivery = await takenOnce(product, agent, first, body);
    expect(delivery).toMatchObject({ channel: 'protocol', attempts: moment === 'offer.committed' ? 2 : 1 });
    const next = await takenOnce(product, agent, second, `second ${moment}`);
    expect(takenBy(product, agent).slice(-2)).toEqual([delivery.delivery_id, next.delivery_id]);
    expect(processesOf(product, agent)).toEqual(before);
  });

  test(`E22 M10 ${agent}: killed over a message that has come to stand in the CLI's own queue behind a person's turn`, async () => {
    const before = processesOf(product, agent);
    const body = `behind ${agent}`;
    const prompt = 'a person was quicker';
    const { message, id, gate } = await queuedBehind(product, agent, body, prompt, 'offer.written');
    const second = await post(product, agent, `then ${agent}`);
    gate.release();
    expect(await takenOnce(product, agent, message, body)).toMatchObject({ attempts: 1 });
    const next = await takenOnce(product, agent, second, `then ${agent}`);
    expect(takenBy(product, agent).slice(-2)).toEqual([id, next.delivery_id]);
    expect(processesOf(product, agent)).toEqual(before);
  });
});
