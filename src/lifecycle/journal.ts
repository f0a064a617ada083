import { randomUUID } from 'node:crypto';
import type { TeamId } from '../kernel/index.ts';
import { type Change, insertSaga, type Ledger, updateSaga } from '../ledger/index.ts';

/**
 * The journal of a verb with effects. A saga is written before its first effect and ended after its last; boot finds those
 * that were cut off, undoes them before their point of no return and completes them after it.
 *
 *   launch     point of no return: `ready` (every agent is)         before it: every pane that was opened is closed
 *   restart    as a launch
 *   start      point of no return: `ready` (the agent is)           before it: its pane is closed, it is stopped
 *   stop       point of no return: its first commit (`asked`)       after it: its pane is closed
 *   add        point of no return: `ready` (the agent is)           before it: its pane is closed, its document removed, and
 *              whoever was removed under its name stays so; a fork is an add that begins with another's conversation
 *   remove     point of no return: its first commit (`asked`)       after it: its pane is closed, then it is no member
 *              any more; when nobody can prove that it ended, it stays a member that is stopped
 *   reset      a stop, then the conversation is given up, then a start: three commits, each a state to go on from
 *   shutdown   point of no return: its first commit (`asked`)       after it: the rest of the panes are closed
 *
 * A verb that fails behind its journal leaves it open: whoever touches the same agents next settles it first, as boot does.
 * What is settled late is about the lives and members that it names, and not about those that stand there by then.
 */
export type Verb = 'launch' | 'shutdown' | 'restart' | 'start' | 'stop' | 'add' | 'remove';

/** Is it about a whole team? */
export const isOfTeam = (verb: Verb): boolean => verb === 'launch' || verb === 'restart' || verb === 'shutdown';

export class Saga {
  readonly id: string;
  readonly team: TeamId;
  readonly #ledger: Ledger;

  constructor(ledger: Ledger, team: TeamId, id: string = randomUUID()) {
    this.#ledger = ledger;
    this.team = team;
    this.id = id;
  }

  /** Writes the plan, in the transaction of the intent it carries out. */
  async open(change: Change, verb: Verb, plan: object): Promise<void> {
    await insertSaga(change, { saga_id: this.id, verb, step: 'journalled', plan: JSON.stringify(plan) });
    await change.event('saga.opened', { saga: this.id, verb });
  }

  /** Ends it, with whatever belongs into the same transaction. */
  async end(
    outcome: 'done' | 'undone',
    also: (change: Change) => Promise<void> = async () => undefined,
  ): Promise<void> {
    await this.#ledger.change(this.team, 'coordinator', async (change) => {
      await also(change);
      await updateSaga(change, this.id, { step: outcome, ended_at: change.now, outcome });
      await change.event('saga.ended', { saga: this.id, outcome });
    });
  }
}
