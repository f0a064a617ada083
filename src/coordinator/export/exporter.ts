import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { type Clock, isRefusal, type Refusal, type TeamId, writePrivateFile } from '../../kernel/index.ts';
import { findTeam, type Ledger, type LedgerEvent, type TeamRow, teams } from '../../ledger/index.ts';
import { SPEC_FILE } from '../../team/index.ts';
import { stateFileOf } from '../views/index.ts';
import { teamStateOf } from './facts.ts';
import { renderTeamState } from './team-state.ts';

/** Changes that follow each other within so many ms share one write. */
const BURST = 100;

/** What the exporter works with. */
export interface ExporterParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** Is the workspace still there? In one that vanished nothing is made again. */
  readonly workspaceIsThere: () => boolean;
  /** The spec of a team, by its documents as they are now. `folder` is the one in which it will lie. */
  readonly specOf: (team: TeamRow, folder: string) => string | Refusal;
}

/**
 * Keeps `<team>/export/` current: a moment after a commit `team_state.md` is made anew, and `team.spec.yaml` when the team or
 * an agent started, ended or changed; each is written when it says something else. The files are for people; nothing here
 * reads them, and a write that fails is logged once and harms nobody.
 */
export class Exporter {
  readonly #parts: ExporterParts;
  /** Teams with a change, and whether it may be one of their documents. */
  readonly #due = new Map<TeamId, boolean>();
  /** What each file says, by team and name. */
  readonly #written = new Map<string, string>();
  readonly #failing = new Set<string>();
  #waiting: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: ExporterParts) {
    this.#parts = parts;
    parts.ledger.onCommit((events) => {
      for (const event of events) this.#note(event.team, readsDocuments(event));
      this.#soon();
    });
  }

  /** A coordinator that was killed may have left every file behind its ledger. */
  async catchUp(): Promise<void> {
    for (const { team } of await teams(this.#parts.ledger.db)) this.#note(team as TeamId, true);
    this.#soon();
  }

  /** Resolves once all that is committed by now is written, or could not be. */
  flush(): Promise<void> {
    this.#waiting?.();
    this.#waiting = undefined;
    this.#writing = this.#writing.then(() => this.#writeDue());
    return this.#writing;
  }

  #note(team: TeamId, documents: boolean): void {
    this.#due.set(team, documents || this.#due.get(team) === true);
  }

  #soon(): void {
    this.#waiting ??= this.#parts.clock.after(BURST, () => void this.flush());
  }

  async #writeDue(): Promise<void> {
    const due = [...this.#due];
    this.#due.clear();
    for (const [id, documents] of due) {
      const { ledger, specOf } = this.#parts;
      await this.#write(id, STATE_FILE, async (team) => renderTeamState(await teamStateOf(ledger.db, team)));
      if (documents) await this.#write(id, SPEC_FILE, async (team, folder) => specOf(team, folder));
    }
  }

  async #write(
    id: TeamId,
    name: string,
    make: (team: TeamRow, folder: string) => Promise<string | Refusal>,
  ): Promise<void> {
    const { ledger, log, workspaceIsThere } = this.#parts;
    const key = `${id}/${name}`;
    try {
      const team = await findTeam(ledger.db, id);
      if (!team || !workspaceIsThere() || !hasDocuments(team)) return;
      const folder = path.dirname(stateFileOf(team));
      const text = await make(team, folder);
      if (isRefusal(text)) throw new Error(text.message);
      if (this.#written.get(key) === text) return;
      if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
      writePrivateFile(path.join(folder, name), text);
      this.#written.set(key, text);
      this.#failing.delete(key);
    } catch (error) {
      if (!this.#failing.has(key)) log.warn({ err: error, team: id }, `${name} could not be written`);
      this.#failing.add(key);
    }
  }
}

const STATE_FILE = 'team_state.md';

/** Was this a moment in which a team's documents are read? */
function readsDocuments({ type }: LedgerEvent): boolean {
  return /^(?:team|agent)\./.test(type);
}

/** The user's folder: what is gone stays gone. */
function hasDocuments({ documents }: TeamRow): boolean {
  return fs.statSync(documents, { throwIfNoEntry: false })?.isDirectory() === true;
}
