import type { DeliveryId, IncarnationId } from '../../kernel/index.ts';
import { type Liveness, probeProcess, readIfThere, sizeOf } from '../../kernel/index.ts';
import type { Terminals } from '../../tmux/index.ts';
import { approvalId } from '../approvals.ts';
import { ownCalls } from '../continuing.ts';
import { EndWatch } from '../end-watch.ts';
import { PasteChannel } from '../paste-channel.ts';
import type { AgentHandle, Approval, Attachment, Channel, Decision, MissedCall, Offer, TurnFact } from '../shape.ts';
import { holdOfAgent, ProtocolChannel, receiptOf } from './channel.ts';
import { Connection } from './connection.ts';
import { readComposer } from './dialogs.ts';
import type { RecordState } from './facts.ts';
import { RecordFollower } from './record-follower.ts';

/** A scripted agent that lives (or lived) in a pane, seen through its socket, its record and its process. */
export class ScriptedAttachment implements Attachment {
  readonly #handle: AgentHandle;
  readonly #incarnation: IncarnationId;
  readonly #record: RecordFollower;
  readonly #connection: Connection | undefined;
  readonly #protocol: ProtocolChannel | undefined;
  readonly #paste: PasteChannel;
  readonly #end: EndWatch;
  readonly #listeners: (() => void)[] = [];
  #gone = false;
  readonly #forgetPane: () => void;
  #connected = false;
  #closed = false;
  /** The question that was answered last: until the agent says so it still looks open. */
  #answered: string | undefined;

