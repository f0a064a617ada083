import { afterEach, expect, test } from 'vitest';
import type { Approval } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Launched, Launcher } from './scripted-harness.ts';

const launcher = new Launcher();
afterEach(() => launcher.endAll());

const YES = { decision: 'approve', scope: 'once' } as const;

/** The question with this text, once it is open. */
const asked = ({ attachment }: Launched, text: string): Promise<Approval> =>
  eventually(`it asks ${text}`, () => attachment.approvals().find((approval) => approval.text === text));

test('N03 one question is answered once, however often and however soon it is decided', async () => {
  const agent = await launcher.ready(
    'on_start: [{ ask_approval: "First?" }, { ask_approval: "Second?" }, { hang: true }]',
  );
  const { attachment } = agent;
  const { id } = await asked(agent, 'First?');
  const decided = await Promise.all([attachment.decide(id, YES), attachment.decide(id, { decision: 'deny' })]);
  expect(decided).toEqual(['taken', { not_taken: expect.any(String) }]);
  const second = await asked(agent, 'Second?');
  expect(second.id).not.toBe(id);
  // A decision about the first that comes late does not touch the second.
  expect(await attachment.decide(id, YES)).toEqual({ not_taken: expect.any(String) });
  expect(attachment.facts()[0]).toMatchObject({ value: 'waiting_approval' });
  expect(await attachment.decide(second.id, YES)).toBe('taken');
  await eventually('it goes on', () => attachment.facts()[0]?.value === 'working');
});

test('N03 two questions with the same words are two questions', async () => {
  const agent = await launcher.ready(
    'on_start: [{ ask_approval: "Same?" }, { ask_approval: "Same?" }, { hang: true }]',
  );
  const { attachment } = agent;
  const first = await asked(agent, 'Same?');
  expect(await attachment.decide(first.id, YES)).toBe('taken');
  const second = await eventually('it asks again', () =>
    attachment.approvals().find((approval) => approval.id !== first.id),
  );
  expect(await attachment.decide(first.id, YES)).toEqual({ not_taken: expect.any(String) });
  expect(await attachment.decide(second.id, YES)).toBe('taken');
  await eventually('it goes on', () => attachment.facts()[0]?.value === 'working');
});

test('N03 a question that is no approval is not listed', async () => {
  const agent = await launcher.ready('on_start: [{ show_dialog: "Read this" }]');
  await eventually('it waits', () => agent.attachment.facts()[0]?.value === 'waiting_input');
  expect(agent.attachment.approvals()).toEqual([]);
});
