/*
 * Who of a team starts, and in which order. Agents stand in the order of the documents: those that `startup_order` names
 * first. Pure.
 */

interface Named {
  readonly id: string;
}

/** At most `most` agents run at a time: the first ones start, the others are members that wait until one has stopped. */
export function withinLimit<Agent extends Named>(
  agents: readonly Agent[],
  most: number | null,
): { readonly starting: readonly Agent[]; readonly waiting: readonly Agent[] } {
  const limit = most ?? agents.length;
  return { starting: agents.slice(0, limit), waiting: agents.slice(limit) };
}

/**
 * Those that `startup_order` names start one after another, each once the one before is ready; all others at once, beside
 * them. A start that fails ends its row: whoever would have come next is not started any more.
 */
export async function startInOrder<Agent, Outcome>(
  agents: readonly Agent[],
  isNamed: (agent: Agent) => boolean,
  start: (agent: Agent) => Promise<Outcome>,
  failed: (outcome: Outcome) => boolean,
): Promise<readonly Outcome[]> {
  const inRow = async (): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const agent of agents.filter(isNamed)) {
      const outcome = await start(agent);
      outcomes.push(outcome);
      if (failed(outcome)) break;
    }
    return outcomes;
  };
  const beside = agents.filter((agent) => !isNamed(agent)).map(start);
  const [row, ...others] = await Promise.all([inRow(), ...beside]);
  return [...row, ...others];
}
