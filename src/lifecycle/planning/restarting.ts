import { isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { lastBearer, type TeamRow } from '../../ledger/index.ts';
import { type AgentSpec, mendedFor, type Team } from '../../team/index.ts';
import { tmuxVersion } from '../../tmux/index.ts';
import { livesOf, type Sight } from '../sight.ts';
import { type Consent, conversationFor, NOTHING_TO_GO_ON_WITH } from '../starting/conversation.ts';
import { readMembers } from '../starting/members.ts';
import { type PlannedAgent, planAgent, type StartOrder } from '../starting/plan.ts';
import { check, sessionTaken } from './checks.ts';
import { grantsOf, withoutYes } from './grants.ts';
import { divide, planOf, type Survey, together } from './launching.ts';
import type { TeamPlan } from './plan.ts';

export interface RestartOrder extends StartOrder, Consent {
  readonly yes?: boolean | undefined;
}

/** Everything a restart will do; all its refusals come from here, before any effect. */
export async function planRestart(sight: Sight, row: TeamRow, order: RestartOrder): Promise<TeamPlan | Refusal> {
  const survey = await surveyRestart(sight, row, order);
  return isRefusal(survey) ? mendedFor(survey, order.command) : planOf(survey);
}

/** What a restart would do. Nothing is looked at any further where the team runs or its documents cannot be read. */
async function surveyRestart(sight: Sight, row: TeamRow, order: RestartOrder): Promise<Survey | Refusal> {
  const id = row.team as TeamId;
  const { going, gone } = await livesOf(sight, id);
  if (going.length > 0) return stillRunning(id, going);
  const team = await readMembers(sight, row);
  if (isRefusal(team)) return team;
  const { starting, kept } = divide(team);
  const granted = await grantsOf(sight.ledger.db, id);
  const first = [
    check('session_name', await sessionTaken(sight, team)),
    check('consent', withoutYes(starting, order, granted)),
  ];
  const asked = new Map();
  const planned = await Promise.all(starting.map((spec) => planOne(sight, team, spec, { ...order, asked })));
  const refused = planned.flatMap((one) => (isRefusal(one) ? [one] : []));
  const agents = together(planned, kept);
  const tmux = await tmuxVersion(order.environment);
  return {
    checks: [
      ...first,
      check('agent', refused.length > 0 ? allOf(refused, order) : undefined),
      check('tmux', isRefusal(tmux) ? tmux : undefined),
    ],
    plan: isRefusal(agents) ? undefined : { team, agents, granted, gone },
  };
}

function stillRunning(team: TeamId, alive: readonly string[]): Refusal {
  return refuse('team_already_running', `The team ${team} is running, with ${alive.join(', ')}. Nothing was changed.`, {
    evidence: { team, agents: alive },
    next: [`team-agent shutdown --team ${shellWord(team)}`, `team-agent start-agent AGENT --team ${shellWord(team)}`],
  });
}

async function planOne(
  sight: Sight,
  team: Team,
  spec: AgentSpec,
  order: RestartOrder,
): Promise<PlannedAgent | Refusal> {
  const { db } = sight.ledger;
  const member = await lastBearer(db, team.id, spec.id);
  return planAgent(sight, team, spec, order, async (installation) =>
    member ? conversationFor(db, member, spec, installation, order) : NOTHING_TO_GO_ON_WITH,
  );
}

/** Every agent that stands in the way, in one refusal: it comes before anything was started. */
function allOf(refused: readonly Refusal[], order: RestartOrder): Refusal {
  const lost = refused.filter(({ reason }) => reason === 'resume_unavailable');
  const [other] = refused.filter(({ reason }) => reason !== 'resume_unavailable');
  if (other) return other;
  return refuse('resume_atomicity', `${lost.map(({ message }) => message).join(' ')} Nothing was started.`, {
    evidence: { unresumable: lost.map(({ evidence }) => evidence) },
    next: [`${order.command} --allow-fresh`],
  });
}
