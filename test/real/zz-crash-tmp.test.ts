import { afterAll, expect, test } from 'vitest';
import { quickStart } from './stage.ts';
import { RealProduct } from './world/real-product.ts';
let product: RealProduct;
afterAll(() => product?.end());
test('shutdown tells nothing', async () => {
  product = await RealProduct.open();
  await quickStart(product, product.writeTeam('one', [{ id: 'cody', provider: 'codex' }, { id: 'claire', provider: 'claude' }]));
  expect(await product.json(['shutdown'])).toMatchObject({ ok: true });
  expect(product.rows("select dedupe_key, body from messages where sender = 'team-agent'")).toEqual([]);
});
