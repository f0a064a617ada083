import { isRefusal, refuse } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { usage } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { agentLines, statusLines, summaryLines } from '../../rendering/status.ts';

interface Flags {
  readonly summary?: boolean;
  readonly detail?: boolean;
}

/** Shows a team, or one agent of it. */
export async function run(context: Context, [agent]: readonly string[], flags: Flags): Promise<Outcome> {
  if (flags.summary && (context.globals.json || agent !== undefined)) {
    return refused(
      usage('--summary is five lines about the whole team: it goes neither with --json nor with an agent.', [
        'team-agent status --summary',
        'team-agent status --json',
      ]),
    );
  }
  const args = { ...(agent === undefined ? {} : { agent }), ...(flags.detail ? { detail: true } : {}) };
  const status = await call(context, 'status', args);
  if (isRefusal(status) || agent === undefined) return outcomeOf(status, flags.summary ? summaryLines : statusLines);
  if (!status.agents[agent]) {
    const members = Object.keys(status.agents);
    return refused(
      refuse('agent_not_found', `Nobody in the team ${status.team} is called ${agent}.`, {
        evidence: { agent, members },
        next: ['team-agent status'],
      }),
    );
  }
  return outcomeOf(status, (answer, look) => agentLines(agent, answer, look));
}
