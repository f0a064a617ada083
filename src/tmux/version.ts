import { type Refusal, refuse } from '../kernel/index.ts';
import { runTmux, serverEnvironment } from './server/one-shot.ts';

/** 3.2 brought `list-panes -f`, `new-window -e` and the client flags `no-output` and `ignore-size`. */
const OLDEST = { major: 3, minor: 2 };

/** The version of the tmux on PATH, as it says it (`3.3a`); a refusal when there is none or it is older than 3.2. */
export async function tmuxVersion(environment: NodeJS.ProcessEnv): Promise<{ version: string } | Refusal> {
  const answer = await runTmux(['-V'], serverEnvironment(environment), '');
  if (!answer.ran) return answer.missing ? tmuxMissing(environment.PATH) : tmuxFailed(answer.evidence);
  const version = answer.output.trim().replace(/^tmux /, '');
  if (answer.code !== 0 || version === '') return tmuxFailed(answer.errors.trim());
  return recentEnough(version) ? { version } : tmuxTooOld(version);
}

/** Is this version one we can drive? Builds without a number of their own (`master`, `openbsd-7.6`) count as recent. */
export function recentEnough(version: string): boolean {
  const number = /^(?:next-)?(\d+)\.(\d+)/.exec(version);
  if (!number) return true;
  const [major, minor] = [Number(number[1]), Number(number[2])];
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}

export function tmuxMissing(path: string | undefined): Refusal {
  return refuse('tmux_missing', 'tmux is not installed, or not on PATH: agents live in tmux.', {
    evidence: { PATH: path ?? '' },
    next: [installCommand()],
  });
}

function tmuxTooOld(version: string): Refusal {
  return refuse('tmux_too_old', `tmux ${version} is too old: 3.2 or newer is needed.`, {
    evidence: { version },
    next: [installCommand(), 'tmux -V'],
  });
}

export function tmuxFailed(evidence: string): Refusal {
  return refuse('tmux_failed', `tmux failed: ${evidence}`, { evidence: { tmux: evidence }, next: ['tmux -V'] });
}

function installCommand(): string {
  return process.platform === 'darwin' ? 'brew install tmux' : 'sudo apt-get install tmux';
}
