import type { z } from 'zod';
import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../kernel/index.ts';
import { openSagas, type TeamRow } from '../ledger/index.ts';
import {
  type AgentPlan,
  addedNewcomer,
  firstBlocker,
  type Grant,
  launchCommand,
  planAdd,
  planFork,
  planRemove,
  planReset,
  planRestart,
  planShutdown,
  planStart,
  planStop,
  planTeam,
  preflight,
  readOrdered,
  routesOf,
  type Sight,
  safetyOf,
  shownAgent,
  startingOf,
  surveyLaunch,
  whoAsks,
  whoLaunches,
} from '../lifecycle/index.ts';
import { asksBeforeLaunch, type Team } from '../team/index.ts';
import {
  addInput,
  addOrder,
  forkInput,
  forkOrder,
  launchInput,
  launchOrder,
  removeInput,
  removeOrder,
  resetInput,
  resetOrder,
  restartInput,
  restartOrder,
  shutdownInput,
  startInput,
  startOrder,
  stopInput,
  whoInput,
} from './orders.ts';
import { selectRunningTeam, selectTeam, selectTeamToRestart } from './teams.ts';

/*
 * What the verbs that start and end agents would do, by the very functions whose plans they follow. It needs no coordinator:
 * where none runs, the ledger is looked at as it lies there. Nothing is changed by it.
 */

/** Who asks for a plan. */
export interface Asker {
  /** The teams that are meant when none is named. */
  readonly own?: readonly TeamId[];
  /** `leader` or `person`. */
  readonly by: string;
}

type Planner = (sight: Sight, args: object, asker: Asker) => Promise<object | Refusal>;

/** What each verb would do; and what else is known from plans alone. */
const PLANNERS: Readonly<Record<string, Planner>> = {
  'quick-start': async (sight, args, { by }) => {
    const order = launchOrder(launchInput.parse(args), by);
    const team = await readOrdered(sight, order);
    if (isRefusal(team)) return team;
    const { checks, plan } = await surveyLaunch(sight, team, order);
    // A plan says itself whether it takes a yes: nobody has to say it to see that.
    const blocker = firstBlocker(checks.filter(({ name }) => name !== 'consent'));
    if (blocker || !plan) return blocker ?? {};
    return shown(order.as ?? 'quick-start', team, plan, launchCommand(order), asksBeforeLaunch(order.folder));
  },
  restart: (sight, args, { own, by }) =>
    ofTeam(selectTeamToRestart(sight, restartInput.parse(args).team, own), async (row) => {
      const order = restartOrder(row, restartInput.parse(args), by);
      const plan = await planRestart(sight, row, { ...order, yes: true });
      return isRefusal(plan) ? plan : shown('restart', plan.team, plan, order.command);
    }),
  'start-agent': (sight, args, { own, by }) =>
    ofTeam(selectRunningTeam(sight.ledger.db, startInput.parse(args).team, own), async (row) => {
      const order = startOrder(row, startInput.parse(args), by);
      const plan = await planStart(sight, row, { ...order, yes: true });
      if (isRefusal(plan)) return plan;
      return shown('start-agent', plan.team, { ...plan, agents: [plan.agent] }, order.command);
    }),
  'reset-agent': (sight, args, { own, by }) =>
    ofTeam(selectRunningTeam(sight.ledger.db, resetInput.parse(args).team, own), async (row) => {
      const order = resetOrder(row, { ...resetInput.parse(args), discard_session: true }, by);
      const plan = await planReset(sight, row, { ...order, yes: true });
      if (isRefusal(plan)) return plan;
      return shown('reset-agent', plan.team, { ...plan, agents: [plan.agent] }, order.command);
    }),
  'stop-agent': (sight, args, { own }) =>
    ofTeam(selectTeam(sight.ledger.db, stopInput.parse(args).team, own), async (row) => {
      const { agent } = stopInput.parse(args);
      const plan = await planStop(sight, row, agent as AgentId);
      if (isRefusal(plan)) return plan;
      return shown('stop-agent', row, plan, `team-agent stop-agent ${shellWord(agent)} --team ${shellWord(row.team)}`);
    }),
  'add-agent': (sight, args, { own, by }) =>
    ofTeam(selectRunningTeam(sight.ledger.db, addInput.parse(args).team, own), async (row) => {
      const order = addOrder(row, addInput.parse(args), by);
      const plan = await planAdd(sight, row, { ...order, yes: true });
      if (isRefusal(plan)) return plan;
      return shown('add-agent', plan.team, { ...plan, agents: [plan.agent] }, order.command);
    }),
  'fork-agent': (sight, args, { own, by }) =>
    ofTeam(selectRunningTeam(sight.ledger.db, forkInput.parse(args).team, own), async (row) => {
      const order = forkOrder(row, forkInput.parse(args), by);
      const plan = await planFork(sight, row, { ...order, yes: true });
      if (isRefusal(plan)) return plan;
      return shown('fork-agent', plan.team, { ...plan, agents: [plan.agent] }, order.command);
    }),
  'remove-agent': (sight, args, { own, by }) =>
    ofTeam(selectTeam(sight.ledger.db, removeInput.parse(args).team, own), async (row) => {
      const order = removeOrder(row, removeInput.parse(args), by);
      const plan = await planRemove(sight, row, order);
      return isRefusal(plan) ? plan : shown('remove-agent', row, plan, order.command);
    }),
  shutdown: (sight, args, { own }) =>
    ofTeam(selectTeam(sight.ledger.db, shutdownInput.parse(args).team, own), async (row) =>
      shown(
        'shutdown',
        row,
        await planShutdown(sight, row.team as TeamId),
        `team-agent shutdown --team ${shellWord(row.team)}`,
      ),
    ),
  'may-launch': async (sight, args, { by }) => {
    const order = launchOrder(launchInput.parse(args), by);
    const team = await readOrdered(sight, order);
    const plan = isRefusal(team) ? team : await planTeam(sight, team, order);
    return isRefusal(plan) ? plan : { ok: true };
  },
  preflight: (sight, args, { by }) => preflight(sight, launchOrder(launchInput.parse(args), by)),
  'who-starts': async (sight, args, { own }) => {
    const { launches, ...asked } = whoInput.parse(args);
    const asking = launches ? await whoLaunches(sight, launches) : await whoIsThere(sight, asked, own);
    if (isRefusal(asking)) return asking;
    const { agents, autoTrust: auto_trust, changes } = asking;
    return { ok: true, agents, auto_trust, changes };
  },
};

