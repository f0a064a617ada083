import type { Member } from '../agents/index.ts';
import {
  type AgentId,
  firstLine,
  type IncarnationId,
  isRefusal,
  LEADER,
  messageOfCall,
  type Refusal,
  readBytes,
  resultOfCall,
  type TeamId,
} from '../kernel/index.ts';
import {
  findMessage,
  findNotice,
  findResult,
  type IncarnationRow,
  type Reading,
  sessionOf,
  updateIncarnation,
} from '../ledger/index.ts';
import { storeNotice } from '../messages/index.ts';
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
 * Tool calls that reached no coordinator: both kinds of CLI fail such a call at once, and their own records hold it whole.
 * Each is taken in once, under the provider's own call id, also when the model makes it again (`repeated-calls.ts`). A call
 * that fails while this process boots may stand in the record only later: so records are asked at boot, and again whenever
 * an agent shows something new.
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
    const caller: AgentCaller = { kind: 'agent', team: member.row.team as TeamId, agent: member.id, incarnation };
    const taken: { tool: string; call: string; refused?: string }[] = [];
    for (const call of calls) {
      if (await isKnown(ledger.db, caller, call)) continue;
      const refused = await this.#takeIn(member, caller, call);
      taken.push({ tool: call.tool, call: call.call, ...(refused ? { refused: refused.reason } : {}) });
    }
    if (taken.length === 0) return;
    const record = (await sessionOf(ledger.db, incarnation))?.record;
    // A line that is only half there is no call yet: then the next look begins where this one did.
    const read = record && readBytes(record, position - 1, position).toString() === '\n' ? position : since;
    await ledger.change(caller.team, 'coordinator', async (change) => {
      await updateIncarnation(change, incarnation, { calls_read: read });
      await change.event('calls.taken_in', { agent_id: member.id, calls: taken });
    });
    this.#read.set(incarnation, read);
  }

  /** Nobody waits for an answer any more: who may mend what is refused is told so. */
  async #takeIn(member: Member, caller: AgentCaller, call: MissedCall): Promise<Refusal | undefined> {
    const { ledger, mint } = this.#runtime.effects;
    const done = await EFFECTS[call.tool](this.#runtime, caller, call.call, call.arguments);
    if (!isRefusal(done)) return undefined;
    const lives = member.incarnation === caller.incarnation && member.processLiveness() !== 'dead';
    await ledger.change(caller.team, 'coordinator', (change) =>
      storeNotice(change, mint, {
        key: noticeOf(caller, call),
        ...(lives ? { to: member.id, body: toItself(call, done) } : { to: LEADER, body: toLeader(caller, call, done) }),
      }),
    );
    return done;
  }
}

const noticeOf = ({ incarnation }: AgentCaller, { call }: MissedCall): string => `missed:${incarnation}:${call}`;

/** Was it taken in before, or refused? A record is read again from its beginning when positions in it say nothing. */
async function isKnown(db: Reading, caller: AgentCaller, call: MissedCall): Promise<boolean> {
  const { team, incarnation } = caller;
  return (
    (await findMessage(db, messageOfCall(incarnation, call.call))) !== undefined ||
    (await findResult(db, resultOfCall(incarnation, call.call))) !== undefined ||
    (await findNotice(db, team, noticeOf(caller, call))) !== undefined
  );
}

function toItself({ tool, arguments: words }: MissedCall, refusal: Refusal): string {
  const call = firstLine(JSON.stringify(words) ?? '', 200);
  return `Your call of ${tool} failed because the runtime was away. It was taken in now, and refused: ${why(refusal)}\n\nThe call was: ${call}`;
}

/** The agent's words are quoted, so that they cannot speak in the name of the runtime. */
function toLeader({ agent }: AgentCaller, { tool, arguments: words }: MissedCall, refusal: Refusal): string {
  const quoted = (JSON.stringify(words, undefined, 2) ?? '').replace(/^/gm, '> ');
  return `${agent} called ${tool} while the runtime was away, and has ended. The call was taken in now, and refused: ${why(refusal)}\n\n${quoted}`;
}

/** The refusal's own words, and what there is to choose from. */
function why({ message, evidence }: Refusal): string {
  return evidence === undefined ? message : `${message} ${JSON.stringify(evidence)}`;
}
