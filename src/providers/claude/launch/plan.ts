import path from 'node:path';
import { agentWrapper, isRefusal, type Refusal } from '../../../kernel/index.ts';
import { instructionsFor } from '../../instructions.ts';
import type { Installation, LaunchPlan, LaunchRequest, PermissionMode } from '../../shape.ts';
import { socketOf } from '../../socket.ts';
import { mcpOf, settingsOf } from './settings.ts';

/** The file into which the SessionStart hook writes, below a life's run folder. */
export const SESSION_STARTS = 'session-starts.jsonl';

/** What each shell of its model runs first, below a life's run folder. */
const SHELL_START = 'shell-start.sh';

/** A shell that prints its environment does not print the key (measured with 2.1.330). */
function withoutKeys({ unseen }: NonNullable<LaunchRequest['credentials']>): string {
  return `unset ${unseen.join(' ')}\n`;
}

/** What Claude Code calls our permission modes. */
const MODES = {
  manual: 'manual',
  plan: 'plan',
  accept_edits: 'acceptEdits',
  auto: 'auto',
  bypass: 'bypassPermissions',
} as const satisfies Record<PermissionMode, string>;

/** What would be started for a Claude Code agent. */
export function plan(request: LaunchRequest, installation: Installation): LaunchPlan | Refusal {
  const socket = socketOf(request.agent, request);
  if (isRefusal(socket)) return socket;
  const inRun = (name: string): string => path.join(request.runFolder, name);
  const mode = MODES[request.permission];
  const settings = settingsOf({
    starts: inRun(SESSION_STARTS),
    hooksUrl: request.hooksUrl,
    tools: request.tools,
    mode,
    approvals: installation.capabilities.approvals,
  });
  return {
    argv: [
      agentWrapper,
      inRun('token'),
      inRun('exit'),
      installation.binary,
      ...sessionOptions(request),
      ...['--name', request.agent],
      ...['--permission-mode', mode],
      // A later resume with an edited role document shall send the new text, not the recorded one.
      ...['--system-prompt-snapshot', 'off'],
      ...['--append-system-prompt-file', inRun('instructions.md')],
      ...['--messaging-socket-path', socket],
      ...['--settings', inRun('settings.json')],
      ...(request.model === undefined ? [] : ['--model', request.model]),
      ...(request.mcp === 'team_only' ? ['--strict-mcp-config'] : []),
      ...['--mcp-config', inRun('mcp.json')],
    ],
    environment: {
      ...request.environment,
      ...(installation.details.trusted === 'yes' ? {} : TRUSTED_BY_PERSON),
      ...(request.credentials ? { CLAUDE_ENV_FILE: inRun(SHELL_START) } : {}),
    },
    files: [
      ...(request.credentials?.files ?? []),
      ...(request.credentials ? [{ path: inRun(SHELL_START), content: withoutKeys(request.credentials) }] : []),
      { path: inRun('instructions.md'), content: `${instructionsFor(request)}\n` },
      { path: inRun('settings.json'), content: `${JSON.stringify(settings, undefined, 2)}\n` },
      { path: inRun('mcp.json'), content: `${JSON.stringify(mcpOf(request.mcpUrl), undefined, 2)}\n` },
    ],
    socket,
  };
}

/** Which session: a new one of ours, one that is gone on with, or a new one of ours that begins with what another one knew. */
function sessionOptions({ session, continues }: LaunchRequest): readonly string[] {
  if (!continues) return ['--session-id', session];
  switch (continues.how) {
    case 'resume':
      return ['--resume', continues.session];
    case 'fork':
      return ['--resume', continues.session, '--fork-session', '--session-id', session];
    default:
      return continues.how satisfies never;
  }
}

/** Claude Code asks nothing about the folder then: the person has said yes to us, and it is not for us to write that down. */
const TRUSTED_BY_PERSON = { CLAUDE_CODE_SANDBOXED: '1' };
