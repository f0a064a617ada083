import type { DeliveryId } from '../../../src/kernel/index.ts';
import type { Channel, ChannelName, Handed, Hold, Offer, Settlement } from '../../../src/providers/index.ts';
import type { Marks, SimulatedAgent } from './agent.ts';
import type { AgentLife } from './agent-life.ts';
import type { Fault } from './faults.ts';
import type { Scene } from './scene.ts';

/** The marks in the headers of a text that is handed over: what an agent's record is searched for. */
function marksOf(text: string): Marks {
  const [first, ...others] = [...text.matchAll(/^\[team message (\S+) from /gm)].map(([, mark]) => mark as DeliveryId);
  if (!first) throw new Error(`no mark in ${JSON.stringify(text.slice(0, 80))}`);
  return [first, ...others];
}

/** How long a paste may be on its way to a terminal that is quick, and to one that is not, ms. */
const PASTE_TAKES = { quick: 10, slow: 1_000 };

const pasteName = ({ delivery, number }: Offer): string => `${delivery}-${number}`;

/** How long an idle inbox must have stayed without the text before it counts as dropped, ms. */
const DROPPED_AFTER = 1_000;

/** The way into one life of an agent, as its provider would offer it. */
export class SimulatedChannel implements Channel {
  readonly name: ChannelName;
  readonly #agent: SimulatedAgent;
  readonly #life: AgentLife;
  readonly #scene: Scene;

  constructor(agent: SimulatedAgent, life: AgentLife, scene: Scene) {
    this.name = agent.kind === 'paste' ? 'paste' : 'protocol';
    this.#agent = agent;
    this.#life = life;
    this.#scene = scene;
  }

  async state(): ReturnType<Channel['state']> {
    const { troubles, kind } = this.#agent;
    if (troubles.down || !this.#life.alive) return { hold: 'channel_down', evidence: 'no connection' };
    if (troubles.dialog && kind !== 'protocol') return { hold: 'dialog_open', evidence: 'a dialog is on the screen' };
    if (troubles.shared) {
      this.#scene.faults.count('session in two processes');
      return { hold: 'session_changed', evidence: 'another process writes its record' };
    }
    return 'ready';
  }

  /** The bytes leave, if they leave, the moment this is called, but a paste; what the caller hears of it takes a while. */
  async hand(offer: Offer, rendered: string): Promise<Handed> {
    const marks = marksOf(rendered);
    const held = this.#agent.kind === 'paste' && (await this.#heldBeforeEnter());
    if (held) return { handed: 'held', hold: held };
    if (marks[0] !== offer.delivery) throw new Error(`${marks[0]} stands where ${offer.delivery} should`);
    const handed = this.#agent.kind === 'paste' ? await this.#paste(offer, marks) : this.#write(marks);
    if (marks.length > 1) {
      this.#scene.faults.count('riders in a hand-over');
      if (handed.handed === 'not_taken') this.#scene.faults.count('riders refused');
    }
    this.#scene.note(`${this.#agent.id} is handed ${offer.delivery.slice(0, 8)}#${offer.number}: ${handed.handed}`);
    // The provider looks again by itself once silence means something.
    this.#scene.time.after(DROPPED_AFTER + 100, () => this.#scene.changed(this.#agent));
    await this.#scene.time.pause(this.#scene.random.between(0, 25));
    return handed;
  }

  /** A paste looks once more before it presses a key. */
  async #heldBeforeEnter(): Promise<Hold | undefined> {
    const { troubles } = this.#agent;
    const state = await this.state();
    const held =
      state !== 'ready'
        ? state
        : troubles.startle > 0 && { hold: 'draft_in_composer' as const, evidence: 'a person types' };
    if (!held) return undefined;
    troubles.startle = Math.max(0, troubles.startle - 1);
    this.#scene.faults.count('held before Enter');
    return held;
  }

  /** The terminal does what it was asked for, whatever becomes of the asking, unless that was ruled out meanwhile. */
  #paste(offer: Offer, marks: Marks): Promise<Handed> {
    const { time, random, faults } = this.#scene;
    const name = pasteName(offer);
    return new Promise((resolve) => {
      time.after(random.between(0, random.chance(0.2) ? PASTE_TAKES.slow : PASTE_TAKES.quick), () => {
        if (this.#life.ruledOut.has(name)) {
          faults.count('paste on its way after a crash');
          resolve({ handed: 'not_taken', evidence: 'it was ruled out' });
          return;
        }
        const handed = this.#write(marks);
        if (handed.handed !== 'not_taken') this.#life.typed = name;
        resolve(handed);
      });
    });
  }

  #write(marks: Marks): Handed {
    const { troubles, kind } = this.#agent;
    const { faults, time } = this.#scene;
    const life = this.#life;
    if (!life.alive || troubles.down) return { handed: 'not_taken', evidence: 'the connection was refused' };
    for (const mark of marks) life.handedIn.set(mark, life.sessions.length - 1);
    if (troubles.refuse > 0) {
      troubles.refuse--;
      faults.count(kind === 'paste' ? 'refused before Enter' : 'channel refused');
      return { handed: 'not_taken', evidence: 'refused before a byte left' };
    }
    life.lastBytesAt = time.passed;
    const gone = this.#goesAstray(marks);
    if (gone) faults.count(gone);
    else this.#agent.accept(life, marks);
    if (troubles.unclear === 0) return { handed: 'written' };
    troubles.unclear--;
    faults.count('answer of the channel unclear');
    return { handed: 'unknown', evidence: 'the connection broke' };
  }

  #goesAstray([first]: Marks): Fault | undefined {
    const { troubles, kind } = this.#agent;
    if (kind === 'paste' && troubles.eat > 0) {
      troubles.eat--;
      return 'eaten by a dialog';
    }
    if (kind === 'paste' && troubles.edit > 0) {
      troubles.edit--;
      return 'edited by the person';
    }
    if (kind === 'paste' || troubles.lose === 0) return undefined;
    troubles.lose--;
    if (kind === 'protocol') return 'bytes lost after written';
    // It came in and was dropped: its guard against duplicates remembers it all the same.
    this.#life.seen.set(first, this.#scene.time.passed);
    return 'silent drop';
  }

  async settle(offer: Offer): Promise<Settlement> {
    const { troubles, kind } = this.#agent;
    const life = this.#life;
    if (troubles.unreadable) {
      this.#scene.faults.count('record unreadable');
      return { outcome: 'unknown', awaited: 'its record could be read' };
    }
    // The oldest record first: it is the one that the offer was made to.
    for (const { record } of life.sessions) {
      const found = record.indexOf(offer.delivery);
      if (found >= 0) return { outcome: 'taken', receipt: { source: 'record', offset: found } };
    }
    if (life.since(offer.delivery).some(({ lost }) => lost)) {
      this.#scene.faults.count('proof lost with its record');
      return { outcome: 'unknown', awaited: 'its record were whole' };
    }
    switch (kind) {
      case 'protocol':
        return this.#settleByQueue(offer);
      case 'inbox':
        return this.#settleBySilence();
      case 'paste':
        return this.#settleByTerminal(offer);
      default:
        return kind satisfies never;
    }
  }

  #settleByTerminal(offer: Offer): Settlement {
    const name = pasteName(offer);
    const life = this.#life;
    if (!life.alive || life.typed === name) return { outcome: 'unknown', awaited: 'the record showed it' };
    life.ruledOut.add(name);
    this.#scene.faults.count('proved that nothing was typed');
    return { outcome: 'not_taken', evidence: 'its terminal had not begun it' };
  }

  #settleByQueue(offer: Offer): Settlement {
    const life = this.#life;
    if (!life.alive) return { outcome: 'not_taken', evidence: 'it ended, and its record to the end lacks it' };
    if (this.#agent.troubles.down) return { outcome: 'unknown', awaited: 'the connection was back' };
    if (life.queue.some((input) => input.includes(offer.delivery)))
      return { outcome: 'unknown', awaited: 'it took it from its queue' };
    return { outcome: 'not_taken', evidence: 'neither its queue nor its record has it' };
  }

  #settleBySilence(): Settlement {
    const life = this.#life;
    if (!life.alive) return { outcome: 'not_taken', evidence: 'it ended, and its record to the end lacks it' };
    const silentSince = Math.max(life.idleSince, life.lastBytesAt);
    const silent = !life.busy && this.#scene.time.passed - silentSince >= DROPPED_AFTER;
    return silent && !this.#agent.troubles.dialog
      ? { outcome: 'not_taken', evidence: 'idle for a second, and its record lacks it' }
      : { outcome: 'unknown', awaited: 'it was idle for a second' };
  }
}
