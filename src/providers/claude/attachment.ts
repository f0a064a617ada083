import {
  type DeliveryId,
  type IncarnationId,
  type Liveness,
  type ProcessIdentity,
  probeProcess,
  readIfThere,
  type SessionId,
  sizeOf,
} from '../../kernel/index.ts';
import type { Terminals } from '../../tmux/index.ts';
import { Alarm } from '../alarm.ts';
import { approvalId } from '../approvals.ts';
import { beganAt, ownCalls } from '../continuing.ts';
import { EndWatch } from '../end-watch.ts';
import { Incidents } from '../incidents.ts';
import { PasteChannel, type Typist } from '../paste-channel.ts';
import type { AgentHandle, Approval, Attachment, Channel, Decision, Incident, MissedCall, TurnFact } from '../shape.ts';
import { Approvals, describeCall } from './approvals.ts';
import { holdOfSession, ProtocolChannel, receiptOf, type View } from './channel.ts';
import { ALTERED_BY_PASTE, readComposer } from './dialogs.ts';
import { activityOf, factsOf, HOOK_AHEAD, type Seen } from './facts.ts';
import { type FollowedSession, Sessions } from './sessions.ts';
import { configurationFolder, userSettings } from './sources/configuration.ts';
import { HookWords } from './sources/hooks.ts';
import { type Fields, fieldsOf, textOf } from './sources/json.ts';
import { RegistryWatch } from './sources/registry.ts';
import { Strangers } from './strangers.ts';

/** A Claude Code session that lives (or lived), seen through its registry entry, its hooks, its transcripts and its process. */
export class ClaudeAttachment implements Attachment {
  readonly #handle: AgentHandle;
  readonly #claude: ProcessIdentity;
  readonly #sessions: Sessions;
  readonly #registry: RegistryWatch;
  readonly #strangers: Strangers;
  readonly #approvals: Approvals;
  readonly #incarnation: IncarnationId;
  readonly #protocol: ProtocolChannel | undefined;
  readonly #paste: PasteChannel | undefined;
  readonly #end: EndWatch;
  readonly #doubt = new Alarm();
  readonly #changeListeners: (() => void)[] = [];
  readonly #incidents = new Incidents();
  readonly #hooks = new HookWords();
  readonly #forgetPane: () => void;
  readonly #config: string;
  #gone = false;
  #seeded = false;
  #closed = false;

