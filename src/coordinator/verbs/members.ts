import { isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';
import {
  addAgent as addAgentTo,
  forkAgent as forkAgentOf,
  removeAgent as removeAgentFrom,
} from '../../lifecycle/index.ts';
import { ownTeamsOf } from '../api/callers.ts';
import { addInput, addOrder, forkInput, forkOrder, removeInput, removeOrder } from '../orders.ts';
import type { Runtime } from '../runtime.ts';
import { selectTeam } from '../teams.ts';
import { stateFileOf } from '../views/index.ts';
import { agentView, askedBy, orderFor } from './agents.ts';
import { verb } from './verb.ts';

/** The agent of a role document becomes a member. */
export const addAgent = verb({
  input: addInput,
  agents: false,
  run: async (asked, args) => {
    const { runtime } = asked;
    const found = await orderFor(asked, args, addOrder);
    if (isRefusal(found)) return found;
    const { team, order } = found;
    return joined(runtime, team, await addAgentTo(runtime.effects, team, order));
  },
});

/** A new member that begins with what another one knows. */
export const forkAgent = verb({
  input: forkInput,
  agents: false,
  run: async (asked, args) => {
    const { runtime } = asked;
    const found = await orderFor(asked, args, forkOrder);
    if (isRefusal(found)) return found;
    const { team, order } = found;
    const answer = await joined(runtime, team, await forkAgentOf(runtime.effects, team, order));
    return isRefusal(answer) ? answer : { ...answer, source_agent_id: order.source };
  },
});

async function joined(
  runtime: Runtime,
  team: TeamRow,
  added: Awaited<ReturnType<typeof addAgentTo>>,
): Promise<object | Refusal> {
  if (isRefusal(added)) return added;
  const { agent, start_mode, role_file, role_file_sha, started } = added;
  runtime.office(team.team as TeamId).wake(agent);
  const seen = await agentView(runtime, team, agent);
  const ready_ms = started?.ready_ms ?? null;
  const warnings = started?.agent.installation.warnings ?? [];
  return { ok: true, ...seen, new_agent_id: agent, start_mode, ready_ms, role_file, role_file_sha, warnings };
}

/** An agent is no member any more. */
export const removeAgent = verb({
  input: removeInput,
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const order = removeOrder(team, args, askedBy(caller));
    const removed = await removeAgentFrom(runtime.effects, team, order);
    if (isRefusal(removed)) return removed;
    runtime.office(team.team as TeamId).wake(order.agent);
    return { ...removed, agent_id: order.agent, status: 'removed', force: args.force, state_file: stateFileOf(team) };
  },
});
