import path from 'node:path';
import {
  type DeliveryId,
  type IncarnationId,
  type Liveness,
  probeProcess,
  readIfThere,
  sizeOf,
} from '../../kernel/index.ts';
import type { Terminals } from '../../tmux/index.ts';
import { ownCalls } from '../continuing.ts';
import { EndWatch } from '../end-watch.ts';
import { Incidents } from '../incidents.ts';
import { PasteChannel } from '../paste-channel.ts';
import type {
  AgentHandle,
  Approval,
  Attachment,
  Channel,
  Decision,
  Incident,
  MissedCall,
  Offer,
  TurnFact,
} from '../shape.ts';
import { answerTo, approvalOf, type Question } from './approvals.ts';
import { ProtocolChannel } from './channel.ts';
import { readComposer } from './dialogs.ts';
import { turnOfThread } from './facts.ts';
import { holdOfAgent, receiptOf } from './seen.ts';
import { type Call, Connection, type Word } from './server/connection.ts';
import { removeServerFiles } from './server/files.ts';
import type { CodexThread } from './server/thread.ts';
import { type FollowedThread, Threads } from './threads.ts';

/** A thread of Codex behind its app-server, seen through its socket, its rollout and its process. */
export class CodexAttachment implements Attachment {
  readonly #handle: AgentHandle;
  readonly #incarnation: IncarnationId;
  readonly #threads: Threads;
  readonly #connection: Connection;
  readonly #protocol: ProtocolChannel;
  readonly #paste: PasteChannel;
  readonly #end: EndWatch;
  readonly #listeners: (() => void)[] = [];
  readonly #incidents = new Incidents();
  #gone = false;
  #wasUp = false;
  #closed = false;
  readonly #forgetPane: () => void;

