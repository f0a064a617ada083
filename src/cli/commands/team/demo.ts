import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import type { Context } from '../../context.ts';
import { closingLines } from '../../demo/closing.ts';
import { type Played, perform } from '../../demo/performance.ts';
import { clearStage, type Left, prepareStage, type Stage } from '../../demo/stage.ts';
import { newStory } from '../../demo/story.ts';
import { liveView, noView, plainView, type View } from '../../demo/view.ts';
import { exitCode, type Outcome, refused } from '../../outcome.ts';
import { lookOf } from '../../rendering/look.ts';

interface Flags {
  readonly fast?: boolean;
}

/** Runs the demo team on `given`, shows how it works, and leaves nothing behind, however it ends. */
export async function run(context: Context, given: string | undefined, flags: Flags): Promise<Outcome> {
  const folder = checkFolder(context, given);
  if (isRefusal(folder)) return refused(folder);
  const tmux = await (await import('../../../tmux/index.ts')).tmuxVersion(context.environment);
  if (isRefusal(tmux)) return refused(tmux);
  let interruptedWith: number | undefined;
  let view = noView();
  context.endsItself((exit) => {
    interruptedWith ??= exit;
    if (exit === 0) view = withoutView(view);
    else view.phase('interrupted: ending the team');
  });
  const start = Date.now();
  const stage = prepareStage(folder, flags.fast === true);
  view = viewFor(context, start);
  const played = await perform(context, stage, folder, view).catch((error: unknown) => failed(error));
  const took = Date.now() - start;
  if (interruptedWith === undefined) view.phase('ending the team');
  const left = await endTeam(stage, view);
  if (interruptedWith !== undefined) {
    context.stderr.write(`interrupted; left behind: agents ${left.agents}, processes ${left.processes}\n`);
    return { kind: 'written', exit: interruptedWith };
  }
  if (isRefusal(played)) return refused(played);
  return closing(context, folder, played, left, { start, took });
}

function checkFolder(context: Context, given: string | undefined): string | Refusal {
  const { environment, cwd } = context;
  if (environment.TEAM_AGENT_ID) {
    return refuse('worker_may_not', 'The demo starts a team of its own: an agent may not do that.', {
      next: ['team-agent status'],
    });
  }
  const folder = path.resolve(cwd, given ?? '.');
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return fs.realpathSync(folder);
  return refuse('usage', `${folder} is not a folder.`, { next: ['team-agent demo', 'team-agent demo FOLDER'] });
}

function viewFor(context: Context, start: number): View {
  if (context.globals.json) return noView();
  const { stdout, environment } = context;
  const live = stdout.isTTY === true && environment.TERM !== 'dumb' && (stdout.rows ?? 24) >= 10;
  return live ? liveView(context, newStory(), start) : plainView(context, start);
}

/** Nobody looks any more. */
function withoutView(view: View): View {
  view.close();
  return noView();
}

async function endTeam(stage: Stage, view: View): Promise<Left> {
  try {
    return await clearStage(stage);
  } finally {
    view.close();
  }
}

/** What breaks in the middle is told after the team was ended. */
function failed(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  return refuse('internal_error', `The demo broke off: ${message}`, { next: ['team-agent demo --json'] });
}

function closing(
  context: Context,
  folder: string,
  played: Played,
  left: Left,
  times: { readonly start: number; readonly took: number },
): Outcome {
  const clean = left.agents + left.processes + left.forced === 0 && left.workspace === 'removed';
  const { story: _, ...told } = played;
  const answer = { ok: clean, folder, elapsed_ms: times.took, ...told, left };
  const outcome: Outcome = {
    kind: 'answer',
    answer,
    lines: (look) => closingLines(folder, played, left, times, look),
  };
  if (context.globals.json) return outcome;
  const look = lookOf(context.stdout, context.environment, Date.now());
  context.stdout.write(`${outcome.lines(look).join('\n')}\n`);
  return { kind: 'written', exit: exitCode(outcome) };
}