  constructor(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals) {
    const { details } = handle;
    const changed = (): void => this.#announce();
    this.#handle = handle;
    this.#incarnation = incarnation;
    this.#config = details.config ?? configurationFolder({});
    this.#claude = { pid: Number(details.pid ?? handle.process.pid), start: details.start ?? handle.process.start };
    this.#end = new EndWatch({
      liveness: () => this.liveness(),
      seemsEnded: () => this.#seemsEnded(),
      ended: changed,
    });
    this.#approvals = new Approvals(incarnation, changed);
    const heard: [string, number][] = [];
    this.#sessions = new Sessions({
      known: [...(handle.former ?? []), { session: handle.session, record: handle.record }],
      starts: details.starts,
      began: beganAt(handle),
      changed,
      // What was taken before this attachment counts for the pace; what comes later was counted when it was handed over.
      heard: (from, at) => {
        if (!this.#seeded) heard.push([from, at]);
      },
      moved: (to, times) => this.#moved(to, times),
    });
    this.#registry = new RegistryWatch(this.#config, this.#claude.pid, handle.socket, changed);
    this.#strangers = new Strangers(incarnation, this.#sessions, this.#registry, this.#incidents);
    const view = this.#view();
    this.#protocol = handle.socket === undefined ? undefined : new ProtocolChannel(view, handle.socket);
    this.#paste = handle.pane ? new PasteChannel(this.#typist(view), terminals) : undefined;
    for (const [from, at] of heard) this.#protocol?.pace.note(from, at);
    this.#seeded = true;
    this.#forgetPane = terminals.onGone((gone) => {
      if (gone !== incarnation) return;
      this.#gone = true;
      this.#announce();
    });
    if (this.liveness() === 'dead') return;
    this.#sessions.watch();
    this.#registry.watch();
    // Nothing tells of the end of a process that runs in somebody else's terminal.
    if (!handle.pane) this.#end.begin('slowly');
  }

  facts(): readonly TurnFact[] {
    this.#sessions.catchUp();
    return factsOf(this.#seen());
  }

  greeted(): boolean {
    this.#registry.read();
    return this.#registry.entry?.status !== undefined;
  }

  channels(): readonly Channel[] {
    return [this.#protocol, this.#paste].filter((channel) => channel !== undefined);
  }

  position(): number {
    return sizeOf(this.#sessions.current.record.file);
  }

  missedCalls(since: number): readonly MissedCall[] {
    return ownCalls(this.#handle, this.#sessions.missedCalls(since));
  }

  openCalls(): readonly MissedCall[] {
    return ownCalls(this.#handle, this.#sessions.openCalls());
  }

  knows(delivery: DeliveryId): boolean {
    this.#sessions.catchUp();
    return this.#sessions.current.record.knows(delivery);
  }

  approvals(): readonly Approval[] {
    const { open } = this.#approvals;
    return open.length > 0 ? open : this.#unanswerable();
  }

  async decide(approval: string, decision: Decision): Promise<'taken' | { readonly not_taken: string }> {
    return this.#approvals.decide(approval, decision);
  }

  async hook(payload: unknown, gone: AbortSignal): Promise<object> {
    const fields = fieldsOf(payload);
    if (!fields || this.#closed) return {};
    if (fields.hook_event_name === 'PermissionRequest') return this.#approvals.hold(fields, gone);
    this.#followHook(fields);
    this.#hear(fields);
    this.#announce();
    return {};
  }

  onChange(listener: () => void): void {
    this.#changeListeners.push(listener);
  }

  onIncident(listener: (incident: Incident) => void): void {
    this.#incidents.listen(listener);
  }

  /** Dead only when both the pane's wrapper and Claude Code below it are: it may outlive a wrapper that was killed. */
  liveness(): Liveness {
    const wrapper = probeProcess(this.#handle.process);
    return wrapper === 'alive' ? 'alive' : probeProcess(this.#claude);
  }

  close(): void {
    this.#closed = true;
    this.#end.close();
    this.#doubt.close();
    this.#forgetPane();
    this.#approvals.closeAll();
    this.#sessions.close();
    this.#registry.close();
    this.#protocol?.close();
    this.#paste?.close();
  }

  #view(): View {
    return {
      handle: this.#handle,
      incarnation: this.#incarnation,
      sessions: this.#sessions,
      config: this.#config,
      pid: this.#claude.pid,
      liveness: () => this.liveness(),
      activity: () => activityOf(this.#seen()),
      question: () => this.#approvals.open[0]?.text,
      foreign: () => this.#strangers.seen(),
      modeHolds: () => this.#modeHolds(),
      announced: (delivery) => this.#hooks.announced(delivery),
      changed: () => this.#announce(),
    };
  }

  #typist(view: View): Typist {
    return {
      incarnation: this.#incarnation,
      pane: () => this.#handle.pane,
      hold: () => holdOfSession(view),
      readComposer,
      alters: ALTERED_BY_PASTE,
      receipt: (offer) => receiptOf(view, offer),
      record: () => this.#sessions.current.record.file,
      // Nothing tells that a dialog has closed or a draft is gone.
      silent: () => true,
      changed: view.changed,
    };
  }

  #seen(): Seen {
    this.#sessions.catchUp();
    this.#registry.read();
    this.#closeAnswered();
    const { exitFile } = this.#handle;
    return {
      now: Date.now(),
      liveness: this.liveness(),
      exit: (exitFile && readIfThere(exitFile)?.trim()) ?? 'no exit code',
      pid: this.#claude.pid,
      registry: this.#registry.entry,
      hook: this.#hooks.newest,
      record: this.#sessions.current.record.state,
      approvals: this.#approvals.open,
    };
  }

  #hear(payload: Fields): void {
    const at = Date.now();
    if (!this.#hooks.hear(payload, at)) return;
    // A turn that goes on or has ended waits for nobody.
    this.#approvals.closeBefore(at);
    this.#doubt.set(HOOK_AHEAD + 1, () => this.#announce());
  }

  /** Answered at the terminal: the registry has left `waiting` since it was asked. */
  #closeAnswered(): void {
    const entry = this.#registry.entry;
    if (entry?.status !== undefined && entry.status !== 'waiting') this.#approvals.closeBefore(entry.at);
  }

  /** A dialog that no hook of ours holds: it was opened before this coordinator, or it is none of a tool's. */
  #unanswerable(): readonly Approval[] {
    const { registry, record } = this.#seen();
    if (registry?.status !== 'waiting') return [];
    const call = record.open.at(-1);
    const kind: Approval['kind'] = /permission/.test(registry.waitingFor ?? '') ? 'tool' : 'question';
    // The transcript may be a moment behind the dialog.
    const words = call
      ? describeCall(call.name, call.arguments)
      : { kind, text: registry.waitingFor ?? 'an answer at its terminal' };
    const id = approvalId(this.#incarnation, `waiting since ${registry.at}`);
    return [{ id, ...words, since: registry.at, answerable: false }];
  }

  #modeHolds(): string | undefined {
    const { mode } = this.#sessions.current.record.state;
    const settings = userSettings(this.#config);
    const known = mode ?? this.#handle.details.mode ?? textOf(fieldsOf(settings?.permissions), 'defaultMode');
    if (known !== 'bypassPermissions' || this.#handle.details.inbound === 'accept') return undefined;
    return textOf(settings, 'crossSessionInbound') === 'accept'
      ? undefined
      : 'its permission mode is bypassPermissions: it would ask its person about each message';
  }

  #moved({ session, record }: FollowedSession, times: number): void {
    this.#incidents.tell({
      key: `session_changed:${this.#incarnation}:${times}:${session}`,
      kind: 'session_changed',
      text: `It works on another session now (${session}): somebody cleared, resumed or branched its conversation.`,
      session: { session: session as SessionId, record: record.file },
    });
  }

  #announce(): void {
    if (this.#closed) return;
    this.#followFound();
    this.#closeAnswered();
    this.#end.begin();
    for (const listener of this.#changeListeners) listener();
  }

  /** Its transcript may stand elsewhere than before, without a start of the session that would tell. */
  #followHook(payload: Fields): void {
    const file = textOf(payload, 'transcript_path');
    const { session } = this.#sessions.current;
    if (file !== undefined && textOf(payload, 'session_id') === session) this.#sessions.moveTo(session, file);
  }

  /** No hook of ours runs in a conversation that the person started: its registry entry tells which session it is. */
  #followFound(): void {
    const entry = this.#registry.entry;
    if (this.#handle.details.starts !== undefined || !entry) return;
    this.#sessions.moveTo(entry.session, this.#sessions.fileBeside(entry.session));
  }

  #seemsEnded(): boolean {
    return !this.#handle.pane || this.#gone || this.#registry.entry === undefined;
  }
}