  constructor(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals) {
    const changed = (): void => this.#announce();
    this.#handle = handle;
    this.#incarnation = incarnation;
    this.#end = new EndWatch({
      liveness: () => this.liveness(),
      seemsEnded: () => this.#seemsEnded(),
      ended: changed,
    });
    this.#threads = new Threads({
      handle,
      changed,
      moved: (to, times) => this.#moved(to, times),
      beside: (session) => this.#noteBeside(session),
    });
    this.#connection = new Connection(handle.socket ?? '', {
      lives: () => handle.socket !== undefined && this.liveness() !== 'dead',
      greeted: (call) => this.#subscribe(call),
      heard: (word) => this.#hear(word),
      changed: () => this.#connectionChanged(),
    });
    const seen = {
      handle,
      incarnation,
      threads: this.#threads,
      connection: this.#connection,
      liveness: () => this.liveness(),
      changed,
    };
    this.#protocol = new ProtocolChannel(seen);
    const typist = {
      incarnation,
      pane: () => handle.view,
      hold: () => holdOfAgent(seen),
      readComposer,
      receipt: (offer: Offer) => receiptOf(seen, offer),
      record: () => this.#threads.current.file,
      silent: () => !this.#connection.up,
      changed,
    };
    this.#paste = new PasteChannel(typist, terminals);
    this.#threads.catchUp();
    if (this.liveness() !== 'dead') {
      this.#threads.watch();
      this.#connection.open();
    }
    this.#forgetPane = terminals.onGone((gone) => this.#paneGone(gone));
    // Told again, in case that the last time was cut short: it is told once all the same.
    if (handle.former?.length) this.#moved(this.#threads.current, handle.former.length);
  }

  facts(): readonly TurnFact[] {
    this.#threads.catchUp();
    const { thread, record } = this.#threads.current;
    const at = Date.now();
    const { pid } = this.#handle.process;
    if (this.liveness() === 'dead') {
      const code = this.#handle.exitFile ? readIfThere(this.#handle.exitFile)?.trim() : undefined;
      return [
        { value: 'exited', source: 'process', at, evidence: `process ${pid} is gone: ${code ?? 'no exit code'}` },
      ];
    }
    const facts: TurnFact[] = [];
    if (this.#connection.up) {
      const question = this.approvals()[0];
      const turn = question
        ? { value: waitingFor(question), evidence: `${question.id}: ${question.text}` }
        : turnOfThread(thread.state);
      facts.push({ ...turn, source: 'protocol', at: question?.since ?? thread.state.since });
    }
    const { turn, since, evidence } = record.state;
    if (turn !== 'unknown') facts.push({ value: turn, source: 'record', at: since, evidence });
    const value = this.#wasUp ? 'unknown' : 'starting';
    return [...facts, { value, source: 'process', at, evidence: `process ${pid} is alive` }];
  }

  greeted(): boolean {
    return this.#connection.up || this.#wasUp;
  }

  channels(): readonly Channel[] {
    return this.#handle.view ? [this.#protocol, this.#paste] : [this.#protocol];
  }

  position(): number {
    return sizeOf(this.#threads.current.file);
  }

  missedCalls(since: number): readonly MissedCall[] {
    return ownCalls(this.#handle, this.#threads.missedCalls(since));
  }

  openCalls(): readonly MissedCall[] {
    return ownCalls(this.#handle, this.#threads.openCalls());
  }

  knows(delivery: DeliveryId): boolean {
    return this.#threads.knows(delivery);
  }

  approvals(): readonly Approval[] {
    const answerable = this.#handle.details.approvals !== 'terminal';
    return this.#questions().map(({ question }) => approvalOf(question, this.#incarnation, answerable));
  }

  async decide(approval: string, decision: Decision): Promise<'taken' | { readonly not_taken: string }> {
    const open = this.#questions().find((asked) => approvalOf(asked.question, this.#incarnation, true).id === approval);
    if (!open) return { not_taken: 'it is not open any more' };
    const { question } = open;
    const known = this.approvals().find(({ id }) => id === approval);
    const answer = answerTo(question, decision);
    if (!answer || !known?.answerable) return { not_taken: 'only its terminal can answer it' };
    if (!(await this.#connection.reply(question.request, answer)))
      return { not_taken: 'there was no connection to its app-server' };
    open.thread.answered(question);
    this.#announce();
    return 'taken';
  }

  /** Codex reports through its app-server: it has no hooks of ours. */
  async hook(): Promise<object> {
    return {};
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  onIncident(listener: (incident: Incident) => void): void {
    this.#incidents.listen(listener);
  }

  liveness(): Liveness {
    return probeProcess(this.#handle.process);
  }

  close(): void {
    this.#closed = true;
    this.#end.close();
    this.#forgetPane();
    this.#threads.close();
    this.#connection.close();
    this.#protocol.close();
    this.#paste.close();
  }

  async #subscribe(call: Call): Promise<boolean> {
    this.#threads.catchUp();
    const cut = this.#threads.current.record.state.open;
    const subscribed = await this.#threads.subscribe(call);
    if (!subscribed) return false;
    if (!subscribed.loaded) this.#tellRestart(cut);
    return true;
  }

  /** A server that has not loaded the thread is another one than it was started on. */
  #tellRestart(cut: string | undefined): void {
    const restarts = restartsOf(this.#handle);
    const last = restarts.at(-1);
    if (last === undefined) return;
    const key = `${this.#incarnation}:${restarts.length}`;
    this.#incidents.tell({
      key: `server_restarted:${key}`,
      kind: 'server_restarted',
      text: `Its app-server ended by itself (${last}) and was started again; its conversation goes on.`,
    });
    if (cut === undefined) return;
    this.#incidents.tell({
      key: `turn_lost:${this.#incarnation}:${cut}`,
      kind: 'turn_lost',
      text: 'Its app-server ended in the middle of a turn. That turn is lost and is not run again: what it was asked may be half done.',
    });
  }

  #hear(word: Word): void {
    if (this.#threads.hear(word) || this.#threads.isMoving) this.#announce();
  }

  /** Open questions of every conversation: one that was left may still ask. */
  #questions(): readonly { readonly thread: CodexThread; readonly question: Question }[] {
    return this.#threads.all().flatMap(({ thread }) => thread.questions.map((question) => ({ thread, question })));
  }

  #moved({ session, file }: FollowedThread, times: number): void {
    this.#incidents.tell({
      key: `session_changed:${this.#incarnation}:${times}:${session}`,
      kind: 'session_changed',
      text: `It works in another conversation now (${session}): somebody opened it in its terminal.`,
      session: { session, record: file },
    });
  }

  #noteBeside(session: string): void {
    this.#incidents.tell({
      key: `session_beside:${this.#incarnation}:${session}`,
      kind: 'session_changed',
      text: 'Somebody opened another conversation in its terminal. Its own goes on beside it, and messages still go there.',
    });
  }

  #connectionChanged(): void {
    if (this.#connection.up) this.#wasUp = true;
    else this.#threads.lose();
    this.#announce();
  }

  #paneGone(gone: string): void {
    if (gone !== this.#incarnation) return;
    this.#gone = true;
    this.#announce();
  }

  #announce(): void {
    if (this.#closed) return;
    this.#end.begin();
    if (this.#seemsEnded() && this.liveness() === 'dead') this.#cleanUp();
    for (const listener of this.#listeners) listener();
  }

  #seemsEnded(): boolean {
    return this.#gone || (this.#wasUp && !this.#connection.up);
  }

  /** A killed server leaves its socket behind, outside every folder of ours. */
  #cleanUp(): void {
    if (this.#handle.socket !== undefined) removeServerFiles(this.#handle.socket);
  }
}

function waitingFor({ kind }: Approval): 'waiting_approval' | 'waiting_input' {
  return kind === 'question' ? 'waiting_input' : 'waiting_approval';
}

/** What the wrapper wrote at each time that it started the server again: `code N at SECONDS`. */
function restartsOf({ details }: AgentHandle): readonly string[] {
  const text = details.run === undefined ? undefined : readIfThere(path.join(details.run, 'restarts'));
  return (text ?? '').split('\n').filter((line) => line !== '');
}
