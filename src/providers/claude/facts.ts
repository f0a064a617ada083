import { firstLine, type Liveness, printable } from '../../kernel/index.ts';
import type { Approval, TurnFact, TurnState } from '../shape.ts';
import type { RecordState } from './sources/record-follower.ts';
import type { RegistryEntry } from './sources/registry.ts';

/** The newest word of the session's hooks about its turn. */
export interface HookWord {
  readonly event: 'UserPromptSubmit' | 'Stop' | 'StopFailure';
  /** UTC ms at which it reached us. */
  readonly at: number;
  /** What failed, or what still runs in the background. */
  readonly detail?: string;
}

/**
 * So long, in ms, a hook is believed against the registry. Hooks are ahead of it by some ten milliseconds; when it has not
 * followed by then, another hook has kept the turn going, or the word came from a turn that was not the session's own.
 */
export const HOOK_AHEAD = 2_000;

/** What was seen of one session. */
export interface Seen {
  readonly now: number;
  readonly liveness: Liveness;
  /** Why the process ended, in words. */
  readonly exit: string;
  readonly pid: number;
  readonly registry: RegistryEntry | undefined;
  readonly hook: HookWord | undefined;
  readonly record: RecordState;
  readonly approvals: readonly Approval[];
}

export type Activity = 'starting' | 'idle' | 'busy' | 'waiting' | 'gone';

/** What the session does now. Registry and hooks are two words of one process: whichever was said last is believed. */
export function activityOf({ now, liveness, registry, hook, approvals }: Omit<Seen, 'exit' | 'pid' | 'record'>): {
  readonly value: Activity;
  readonly source: 'protocol' | 'hook' | 'process';
  readonly at: number;
} {
  if (liveness === 'dead') return { value: 'gone', source: 'process', at: now };
  const [approval] = approvals;
  if (approval) return { value: 'waiting', source: 'protocol', at: approval.since };
  if (!registry?.status) return { value: 'starting', source: 'process', at: now };
  if (hook && hook.at > registry.at && now - hook.at < HOOK_AHEAD) {
    return { value: hook.event === 'UserPromptSubmit' ? 'busy' : 'idle', source: 'hook', at: hook.at };
  }
  // A command in the background does not keep the input shut.
  return { value: registry.status === 'shell' ? 'idle' : registry.status, source: 'protocol', at: registry.at };
}

/**
 * What is known about the turn. The first fact is the state; others are weaker words that do not contradict a newer one. A
 * failure of the model's service outranks working and idle until the next turn begins.
 */
export function factsOf(seen: Seen): readonly TurnFact[] {
  const activity = activityOf(seen);
  const { registry, record, pid, now, hook } = seen;
  const fact = (value: TurnState, source: TurnFact['source'], at: number, evidence: string): TurnFact => ({
    value,
    source,
    at,
    evidence,
  });
  const process = fact('unknown', 'process', now, `process ${pid} is alive`);
  const said = registry?.status
    ? `the session registry says ${registry.status}${registry.waitingFor ? `, ${registry.waitingFor}` : ''}`
    : 'the session has no entry in the registry';
  switch (activity.value) {
    case 'gone':
      return [fact('exited', 'process', now, `process ${pid} is gone: ${seen.exit}`)];
    case 'starting':
      return [fact(record.at > 0 ? 'unknown' : 'starting', 'process', now, `process ${pid} is alive; ${said}`)];
    case 'waiting': {
      const [approval] = seen.approvals;
      const value = waitingFor(approval, registry);
      const evidence = approval ? `${said}; it asks: ${approval.text}` : said;
      return [fact(value, activity.source, activity.at, evidence), process];
    }
    case 'busy': {
      const failure = failureIn(record, activity.at);
      if (failure?.retrying) return [fact('provider_error', 'record', failure.at, `${failure.what}; ${said}`), process];
      const evidence = activity.source === 'hook' ? 'the hook UserPromptSubmit: a turn begins' : said;
      return [fact('working', activity.source, activity.at, evidence), process];
    }
    case 'idle':
      return [restOf(seen, said, hook), process];
    default:
      return activity.value satisfies never;
  }
}

/** How a session came to rest. */
function restOf({ record, registry, hook }: Seen, said: string, word: HookWord | undefined): TurnFact {
  const failed = word?.event === 'StopFailure' && word.at >= record.opened ? word : undefined;
  const failure = record.failure?.retrying ? undefined : record.failure;
  if (failed || failure) {
    const at = failed?.at ?? failure?.at ?? 0;
    const evidence = [failure?.what, failed?.detail].find((words) => words !== undefined) ?? 'the turn failed';
    return {
      value: 'provider_error',
      source: failed ? 'hook' : 'record',
      at,
      evidence: firstLine(printable(evidence), 300),
    };
  }
  const interrupted = interruptedAt(record, registry, hook);
  if (interrupted !== undefined) {
    const evidence = 'the turn ended without a Stop hook: it was interrupted';
    return { value: 'interrupted', source: 'record', at: interrupted, evidence };
  }
  if (registry?.status === 'shell' && !(word && word.at > registry.at)) {
    return { value: 'working', source: 'protocol', at: registry.at, evidence: said };
  }
  if (word?.event === 'Stop' && word.detail !== undefined && word.at >= record.opened) {
    return { value: 'working', source: 'hook', at: word.at, evidence: `in the background: ${word.detail}` };
  }
  const newer = word?.event === 'Stop' && word.at > (registry?.at ?? 0) ? word : undefined;
  return newer
    ? { value: 'idle', source: 'hook', at: newer.at, evidence: 'the hook Stop: the turn has ended' }
    : { value: 'idle', source: 'protocol', at: registry?.at ?? 0, evidence: said };
}

/** Esc runs no hook. Its mark stands in the transcript, unless nothing had come from the model yet. */
function interruptedAt(
  record: RecordState,
  registry: RegistryEntry | undefined,
  hook: HookWord | undefined,
): number | undefined {
  if (record.interrupted !== undefined) return record.interrupted;
  // We heard the turn begin, and never end, while the registry says that nothing runs any more.
  if (hook?.event === 'UserPromptSubmit' && registry?.status === 'idle' && registry.at > hook.at) return registry.at;
  return undefined;
}

/** A failure of the turn that runs now. */
function failureIn(record: RecordState, since: number): RecordState['failure'] {
  const { failure } = record;
  return failure && failure.at >= Math.min(since, record.opened) ? failure : undefined;
}

function waitingFor(approval: Approval | undefined, registry: RegistryEntry | undefined): TurnState {
  if (approval) return approval.kind === 'question' ? 'waiting_input' : 'waiting_approval';
  return /permission|sandbox|worker request/.test(registry?.waitingFor ?? '') ? 'waiting_approval' : 'waiting_input';
}
