import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Paths } from '../client/index.ts';
import type { AgentId, IncarnationId, TeamId } from '../kernel/index.ts';
import { liveIncarnations, liveLeaders, recipientsWithOpenDeliveries, teams } from '../ledger/index.ts';
import { endLeader, recordEnd, reopenView } from '../lifecycle/index.ts';
import type { Door } from './api/listening.ts';
import type { Exporter } from './export/exporter.ts';
import { rebindResumed } from './leadership.ts';
import type { MissedCalls } from './missed-calls.ts';
import type { Runtime } from './runtime.ts';

/** How often everything is looked at though nothing was said, ms: the safety net below the events. It only reads. */
const SWEEP = 15_000;
/** How long the removal of a workspace may take, ms, before its agents are ended all the same. */
const REMOVAL = 2_000;
/** A coordinator without agents and callers ends after this long, ms. */
const IDLE_END = 60_000;

/**
 * Watches over the coordinator's own life: agents that end, lines that may have missed a word, the workspace that vanishes,
 * the moment when nobody needs it any more.
 */
export class Caretaker {
  readonly #runtime: Runtime;
  readonly #paths: Paths;
  readonly #missed: MissedCalls;
  readonly #exporter: Exporter;
  readonly #doors: { readonly local: Door; readonly loopback: Door };
  readonly #asked: Promise<string>;
  readonly #ledgerFile: number;
  readonly #held: number;
  /** Lives whose end is being written down. */
  readonly #endings = new Set<IncarnationId>();
  #leadingOn = false;
  #quietSince: number | undefined;
  #ended = false;

  constructor(
    runtime: Runtime,
    missed: MissedCalls,
    exporter: Exporter,
    paths: Paths,
    doors: { local: Door; loopback: Door },
    asked: Promise<string>,
  ) {
    this.#runtime = runtime;
    this.#missed = missed;
    this.#exporter = exporter;
    this.#paths = paths;
    this.#doors = doors;
    this.#asked = asked;
    this.#ledgerFile = fs.statSync(paths.ledger).ino;
    // Held open: a file that is gone for good has no link left, one that was moved has. Never closed, for a close of any
    // descriptor of this file would give up the lock that SQLite holds on it.
    this.#held = fs.openSync(paths.ledger, 'r');
  }

