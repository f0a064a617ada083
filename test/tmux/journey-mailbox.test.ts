import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { OLD, writeOldLedger } from '../support/old-ledger.ts';
import { Product } from '../support/product.ts';
import { ask, bodyOf, inputsOf, LISTENER, RUNNER, reached, start } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

let product: Product;
afterEach(() => product.end());

test('E08 E19 wait --mail returns with the next mail of the leader and takes it: whoever leads by hand need not look again and again', async () => {
  product = new Product();
  await start(product, product.writeTeam('crew', [{ id: 'w', script: RUNNER }]));
  const waiting = ask(product, 'wait', '--mail', '--timeout', '30');
  await ask(product, 'send', 'w', 'run: echo hello', '--task', 'greet');
  const mail = await waiting;
  expect(mail).toMatchObject({ code: 0, ok: true, taken: 1, messages: [{ sender: 'team-agent', task_id: 'greet' }] });
  expect(mail.messages[0]?.body).toContain('hello');
  const { deliveries } = await ask(product, 'deliveries', mail.messages[0]?.message_id ?? '');
  expect(deliveries).toMatchObject([{ to: 'leader', state: 'consumed', receipt: { source: 'person' } }]);
  expect(await ask(product, 'wait', '--mail', '--timeout', '1')).toMatchObject({ code: 1, reason: 'timeout' });

  const sent = await ask(product, 'send', 'leader', 'a word to whoever leads');
  const shown = await product.run(['wait', '--mail', '--timeout', '10']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toContain('a word to whoever leads');
  expect((await reached(product, sent.message_id))[0]).toMatchObject({ state: 'consumed' });

  for (const words of [
    ['wait'],
    ['wait', '--mail', '--idle'],
    ['wait', '--mail', '--agent', 'w'],
    ['wait', '--task', 't', '--agent', 'w'],
  ]) {
    expect(await ask(product, ...words), words.join(' ')).toMatchObject({ code: 2, reason: 'usage' });
  }

  await ask(product, 'send', 'leader', 'not for the worker');
  const inside = await ask(
    product,
    'send',
    'w',
    `run: ${shellWord(BIN)} --json wait --mail --timeout 20`,
    '--wait=result',
    '--timeout',
    '15',
  );
  expect(inside.results[0]?.summary).toMatch(/^1\|/);
  expect(inside.results[0]?.summary).toContain('worker_may_not');
  const { messages } = await ask(product, 'inbox', 'leader');
  expect(messages.find(({ body }) => body === 'not for the worker')).toMatchObject({ state: 'held' });
});

test('L09 a project of the version before goes on: what waited comes, what was under way ends, nothing is forgotten', async () => {
  product = new Product();
  const folder = product.writeTeam('crew', [{ id: 'w', script: LISTENER }]);
  fs.mkdirSync(product.paths.team, { mode: 0o700 });
  await writeOldLedger(product.paths.ledger, path.join(product.paths.team, 'crew'));
  await start(product, folder, '--fresh');
  expect(await reached(product, OLD.queued)).toMatchObject([{ state: 'consumed', attempts: 1 }]);
  expect(inputsOf(product, 'w').map(({ text }) => bodyOf(text))).toEqual(['third']);
  expect(await reached(product, OLD.submitted, ['dead'])).toMatchObject([{ reason: 'unproved', attempts: 1 }]);
  expect((await ask(product, 'deliveries', OLD.answered)).deliveries).toMatchObject([{ state: 'answered' }]);
  expect((await ask(product, 'results')).results).toMatchObject([{ result_id: 'r_1', message_id: OLD.answered }]);
  const { messages } = await ask(product, 'inbox', 'leader', '--take');
  expect(messages.map(({ sender }) => sender)).toEqual(['w', 'team-agent']);
  expect(messages[0]?.body).toBe('for the leader');
  expect(messages[1]?.body).toContain(OLD.submitted);
  expect(await product.json(['status'])).toMatchObject({
    leader: { epoch: 3, receiver: 'mailbox' },
    agents: { w: { permission: 'manual', state: 'idle' } },
  });
});
