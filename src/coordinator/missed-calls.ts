import { isRefusal, type TeamId } from '../kernel/index.ts';
import { findIncarnation, updateIncarnation } from '../ledger/index.ts';
import type { MissedCall } from '../providers/index.ts';
import type { AgentCaller } from './callers.ts';
import type { Runtime } from './runtime.ts';
import { reportResult, sendMessage } from './tool-calls.ts';

/**
 * Tool calls that agents made while no coordinator ran: both kinds of CLI fail such a call at once and do not try again, but
 * their own records hold it whole. Each is taken in once, under the provider's own call id.
 */
export async function takeInMissedCalls(runtime: Runtime): Promise<void> {
  const { ledger, roster } = runtime.effects;
  for (const member of roster.all()) {
    const { incarnation } = member;
    if (!incarnation) continue;
    const row = await findIncarnation(ledger.db, incarnation);
    const { calls, position } = member.missedCalls(row?.calls_read ?? 0);
    if (calls.length === 0) continue;
    const caller: AgentCaller = { kind: 'agent', team: member.row.team as TeamId, agent: member.id, incarnation };
    for (const call of calls) await takeIn(runtime, caller, call);
    await ledger.change(caller.team, 'coordinator', async (change) => {
      await updateIncarnation(change, incarnation, { calls_read: position });
      await change.event('calls.taken_in', {
        agent_id: member.id,
        calls: calls.map(({ tool, call }) => ({ tool, call })),
      });
    });
  }
}

async function takeIn(runtime: Runtime, caller: AgentCaller, call: MissedCall): Promise<void> {
  const { call: key } = call;
  const taken =
    call.tool === 'report_result'
      ? await reportResult(runtime, caller, key, call.arguments)
      : await sendMessage(runtime, caller, key, call.arguments);
  if (isRefusal(taken))
    runtime.log.warn({ agent: caller.agent, tool: call.tool, reason: taken.reason }, 'a missed call was refused');
}