  begin(): void {
    this.#runtime.effects.terminals.onGone((gone) => {
      void this.#lifeEnded(gone as IncarnationId, 'its pane closed');
      void this.#viewClosed(gone);
    });
    // A process may outlive its pane for a while, or end while its pane stays.
    this.#runtime.onSeen(({ incarnation }) => {
      if (incarnation) void this.#lifeEnded(incarnation, 'its process ended');
    });
    this.#runtime.onLeaderSeen((team) => void this.#leadOn(team));
    void this.#endLeadersOfOld().catch((error: unknown) =>
      this.#runtime.log.error({ err: error }, 'a leader did not end'),
    );
    for (const folder of [this.#paths.workspace, this.#paths.run]) {
      fs.watch(folder, { persistent: false }, () => this.#checkWorkspace()).on('error', () => this.#checkWorkspace());
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void this.#end(signal));
    void this.#asked.then((why) => this.#end(why));
    this.#sweepLater();
  }

  /** Every schedule, and every line that has something to settle or to offer, looks again. */
  async wakeAll(): Promise<void> {
    for (const team of await teams(this.#runtime.effects.ledger.db)) {
      this.#runtime.office(team.team as TeamId).wakeSchedule();
      for (const recipient of await recipientsWithOpenDeliveries(
        this.#runtime.effects.ledger.db,
        team.team as TeamId,
      )) {
        this.#runtime.office(team.team as TeamId).wake(recipient as AgentId);
      }
    }
  }

  #sweepLater(): void {
    this.#runtime.effects.clock.after(SWEEP, () => {
      void this.#sweep()
        .catch((error: unknown) => this.#runtime.log.error({ err: error }, 'a sweep failed'))
        .finally(() => this.#sweepLater());
    });
  }

  async #sweep(): Promise<void> {
    if (this.#checkWorkspace()) return;
    for (const member of this.#runtime.effects.roster.all()) {
      if (member.incarnation && member.processLiveness() === 'dead')
        await this.#lifeEnded(member.incarnation, 'its process ended');
    }
    const { leaders } = this.#runtime.effects;
    await this.#endLeaders([...leaders.all().map(({ incarnation }) => incarnation), ...leaders.launching()]);
    await rebindResumed(this.#runtime);
    await this.wakeAll();
    await this.#endWhenQuiet();
  }

  async #lifeEnded(incarnation: IncarnationId, why: string): Promise<void> {
    const member = this.#runtime.effects.roster.byIncarnation(incarnation);
    // A verb that ends a life writes it down itself; a member that nobody follows was ended already.
    if (member?.row.intent !== 'running' || member.processLiveness() !== 'dead') return;
    if (this.#endings.has(incarnation)) return;
    this.#endings.add(incarnation);
    try {
      await this.#missed.look(member, incarnation);
      await recordEnd(this.#runtime.effects, incarnation, { why, asked: false });
      this.#runtime.saw(member);
    } catch (error) {
      this.#runtime.log.error({ err: error, incarnation }, 'the end of an agent could not be written down');
    } finally {
      this.#endings.delete(incarnation);
    }
  }

  /** Those of earlier coordinators, also the ones that nothing is known of but that they were to be. */
  async #endLeadersOfOld(): Promise<void> {
    const rows = await liveLeaders(this.#runtime.effects.ledger.db);
    await this.#endLeaders(rows.map(({ incarnation }) => incarnation as IncarnationId));
  }

  /** Conversations that have ended, or whose launch has, without a word: what we started for them ends too. */
  async #endLeaders(incarnations: readonly IncarnationId[]): Promise<void> {
    const { effects } = this.#runtime;
    for (const incarnation of incarnations) {
      if (!effects.leaders.isAlive(incarnation)) await endLeader(effects, incarnation);
    }
  }

  /** A leader that has just ended may go on in another process by now. */
  async #leadOn(team: TeamId): Promise<void> {
    const { leaders } = this.#runtime.effects;
    const receiver = leaders.receiver(team);
    if (receiver === undefined || leaders.isAlive(receiver) || this.#leadingOn) return;
    this.#leadingOn = true;
    try {
      await rebindResumed(this.#runtime);
    } catch (error) {
      this.#runtime.log.error({ err: error, team }, 'whoever goes on with the leader was not found');
    } finally {
      this.#leadingOn = false;
    }
  }

  /** A pane that only showed a life has closed. */
  async #viewClosed(gone: string): Promise<void> {
    const { effects, log } = this.#runtime;
    const member = effects.roster.all().find(({ handle }) => handle?.view?.incarnation === gone);
    if (member?.row.intent !== 'running') return;
    try {
      await reopenView(effects, member, process.env);
    } catch (error) {
      log.error({ err: error, agent: member.id }, 'a view could not be opened again');
    }
  }

  async #endWhenQuiet(): Promise<void> {
    const { ledger, clock, leaders } = this.#runtime.effects;
    const lives = (await liveIncarnations(ledger.db)).length > 0 || leaders.someLaunched();
    const busy = this.#doors.local.connections() > 0 || lives;
    if (busy) this.#quietSince = undefined;
    else this.#quietSince ??= clock.now();
    if (this.#quietSince !== undefined && clock.now() - this.#quietSince >= IDLE_END)
      await this.#end('nobody needs it');
  }

  /** True when the workspace is gone: then this process ends at once and puts nothing back. */
  #checkWorkspace(): boolean {
    if (fs.statSync(this.#paths.ledger, { throwIfNoEntry: false })?.ino === this.#ledgerFile) return false;
    if (!this.#ended) void this.#vanish();
    return true;
  }

  /** Agents of a project that was deleted are ended by their own panes; those of one that was moved are left alone. */
  async #vanish(): Promise<void> {
    this.#ended = true;
    const { terminals, roster } = this.#runtime.effects;
    await terminals.reviveWith('');
    if (fs.fstatSync(this.#held).nlink === 0) {
      await this.#removalIsDone();
      const panes = roster.all().flatMap(({ handle }) => [handle?.view, handle?.pane]);
      await Promise.all(panes.map((pane) => pane && terminals.close(pane)));
      fs.rmSync(this.#paths.sockets, { recursive: true, force: true });
    } else {
      // The others in this folder are the only ways to agents that live: of a project that is moved back they are needed.
      fs.rmSync(this.#paths.socket, { force: true });
    }
    // No orderly close: SQLite would tidy up by path, and another project may stand there by now.
    process.exit(0);
  }

  /** Agents that end write their last words: into a folder that is just being removed they would put files back. */
  async #removalIsDone(): Promise<void> {
    const deadline = performance.now() + REMOVAL;
    while (fs.existsSync(this.#paths.workspace) && performance.now() < deadline) await pause(20);
  }

  /** The orderly end: the agents live on, and nobody revives what was meant to end. */
  async #end(why: string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { terminals, ledger, roster, leaders } = this.#runtime.effects;
    this.#runtime.log.info({ why }, 'coordinator ends');
    this.#runtime.effects.queue.close();
    await terminals.reviveWith('');
    await withinReason(this.#runtime.stopOffers(), HAND_OVER);
    await withinReason(this.#exporter.flush(), ANSWERS);
    await terminals.detach();
    for (const member of roster.all()) member.letGo();
    // The way in of a conversation that lives, or is to open, lies there.
    const socketsInUse = leaders.someLaunched();
    leaders.letGo();
    await withinReason(this.#doors.local.empty(), ANSWERS);
    this.#doors.loopback.close();
    this.#doors.local.close();
    await ledger.close();
    fs.rmSync(this.#paths.pointer, { force: true });
    if (!socketsInUse && (await terminals.panes())?.length === 0)
      fs.rmSync(this.#paths.sockets, { recursive: true, force: true });
    process.exit(0);
  }
}

/**
 * An orderly end waits this long, ms, for what is being handed over: an agent may have to be asked first, and has its own time
 * to answer. What is cut off then is settled at the next boot.
 */
const HAND_OVER = 5_000;

/** The same for answers to leave. */
const ANSWERS = 1_000;

function withinReason(work: Promise<unknown>, patience: number): Promise<unknown> {
  return Promise.race([work, new Promise((resolve) => setTimeout(resolve, patience))]);
}
