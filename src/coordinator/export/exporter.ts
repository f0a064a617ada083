import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { type Clock, type TeamId, writePrivateFile } from '../../kernel/index.ts';
import { findTeam, type Ledger, type TeamRow, teams } from '../../ledger/index.ts';
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
}

/**
 * Keeps `<team>/export/team_state.md` current: a moment after a commit the summary is made anew, and written when it says
 * something else. The file is for people; nothing here reads it, and a write that fails is logged once and harms nobody.
 */
export class Exporter {
  readonly #parts: ExporterParts;
  readonly #due = new Set<TeamId>();
  readonly #written = new Map<TeamId, string>();
  readonly #failing = new Set<TeamId>();
  #waiting: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: ExporterParts) {
    this.#parts = parts;
    parts.ledger.onCommit((events) => {
      for (const { team } of events) this.#due.add(team);
      this.#soon();
    });
  }

  /** A coordinator that was killed may have left every summary behind its ledger. */
  async catchUp(): Promise<void> {
    for (const { team } of await teams(this.#parts.ledger.db)) this.#due.add(team as TeamId);
    this.#soon();
  }

  /** Resolves once all that is committed by now is written, or could not be. */
  flush(): Promise<void> {
    this.#waiting?.();
    this.#waiting = undefined;
    this.#writing = this.#writing.then(() => this.#writeDue());
    return this.#writing;
  }

  #soon(): void {
    this.#waiting ??= this.#parts.clock.after(BURST, () => void this.flush());
  }

  async #writeDue(): Promise<void> {
    const due = [...this.#due];
    this.#due.clear();
    for (const team of due) await this.#write(team);
  }

  async #write(id: TeamId): Promise<void> {
    const { ledger, log, workspaceIsThere } = this.#parts;
    try {
      const team = await findTeam(ledger.db, id);
      if (!team) return;
      const text = renderTeamState(await teamStateOf(ledger.db, team));
      if (this.#written.get(id) === text || !workspaceIsThere() || !hasDocuments(team)) return;
      const file = stateFileOf(team);
      const folder = path.dirname(file);
      if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
      writePrivateFile(file, text);
      this.#written.set(id, text);
      this.#failing.delete(id);
    } catch (error) {
      if (!this.#failing.has(id)) log.warn({ err: error, team: id }, 'team_state.md could not be written');
      this.#failing.add(id);
    }
  }
}

/** The user's folder: what is gone stays gone. */
function hasDocuments({ documents }: TeamRow): boolean {
  return fs.statSync(documents, { throwIfNoEntry: false })?.isDirectory() === true;
}
