import type { IncarnationId } from '../../kernel/index.ts';
import type { Incidents } from '../incidents.ts';
import type { Sessions } from './sessions.ts';
import type { RegistryWatch } from './sources/registry.ts';

/** Whoever else is where messages of ours would go. */
export class Strangers {
  readonly #incarnation: IncarnationId;
  readonly #sessions: Sessions;
  readonly #registry: RegistryWatch;
  readonly #incidents: Incidents;
  /** Second processes on the same session that were told of. */
  readonly #told = new Set<string>();

  constructor(incarnation: IncarnationId, sessions: Sessions, registry: RegistryWatch, incidents: Incidents) {
    this.#incarnation = incarnation;
    this.#sessions = sessions;
    this.#registry = registry;
    this.#incidents = incidents;
  }

  /** Another session in our process that is not followed yet, or our session in another process too; in words. */
  seen(): string | undefined {
    const { entry } = this.#registry;
    if (!entry) return undefined;
    const { session } = this.#sessions.current;
    if (entry.session !== session) return `its process works on session ${entry.session} now, not on ${session}`;
    const rival = this.#registry.rival();
    if (!rival) return undefined;
    const key = `session_shared:${this.#incarnation}:${rival.pid}:${rival.procStart}`;
    if (!this.#told.has(key)) {
      this.#told.add(key);
      const text = `Its session is open in a second process too (${rival.pid}). What is for it waits until one of the two has ended.`;
      this.#incidents.tell({ key, kind: 'session_shared', text });
    }
    return `process ${rival.pid} works on the same session`;
  }
}
