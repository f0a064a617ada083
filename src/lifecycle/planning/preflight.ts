import { isRefusal, type Refusal } from '../../kernel/index.ts';
import type { Sight } from '../sight.ts';
import { readOrdered } from '../starting/members.ts';
import { commandOf, type LaunchOrder } from '../starting/plan.ts';
import { type Check, check } from './checks.ts';
import { surveyLaunch } from './launching.ts';
import { startingOf } from './plan.ts';

/** One check as it is told. */
interface Told {
  readonly name: Check['name'];
  readonly agent_id?: string;
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
}

/** What a preflight found: everything that a launch would look at, whether it would pass or not. */
export interface Preflight {
  readonly ok: boolean;
  readonly summary: string;
  readonly team: string | null;
  readonly checks: readonly Told[];
  /** One line for each thing that stands in the way. */
  readonly blockers: readonly string[];
  readonly warnings: readonly string[];
  readonly next_actions: readonly string[];
}

/** Makes every check of a launch and tells all of them. A yes that somebody has to say is no blocker: it is said with the launch. */
export async function preflight(sight: Sight, order: LaunchOrder): Promise<Preflight> {
  const team = await readOrdered(sight, order);
  if (isRefusal(team)) return told(null, [check('documents', team)], [], commandOf(order));
  const { checks, plan } = await surveyLaunch(sight, team, order);
  const consent = checks.find(({ name }) => name === 'consent')?.refusal;
  const others = checks.filter(({ name }) => name !== 'consent');
  const warnings = startingOf(plan?.agents ?? []).flatMap(({ installation }) => installation.warnings);
  const command = consent ? `${commandOf(order)} --yes` : commandOf(order);
  return told(team.id, [check('documents', undefined), ...others], [...new Set(warnings)], command, consent);
}

function told(
  team: string | null,
  checks: readonly Check[],
  warnings: readonly string[],
  command: string,
  consent?: Refusal,
): Preflight {
  const refusals = checks.flatMap((one) => (one.refusal ? [{ ...one, refusal: one.refusal }] : []));
  const ok = refusals.length === 0;
  const blocked = `${refusals.length} of ${checks.length} checks ${refusals.length === 1 ? 'stands' : 'stand'} in the way`;
  return {
    ok,
    summary: ok ? `${team} can be started` : `${team ?? 'the team'} cannot be started: ${blocked}`,
    team,
    checks: [
      ...checks.map(tell),
      ...(consent ? [{ ...tell(check('consent', undefined)), message: consent.message }] : []),
    ],
    blockers: refusals.map(
      ({ name, agent, refusal }) => `${name}${agent ? ` ${agent}` : ''}: ${refusal.reason}: ${refusal.message}`,
    ),
    warnings,
    next_actions: ok ? [command] : [...new Set(refusals.flatMap(({ refusal }) => refusal.next))],
  };
}

function tell({ name, agent, refusal }: Check): Told {
  const subject = { name, ...(agent === undefined ? {} : { agent_id: agent }) };
  if (!refusal) return { ...subject, ok: true };
  const { reason, message, next } = refusal;
  return { ...subject, ok: false, reason, message, next };
}