  constructor(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals) {
    const changed = (): void => this.#announce();
    const { pane } = handle;
    if (!pane) throw new Error('a scripted agent lives in a pane');
    this.#handle = handle;
    this.#incarnation = incarnation;
    this.#end = new EndWatch({
      liveness: () => this.liveness(),
      seemsEnded: () => this.#seemsEnded(),
      ended: changed,
    });
    this.#record = new RecordFollower(handle.record, changed);
    this.#connection =
      handle.socket === undefined
        ? undefined
        : new Connection(
            handle.socket,
            () => this.liveness() !== 'dead',
            () => this.#wroteGreeting(),
            changed,
          );
    const seen = {
      handle,
      incarnation,
      record: this.#record,
      connection: this.#connection,
      liveness: () => this.liveness(),
      greeted: () => this.greeted(),
      foreign: () => this.#foreign(),
      changed,
    };
    const typist = {
      incarnation,
      pane: () => pane,
      hold: () => holdOfAgent(seen),
      readComposer,
      receipt: (offer: Offer) => receiptOf(seen, offer),
      record: () => handle.record,
      silent: () => !this.#connection?.greeting,
      changed,
    };
    this.#protocol = this.#connection && new ProtocolChannel(seen, this.#connection);
    this.#paste = new PasteChannel(typist, terminals);
    this.#record.watch();
    this.#record.catchUp();
    this.#connection?.open();
    this.#forgetPane = terminals.onGone((gone) => {
      if (gone !== incarnation) return;
      this.#gone = true;
      this.#announce();
    });
  }

  facts(): readonly TurnFact[] {
    this.#record.catchUp();
    const at = Date.now();
    const { pid } = this.#handle.process;
    if (this.liveness() === 'dead') {
      const code = readIfThere(this.#handle.exitFile ?? '')?.trim() ?? 'no exit code';
      return [{ value: 'exited', source: 'process', at, evidence: `process ${pid} is gone: ${code}` }];
    }
    const facts: TurnFact[] = [];
    const said = this.#connection?.state;
    if (said) {
      const { turn, dialog } = said;
      const evidence = `the agent says ${turn.state}${dialog ? `, ${dialog.kind}: ${dialog.text}` : ''}`;
      facts.push({ value: turn.state, source: 'protocol', at: turn.since, evidence });
    }
    const written = this.#ours();
    if (written) {
      facts.push({ value: written.turn, source: 'record', at: written.since, evidence: this.#handle.record });
    }
    const value = this.greeted() ? 'unknown' : 'starting';
    return [...facts, { value, source: 'process', at, evidence: `process ${pid} is alive` }];
  }

  greeted(): boolean {
    const said = this.#connection?.state;
    if (said && said.turn.state !== 'starting' && this.#connection?.greeting?.incarnation === this.#incarnation) {
      // A dialog before the greeting is a state of its own; the record tells the two apart.
      if (said.dialog === null) return true;
    }
    // Its socket was there before that line: the better channel is just about to be up.
    return !this.#connection?.coming && this.#wroteGreeting();
  }

  channels(): readonly Channel[] {
    return this.#protocol ? [this.#protocol, this.#paste] : [this.#paste];
  }

  position(): number {
    return sizeOf(this.#handle.record);
  }

  missedCalls(since: number): readonly MissedCall[] {
    this.#record.catchUp();
    return ownCalls(this.#handle, this.#record.missedCalls(since));
  }

  openCalls(): readonly MissedCall[] {
    this.#record.catchUp();
    return ownCalls(this.#handle, this.#record.openCalls);
  }

  knows(delivery: DeliveryId): boolean {
    this.#record.catchUp();
    return (['protocol', 'paste'] as const).some((way) => this.#record.receipt(way, delivery, 0) !== undefined);
  }

  approvals(): readonly Approval[] {
    const said = this.#connection?.state;
    if (said?.dialog?.kind !== 'approval') return [];
    const { text } = said.dialog;
    const { since } = said.turn;
    const id = approvalId(this.#incarnation, `${since} ${text}`);
    return id === this.#answered ? [] : [{ id, kind: 'command', text, since, answerable: true }];
  }

  async decide(approval: string, { decision }: Decision): Promise<'taken' | { readonly not_taken: string }> {
    if (!this.approvals().some((open) => open.id === approval)) return { not_taken: 'it is not open any more' };
    // A second answer would be taken for one to whatever it asks next.
    this.#answered = approval;
    const sent = await this.#connection?.send({ type: 'answer', decision });
    if (sent === 'written') return 'taken';
    this.#answered = undefined;
    return { not_taken: 'there is no connection to its socket' };
  }

  /** It has no hooks: its socket says everything. */
  async hook(): Promise<object> {
    return {};
  }

  onIncident(): void {
    // Nothing happens to a scripted agent that its state does not say.
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Dead only when both the pane's wrapper and the agent below it are: the agent may outlive a wrapper that was killed. */
  liveness(): Liveness {
    const wrapper = probeProcess(this.#handle.process);
    if (wrapper === 'alive') return 'alive';
    this.#record.catchUp();
    const program = this.#ours()?.process;
    return program ? probeProcess(program) : wrapper;
  }

  close(): void {
    this.#closed = true;
    this.#end.close();
    this.#forgetPane();
    this.#record.close();
    this.#connection?.close();
    this.#paste.close();
  }

  #announce(): void {
    if (this.#closed) return;
    if (this.#connection?.greeting) this.#connected = true;
    this.#end.begin();
    for (const listener of this.#listeners) listener();
  }

  #seemsEnded(): boolean {
    const cutOff = this.#connected && !this.#connection?.greeting;
    return this.#gone || cutOff || this.#ours()?.turn === 'exited';
  }

  #wroteGreeting(): boolean {
    this.#record.catchUp();
    return this.#ours()?.greeted ?? false;
  }

  /** The record's state when its last process life is this incarnation. */
  #ours(): RecordState | undefined {
    const { state } = this.#record;
    return state.incarnation === this.#incarnation ? state : undefined;
  }

  /** True when another incarnation writes the record of an agent that has greeted. */
  #foreign(): boolean {
    this.#record.catchUp();
    return this.#connection?.greeting !== undefined && this.#ours() === undefined;
  }
}
