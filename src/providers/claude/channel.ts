import type { DeliveryId, IncarnationId, Liveness } from '../../kernel/index.ts';
import { Alarm } from '../alarm.ts';
import { hold, ofAnotherLife } from '../holds.ts';
import type { AgentHandle, Channel, Handed, Hold, Offer, Settlement } from '../shape.ts';
import type { Activity } from './facts.ts';
import type { Sessions } from './sessions.ts';
import { inboxFault, letterUuid, writeLetter } from './sources/inbox.ts';
import { Pace } from './sources/pace.ts';
import { peerToken } from './sources/registry.ts';

/** What both channels see of a live session. */
export interface View {
  readonly handle: AgentHandle;
  readonly incarnation: IncarnationId;
  readonly sessions: Sessions;
  readonly config: string;
  /** The process of Claude Code itself. */
  readonly pid: number;
  readonly liveness: () => Liveness;
  /** What the session does now, since when (UTC ms), and how we know. */
  readonly activity: () => { readonly value: Activity; readonly source: string; readonly at: number };
  readonly question: () => string | undefined;
  /** Another session on our socket, or ours in another process; in words. */
  readonly foreign: () => string | undefined;
  /** Its permission mode makes a person confirm each message; in words. */
  readonly modeHolds: () => string | undefined;
  /** Its own hook has said that it takes this delivery. */
  readonly announced: (delivery: DeliveryId) => boolean;
  readonly changed: () => void;
}

/** An idle session writes down what it takes within so many ms; measured: half of it at most. */
const RECORD_DEADLINE = 3_000;

/** How often a socket that was down is tried again, ms. */
const TRY_AGAIN = 2_000;

/** Into the session's inbox socket. It never answers: the transcript tells what became of a message. */
export class ProtocolChannel implements Channel {
  readonly name = 'protocol';
  readonly intrudes = true;
  readonly #view: View;
  readonly #socket: string;
  readonly pace = new Pace();
  /** What was heard of each attempt. */
  readonly #heard = new Map<string, Heard>();
  /** How often a transcript had been replaced when an attempt was handed over. */
  readonly #replaced = new Map<string, number>();
  /** Attempts of which no byte has left. */
  readonly #refused = new Map<string, string>();
  #down: string | undefined;
  readonly #again = new Alarm();
  #asking: Promise<void> | undefined;

  constructor(view: View, socket: string) {
    this.#view = view;
    this.#socket = socket;
  }

