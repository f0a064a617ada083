import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import type { CoordinatorAnswer } from '../../answers/index.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { type Look, span } from '../../rendering/look.ts';
import { findWorkspace, needsTeam } from '../../workspace.ts';
import { hasEnded } from '../team/shutdown.ts';

function workspaceOf(context: Context): string | Refusal {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return workspace;
  return needsTeam(workspace) ?? workspace;
}

export async function start(context: Context): Promise<Outcome> {
  const workspace = workspaceOf(context);
  if (isRefusal(workspace)) return refused(workspace);
  const { ensureCoordinator } = await import('../../../client/index.ts');
  const failed = await ensureCoordinator(workspace);
  return failed ? refused(failed) : status(context);
}

export async function status(context: Context): Promise<Outcome> {
  return outcomeOf(await call(context, 'coordinator-status', {}), coordinatorLines);
}

/** Ends the coordinator; its agents live on. With `force`, also one that does not answer. */
export async function stop(context: Context, flags: { readonly force?: boolean }): Promise<Outcome> {
  const workspace = workspaceOf(context);
  if (isRefusal(workspace)) return refused(workspace);
  const { forceStop } = await import('../../../client/index.ts');
  if (flags.force && context.environment.TEAM_AGENT_ID !== undefined) return refused(notForAgents());
  const stopped = flags.force ? forceStop(workspace) : await call(context, 'coordinator-stop', {});
  const gone = !isRefusal(stopped) && (await hasEnded(stopped.pid));
  return outcomeOf(stopped, ({ pid }) => [
    gone ? `stopped process ${pid}; agents live on` : `process ${pid} was told to stop and has not ended yet`,
  ]);
}

/** A frozen coordinator cannot say who may end it. */
function notForAgents(): Refusal {
  return refuse('worker_may_not', 'Agents may not end the coordinator. Ask the leader with send_message.', {
    next: ['team-agent send leader "please ..."'],
  });
}

/** Called by our tmux server when it lost the coordinator. Says nothing when there is nothing to do. */
export async function ensure(context: Context): Promise<Outcome> {
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return refused(workspace);
  const { reviveFromTmux } = await import('../../../client/index.ts');
  const failed = await reviveFromTmux(workspace);
  return failed ? refused(failed) : { kind: 'written', exit: 0 };
}

/** The coordinator itself: this process, until it has nothing left to do. */
export async function run(context: Context): Promise<Outcome> {
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return refused(workspace);
  const { runDaemon } = await import('../../daemon.ts');
  context.endsItself();
  await runDaemon(workspace);
  return { kind: 'written', exit: 0, stays: true };
}

function coordinatorLines(answer: CoordinatorAnswer, _look: Look): string[] {
  const megabytes = answer.rss_bytes === undefined ? '-' : `${Math.round(answer.rss_bytes / 1_000_000)} MB`;
  return [
    `running      process ${answer.pid ?? '-'}, build ${answer.build ?? '-'}, protocol ${answer.protocol ?? '-'}`,
    `up           ${answer.uptime_ms === undefined ? '-' : span(answer.uptime_ms)}`,
    `oldest mail  ${answer.oldest_pending_ms ? span(answer.oldest_pending_ms) : 'none waits'}`,
    `loop lag     ${answer.loop_lag_ms === undefined ? '-' : span(answer.loop_lag_ms)}`,
    `memory       ${megabytes}`,
  ];
}
