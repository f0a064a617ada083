import { expect, test } from 'vitest';
import { Member } from '../../src/agents/index.ts';
import { type IncarnationId, mint, systemClock } from '../../src/kernel/index.ts';
import type { AgentRow, IncarnationRow } from '../../src/ledger/index.ts';
import type { AgentHandle, Attachment, Offer, Settlement } from '../../src/providers/index.ts';

/** An agent whose life before is dead and knows nothing, and whose present one can tell. */
function memberWith(records: { readonly former: string; readonly present: string }): { member: Member; offer: Offer } {
  const [former, present] = [mint.incarnation(), mint.incarnation()];
  const handleOf = (record: string) => ({ record, session: 's', details: {} }) as unknown as AgentHandle;
  const rowOf = (incarnation: IncarnationId, record: string) =>
    ({ incarnation, handle: JSON.stringify(handleOf(record)), ready_at: 1 }) as unknown as IncarnationRow;
  const answers: Record<string, Settlement> = {
    [former]: { outcome: 'unknown', awaited: 'somebody resumes it' },
    [present]: { outcome: 'not_taken', evidence: 'it is nowhere' },
  };
  const attach = ({ incarnation }: IncarnationRow): Attachment =>
    ({
      channels: () => [{ name: 'protocol', settle: async () => answers[incarnation] }],
      onChange: () => undefined,
      onIncident: () => undefined,
      close: () => undefined,
    }) as unknown as Attachment;
  const member = new Member({ agent_id: 'ann' } as AgentRow, {
    clock: systemClock,
    attach,
    changed: () => undefined,
    incident: () => undefined,
    former: async () => rowOf(former, records.former),
  });
  member.follow(rowOf(present, records.present), handleOf(records.present));
  return {
    member,
    offer: { delivery: mint.delivery(), number: 1, channel: 'protocol', incarnation: former, position: 0 },
  };
}

test('what a life before left open is settled by the one that goes on with its session, and by no other', async () => {
  const resumed = memberWith({ former: '/r', present: '/r' });
  expect(await resumed.member.settle(resumed.offer)).toMatchObject({ outcome: 'not_taken' });
  const fresh = memberWith({ former: '/r', present: '/other' });
  expect(await fresh.member.settle(fresh.offer)).toMatchObject({ outcome: 'unknown' });
});
