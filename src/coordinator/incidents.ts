import type { Logger } from 'pino';
import type { Member } from '../agents/index.ts';
import { type AgentId, type DeliveryId, firstLine, type IncarnationId, LEADER, type TeamId } from '../kernel/index.ts';
import { ABOUT_LEADER } from '../leader/index.ts';
import {
  type Change,
  closeSessionsOf,
  findNotice,
  insertSession,
  openRequests,
  type QueuedRow,
  updateIncarnation,
} from '../ledger/index.ts';
import type { Effects } from '../lifecycle/index.ts';
import { storeNotice, whoToTell } from '../messages/index.ts';
import type { Incident } from '../providers/index.ts';

interface House {
  readonly effects: Pick<Effects, 'ledger' | 'mint'>;
  readonly log: Logger;
  /** Resolves once an agent's line has looked at all that its record holds by now. */
  caughtUp(who: { readonly team: TeamId; readonly agent: AgentId }): Promise<void>;
}

/** What happened to agents, or to their leader, written down and told to the leader once each, in the order in which it was seen. */
export class IncidentDesk {
  readonly #house: House;
  #work: Promise<void> = Promise.resolve();

  constructor(house: House) {
    this.#house = house;
  }

  take(member: Member, incident: Incident): void {
    this.#inTurn(member.id, incident, () => this.#takeOne(member, incident));
  }

  /** Of the conversation that leads a team. It reads of it with the mail that waited meanwhile. */
  takeOfLeader(team: TeamId, incarnation: IncarnationId, incident: Incident): void {
    const { kind, text } = incident;
    const { ledger, mint } = this.#house.effects;
    const key = `${ABOUT_LEADER}:${incident.key}`;
    this.#inTurn(LEADER, incident, () =>
      ledger.change(team, 'coordinator', async (change) => {
        if (await findNotice(change.tx, team, key)) return;
        await change.event(`leader.${kind}`, { incarnation, text });
        await storeNotice(change, mint, { key, to: LEADER, body: `${LEADER}: ${text}` });
      }),
    );
  }

  #inTurn(whose: AgentId, { kind }: Incident, work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#house.log.error({ err: error, agent: whose, kind }, 'an incident was not stored');
    });
  }

  /**
   * The session is written down before anything is offered to it. What was read by the one before is known only once the
   * line has looked: so the leader is told after that, and a crash in between is mended when the incident is seen again.
   */
  async #takeOne(member: Member, incident: Incident): Promise<void> {
    const { ledger, mint } = this.#house.effects;
    const { key, kind, text, session } = incident;
    const team = member.row.team as TeamId;
    const { incarnation } = member;
    if (await findNotice(ledger.db, team, key)) return;
    if (session && incarnation) {
      await ledger.change(team, 'coordinator', (change) => openSession(change, member, incarnation, session));
      await this.#house.caughtUp({ team, agent: member.id });
    }
    await ledger.change(team, 'coordinator', async (change) => {
      if (await findNotice(change.tx, team, key)) return;
      const forgotten = session && incarnation ? await forgottenBy(change, member, incarnation) : [];
      await change.event(`agent.${kind}`, {
        agent_id: member.id,
        incarnation,
        text,
        ...(forgotten.length > 0 ? { forgotten: forgotten.map(({ message_id }) => message_id) } : {}),
      });
      await storeNotice(change, mint, { key, to: LEADER, body: `${member.id}: ${text}${namesOf(forgotten)}` });
      for (const request of forgotten) {
        const to = whoToTell(request.sender);
        if (to === undefined || to === LEADER) continue;
        const body = `${member.id} does not know any more what you asked: ${nameOf(request)}. ${STAYS_OPEN}`;
        await storeNotice(change, mint, { key: `forgotten:${request.delivery_id}:${key}`, to, body });
      }
    });
  }
}

/** A life works on another session from now on; the one before stays on record. */
async function openSession(
  change: Change,
  member: Member,
  incarnation: IncarnationId,
  { session, record }: NonNullable<Incident['session']>,
): Promise<void> {
  const { id, row, handle } = member;
  await closeSessionsOf(change, incarnation);
  await insertSession(change, {
    team: row.team,
    session_id: session,
    agent_id: id,
    generation: row.generation,
    provider: row.provider,
    incarnation,
    record,
    opened_at: change.now,
    closed_at: null,
  });
  if (!handle || (handle.session === session && handle.record === record)) return;
  const former = [...(handle.former ?? []), { session: handle.session, record: handle.record }];
  const moved = { ...handle, session, record, former };
  await updateIncarnation(change, incarnation, { handle: JSON.stringify(moved) });
  member.workOn(moved);
}

/** Requests that an agent has read and not answered, and of which its present session knows nothing. */
async function forgottenBy(change: Change, member: Member, incarnation: IncarnationId): Promise<readonly QueuedRow[]> {
  const by = { agent: member.id as AgentId, incarnation };
  const open = await openRequests(change.tx, change.team, by, ['reply', 'result']);
  return open.filter(({ delivery_id }) => !member.knows(delivery_id as DeliveryId));
}

const STAYS_OPEN =
  'It stays open, for an answer that names it by its task or message id; send it again if it still matters.';

function namesOf(forgotten: readonly QueuedRow[]): string {
  if (forgotten.length === 0) return '';
  const [what, each] =
    forgotten.length === 1 ? ['a request', STAYS_OPEN] : ['requests', STAYS_OPEN.replace('It stays', 'Each stays')];
  return `\n\nIt has read ${what} that this session knows nothing of: ${forgotten.map(nameOf).join('; ')}. ${each}`;
}

function nameOf({ message_id, task_id, body }: QueuedRow): string {
  return `${message_id}${task_id ? `, task ${task_id}` : ''} ("${firstLine(body, 60)}")`;
}
