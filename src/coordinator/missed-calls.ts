import type { Member } from '../agents/index.ts';
import { type AgentId, type IncarnationId, isRefusal, type Refusal, readBytes, type TeamId } from '../kernel/index.ts';
import { type IncarnationRow, sessionOf, updateIncarnation } from '../ledger/index.ts';
import type { ChangingTool, MissedCall } from '../providers/index.ts';
import type { AgentCaller } from './api/callers.ts';
import type { Runtime } from './runtime.ts';
import { reportResult, requestHuman, sendMessage, updateState } from './tool-calls.ts';

/** What a call of each tool does, whether it comes by itself or is taken in later. */
const EFFECTS: Readonly<
  Record<
    ChangingTool,
    (runtime: Runtime, caller: AgentCaller, call: string, input: unknown) => Promise<object | Refusal>
  >
> = { report_result: reportResult, send_message: sendMessage, request_human: requestHuman, update_state: updateState };

/**
 * Tool calls that reached no coordinator: both kinds of CLI fail such a call at once and do not try again, but their own
 * records hold it whole. Each is taken in once, under the provider's own call id. A call that fails while this process
 * boots may stand in the record only later: so records are asked at boot, and again whenever an agent shows something new.
 */
export class MissedCalls {
  readonly #runtime: Runtime;
  /** Bytes of a life's record up to which its calls were taken in. */
  readonly #read = new Map<IncarnationId, number>();
  #work: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Takes in what the lives that were open before this boot have missed, also those that have ended since. */
  async atBoot(lives: readonly IncarnationRow[]): Promise<void> {
    for (const life of lives) {
      const incarnation = life.incarnation as IncarnationId;
      this.#read.set(incarnation, life.calls_read);
      const member = this.#runtime.member(life.team as TeamId, life.agent_id as AgentId);
      if (member) await this.look(member, incarnation);
    }
  }

  /** Looks into the record of a life, after all looks that were asked for before. Never fails: a later look finds it again. */
  look(member: Member, incarnation: IncarnationId): Promise<void> {
    this.#work = this.#work
      .then(() => this.#takeAllIn(member, incarnation))
      .catch((error: unknown) => {
        this.#runtime.log.error({ err: error, agent: member.id }, 'missed calls could not be taken in');
      });
    return this.#work;
  }

  async #takeAllIn(member: Member, incarnation: IncarnationId): Promise<void> {
    const { ledger } = this.#runtime.effects;
    const since = this.#read.get(incarnation) ?? 0;
    const { calls, position } = await member.missedCalls(incarnation, since);
    if (calls.length === 0) return;
    const caller: AgentCaller = { kind: 'agent', team: member.row.team as TeamId, agent: member.id, incarnation };
    for (const call of calls) await this.#takeIn(caller, call);
    const record = (await sessionOf(ledger.db, incarnation))?.record;
    // A line that is only half there is no call yet: then the next look begins where this one did.
    const read = record && readBytes(record, position - 1, position).toString() === '\n' ? position : since;
    await ledger.change(caller.team, 'coordinator', async (change) => {
      await updateIncarnation(change, incarnation, { calls_read: read });
      await change.event('calls.taken_in', {
        agent_id: member.id,
        calls: calls.map(({ tool, call }) => ({ tool, call })),
      });
    });
    this.#read.set(incarnation, read);
  }

  async #takeIn(caller: AgentCaller, call: MissedCall): Promise<void> {
    const taken = await EFFECTS[call.tool](this.#runtime, caller, call.call, call.arguments);
    if (isRefusal(taken)) {
      const { reason } = taken;
      this.#runtime.log.warn({ agent: caller.agent, tool: call.tool, reason }, 'a missed call was refused');
    }
  }
}
