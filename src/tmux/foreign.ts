import { type Refusal, refuse, shellWord } from '../kernel/index.ts';
import { runQuestion, serverEnvironment } from './server/one-shot.ts';

/** The first process of a pane on a person's own tmux server. It is asked once, and nothing is ever typed there. */
export async function panePid(socket: string, pane: string, environment: NodeJS.ProcessEnv): Promise<number | Refusal> {
  const server = { socket, environment: serverEnvironment(environment) };
  const answer = await runQuestion(server, ['display-message', '-p', '-t', pane, '#{pane_pid}']);
  const pid = answer.ran && answer.code === 0 ? Number(answer.output.trim()) : Number.NaN;
  if (Number.isInteger(pid) && pid > 0) return pid;
  return refuse('pane_not_found', `There is no pane ${pane} on the tmux server at ${socket}.`, {
    evidence: { pane, socket, said: answer.ran ? answer.errors.trim() : answer.evidence },
    next: [`tmux -S ${shellWord(socket)} list-panes -a`],
  });
}