/** The agents of a team and somebody who joins it. Which team is meant is said of the verb that is to be asked for next. */
async function whoIsThere(
  sight: Sight,
  { verb, team, joins }: Pick<z.output<typeof whoInput>, 'verb' | 'team' | 'joins'>,
  own: Asker['own'],
) {
  const select = verb === 'restart' ? selectTeamToRestart(sight, team, own) : selectTeam(sight.ledger.db, team, own);
  const row = await select;
  if (isRefusal(row)) return row;
  const newcomer = joins && (await addedNewcomer(sight, row, joins));
  return isRefusal(newcomer) ? newcomer : whoAsks(sight, row, newcomer?.spec);
}

async function ofTeam(
  selected: Promise<TeamRow | Refusal>,
  plan: (row: TeamRow) => Promise<object | Refusal>,
): Promise<object | Refusal> {
  const row = await selected;
  return isRefusal(row) ? row : plan(row);
}

/** What a verb would do, or what it would be refused for. */
export async function planVerb(verb: string, sight: Sight, args: object, asker: Asker): Promise<object | Refusal> {
  const planner = PLANNERS[verb];
  if (!planner) throw new Error(`${verb} has no plan`);
  return planner(sight, args, asker);
}

/** The same while no coordinator runs. A verb that was cut off has to be settled first: only a coordinator does that. */
export async function planWithout(verb: string, sight: Sight, args: object): Promise<object | Refusal> {
  if (verb !== 'who-starts' && (await openSagas(sight.ledger.db)).length > 0) {
    return refuse('coordinator_absent', 'A command was cut off here, and no coordinator runs that could settle it.', {
      next: ['team-agent coordinator start'],
    });
  }
  return planVerb(verb, sight, args, { by: 'person' });
}

/** What a plan says, in the words of `--dry-run`. `command`: the line that carries it out. `asksFirst`: only after a yes. */
function shown(
  verb: string,
  team: Team | TeamRow,
  plan: { readonly agents: readonly AgentPlan[]; readonly granted?: readonly Grant[] },
  command: string,
  asksFirst = false,
): object {
  const dangers = safetyOf(plan.agents, plan.granted ?? []);
  const safety = { ...dangers, requires_explicit_yes: dangers.requires_explicit_yes || asksFirst };
  const yes = safety.requires_explicit_yes && !command.endsWith(' --yes') ? ' --yes' : '';
  const documents = 'tasks' in team ? team : undefined;
  return {
    ok: true,
    dry_run: true,
    verb,
    team: documents ? documents.id : 'team' in team ? team.team : '',
    session_name: 'sessionName' in team ? team.sessionName : team.session_name,
    agents: plan.agents.map(shownAgent),
    safety,
    routes: documents ? routesOf(documents) : [],
    warnings: [...new Set(startingOf(plan.agents).flatMap(({ installation }) => installation.warnings))],
    next: [`${command}${yes}`],
  };
}
