import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import type { Answers, Verb } from './answers/index.ts';
import type { Context } from './context.ts';
import { findWorkspace, needsTeam } from './workspace.ts';

/** Verbs that change nothing: asked of a coordinator when one lives, else of the ledger as it lies there. */
const READS: ReadonlySet<Verb> = new Set<Verb>([
  'status',
  'deliveries',
  'results',
  'collect',
  'allow-peer-talk',
  'inbox',
  'wait',
  'wait-ready',
  'events',
  'approvals',
  'why',
  'identity',
  'sessions',
  'leaders',
  'message-stored',
  'coordinator-status',
  'ledger-dump',
  'who-starts',
  'plan',
  'preflight',
]);
/** Verbs that tell a coordinator something that only one which runs has to know: none is started for them. */
const ONLY_IF_THERE: ReadonlySet<Verb> = new Set<Verb>(['coordinator-stop', 'leader-ended']);
/** Verbs that may have nothing left to do: while no coordinator lives the ledger says so, and none is started for that. */
const MAY_BE_DONE: ReadonlySet<Verb> = new Set<Verb>(['shutdown']);

/** Asks for a verb in the caller's workspace and team. One round trip when a coordinator lives. */
export async function call<Name extends Verb>(
  context: Context,
  verb: Name,
  args: Readonly<Record<string, unknown>>,
): Promise<Answers[Name] | Refusal> {
  const workspace = findWorkspace(context, READS.has(verb) ? 'read' : 'change');
  if (isRefusal(workspace)) return workspace;
  return needsTeam(workspace) ?? callIn(workspace, verb, teamed(context, args), context.interrupted);
}

/** The same in a workspace that is known. */
export async function callIn<Name extends Verb>(
  workspace: string,
  verb: Name,
  args: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<Answers[Name] | Refusal> {
  const { callCoordinator } = await import('../client/index.ts');
  const ask = (start: boolean) => callCoordinator(workspace, verb, args, { start, ...(signal ? { signal } : {}) });
  const mayBeDone = MAY_BE_DONE.has(verb);
  const answer = await ask(!READS.has(verb) && !ONLY_IF_THERE.has(verb) && !mayBeDone);
  if (answer !== undefined) return understood<Name>(answer);
  const offline =
    READS.has(verb) || mayBeDone ? await readOffline<Name>(workspace, verb, args) : nobodyThere(workspace);
  const toDo = mayBeDone && isRefusal(offline) && offline.reason === 'coordinator_absent';
  return toDo ? understood<Name>((await ask(true)) ?? offline) : offline;
}

async function readOffline<Name extends Verb>(
  workspace: string,
  verb: Name,
  args: Readonly<Record<string, unknown>>,
): Promise<Answers[Name] | Refusal> {
  if (verb === 'coordinator-status') return nobodyThere(workspace);
  const { readWithoutCoordinator } = await import('../coordinator/offline.ts');
  return understood<Name>(await readWithoutCoordinator(workspace, verb, args));
}

/** The boundary: what our own coordinator says is taken at its word. */
function understood<Name extends Verb>(answer: object): Answers[Name] | Refusal {
  return answer as Answers[Name] | Refusal;
}

export function teamed(context: Context, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return context.globals.team === undefined ? args : { ...args, team: context.globals.team };
}

export function nobodyThere(workspace: string): Refusal {
  return refuse('coordinator_absent', `No coordinator runs for ${workspace}.`, {
    evidence: { workspace },
    next: ['team-agent coordinator start', 'team-agent status'],
  });
}