  async state(): Promise<'ready' | Hold> {
    const held = holdOfSession(this.#view, this.#view.modeHolds);
    if (held && held.hold !== 'working') return held;
    // What is urgent goes into a running turn, but through no inbox that is shut.
    return (await this.#holdOfInbox()) ?? held ?? 'ready';
  }

  async #holdOfInbox(): Promise<Hold | undefined> {
    if (this.#down !== undefined) this.#down = await inboxFault(this.#socket);
    if (this.#down !== undefined) {
      this.#lookAgain(TRY_AGAIN);
      return hold('channel_down', `its inbox ${this.#socket}: ${this.#down}`);
    }
    const wait = this.pace.wait(Date.now());
    if (wait === 0) return undefined;
    this.#lookAgain(wait);
    return hold('pacing', `Claude Code drops what comes too quickly; the next may go in ${wait} ms`);
  }

  async hand(offer: Offer, rendered: string, from: string): Promise<Handed> {
    const { sessions, config, pid, activity } = this.#view;
    const key = keyOf(offer);
    this.#heard.delete(key);
    this.#replaced.set(key, sessions.replacements);
    const letter = {
      uuid: letterUuid(offer),
      session: sessions.current.session,
      from,
      content: rendered,
      priority: offer.urgent && activity().value === 'busy' ? ('now' as const) : ('next' as const),
      token: peerToken(config, pid),
    };
    const handed = await writeLetter(this.#socket, letter, () => this.#wasRead(key));
    if (handed.handed === 'not_taken') {
      this.#down = handed.evidence;
      this.#refused.set(key, handed.evidence);
    } else this.pace.note(from, Date.now());
    return handed;
  }

  /**
   * Taken: a transcript of this life has it. Not taken: the process is dead and its transcripts lack it, or the session has
   * read its inbox, is idle, and has written nothing about it for a second.
   */
  async settle(offer: Offer): Promise<Settlement> {
    const { incarnation, sessions } = this.#view;
    if (offer.incarnation !== incarnation) return ofAnotherLife(offer);
    const dead = this.#view.liveness() === 'dead';
    const taken = receiptOf(this.#view, offer);
    if (taken) return taken;
    const { file } = sessions.current.record;
    const refused = this.#refused.get(keyOf(offer));
    if (refused !== undefined) return { outcome: 'not_taken', evidence: refused };
    const lost = sessions.lostSince(offer, this.#replaced.get(keyOf(offer)));
    if (dead) {
      if (lost !== undefined) return { outcome: 'unknown', awaited: lost };
      return { outcome: 'not_taken', evidence: `the process is dead, and ${file} lacks it` };
    }
    const activity = this.#view.activity();
    const announced = this.#view.announced(offer.delivery);
    const imminent = announced ? ({ imminent: true } as const) : {};
    if (activity.value !== 'idle' || activity.source !== 'protocol') {
      const what = announced ? 'a hook has told that it was taken' : 'the end of the turn';
      return { outcome: 'unknown', awaited: `its line in ${file}; ${what}`, ...imminent };
    }
    if (this.#view.foreign() ?? this.#view.modeHolds()) {
      return { outcome: 'unknown', awaited: `its line in ${file}: a person may have to let it in` };
    }
    if (lost !== undefined) return { outcome: 'unknown', awaited: lost, ...imminent };
    const settled = this.#settleIdle(offer, activity.at, file);
    return settled.outcome === 'unknown' ? { ...settled, ...imminent } : settled;
  }

  close(): void {
    this.#again.close();
  }

  /**
   * An idle session: it has to have read its inbox, had its second, and be heard again after that, so that one that was
   * stopped or asleep meanwhile is not taken for one that has nothing to say.
   */
  #settleIdle(offer: Offer, idleSince: number, file: string): Settlement {
    const key = keyOf(offer);
    const { read, again } = this.#heard.get(key) ?? {};
    if (read === undefined) {
      this.#ask(key);
      return { outcome: 'unknown', awaited: 'a sign that the session has read its inbox' };
    }
    const left = RECORD_DEADLINE - Math.min(performance.now() - read, Date.now() - idleSince);
    if (left > 0) {
      this.#lookAgain(left + 1);
      return { outcome: 'unknown', awaited: `its line in ${file}` };
    }
    if (again === undefined) {
      this.#ask(key);
      return { outcome: 'unknown', awaited: `its line in ${file}, or a sign that the session still runs` };
    }
    const queued = this.#view.sessions.wasQueued(offer) ? '; it was in its queue, and is not any more' : '';
    const evidence = `the session is idle, has read its inbox, and ${file} lacks it${queued}`;
    return { outcome: 'not_taken', evidence };
  }

  /** The session hangs up once it has read a connection to its end; connections are read in their order. */
  #ask(key: string): void {
    this.#asking ??= inboxFault(this.#socket).then((fault) => {
      this.#asking = undefined;
      if (fault === undefined) this.#wasRead(key);
      else this.#lookAgain(TRY_AGAIN);
    });
  }

  #wasRead(key: string): void {
    const now = performance.now();
    const { read } = this.#heard.get(key) ?? {};
    if (read === undefined) this.#heard.set(key, { read: now });
    else if (now - read >= RECORD_DEADLINE) this.#heard.set(key, { read, again: now });
    this.#lookAgain(RECORD_DEADLINE + 1);
    this.#view.changed();
  }

  #lookAgain(wait: number): void {
    this.#again.set(wait, this.#view.changed);
  }
}

/** When a session was heard to have read its inbox, in ms of a clock that stands still while the machine sleeps. */
interface Heard {
  /** What was handed over. */
  readonly read: number;
  /** Once more, a while later. */
  readonly again?: number;
}

const keyOf = ({ delivery, number }: Offer): string => `${delivery}#${number}`;

/** What the session has against an offer. `modeHolds`: its permission mode counts too, as it does for its inbox alone. */
export function holdOfSession(
  { liveness, activity, question, foreign }: View,
  modeHolds: () => string | undefined = () => undefined,
): Hold | undefined {
  if (liveness() === 'dead') return hold('channel_down', 'the process is dead');
  // First: it reads what the session has written, which may answer the question.
  const { value } = activity();
  const asked = question();
  if (asked !== undefined) return hold('dialog_open', asked);
  const stranger = foreign();
  if (stranger !== undefined) return hold('session_changed', stranger);
  const mode = modeHolds();
  return mode === undefined ? holdOfActivity(value) : hold('mode_holds_mail', mode);
}

/** The hold that a session's doing puts on it; undefined when something may be offered. */
function holdOfActivity(activity: Activity): Hold | undefined {
  switch (activity) {
    case 'idle':
      return undefined;
    case 'busy':
      return hold('working', 'a turn is running');
    case 'waiting':
      return hold('dialog_open', 'it waits for an answer at its terminal');
    case 'starting':
      return hold('starting', 'it has no entry in the session registry yet');
    case 'gone':
      return hold('channel_down', 'the process is dead');
    default:
      return activity satisfies never;
  }
}

/** The line of input that proves an offer; undefined while the transcripts lack it. */
export function receiptOf({ sessions }: View, offer: Offer): Settlement | undefined {
  const uuids = Array.from({ length: offer.number }, (_, at) => letterUuid({ ...offer, number: at + 1 }));
  const found = sessions.receipt(uuids, offer);
  if (!found) return undefined;
  const { file, offset, uuid } = found;
  return { outcome: 'taken', receipt: { source: 'transcript', file, offset, ...(uuid ? { record_id: uuid } : {}) } };
}
