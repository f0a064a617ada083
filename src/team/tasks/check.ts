import { LEADER } from '../../kernel/index.ts';
import { given, shown } from '../fields.ts';
import { nearest, type Problem } from '../problems.ts';
import type { TeamFields } from '../schema.ts';
import type { PeerLimits, RouteMatch, Routing, TaskSpec } from './shape.ts';

/** Tells a problem at a place of TEAM.md. */
export type Fault = (place: readonly PropertyKey[], message: string) => Problem;

type TaskFields = NonNullable<TeamFields['tasks']>[number];

/** The tasks as they stand in TEAM.md. */
export function tasksOf(fields: TeamFields): TaskSpec[] {
  return (fields.tasks ?? []).map(({ id, title, deps, requires_tools, retry_limit, human_confirmation, ...rest }) => ({
    ...given({ description: rest.description, type: rest.type, assignee: rest.assignee, risk: rest.risk }),
    id,
    title,
    deps: [...new Set(deps ?? [])],
    requiresTools: requires_tools ?? [],
    files: rest.files ?? [],
    retryLimit: retry_limit ?? 0,
    humanConfirmation: human_confirmation ?? false,
  }));
}

export function routingOf({ routing }: TeamFields): Routing {
  return {
    ...given({ default_assignee: routing?.default_assignee }),
    rules: (routing?.rules ?? []).map(({ id, assign_to, priority, match }, index) => ({
      id: id ?? `rule ${index + 1}`,
      assign_to,
      priority: priority ?? 0,
      match: given(match) satisfies RouteMatch,
    })),
  };
}

export function peerLimitsOf({ peer_limits }: TeamFields): PeerLimits {
  return given(peer_limits ?? {});
}

/**
 * What is wrong between tasks, rules and agents: an id twice, a task or member that is not there, tasks that wait for each
 * other. `members` is undefined when a document could not be read: then nobody knows who is there.
 */
export function workProblems(
  { tasks = [], routing }: TeamFields,
  members: readonly string[] | undefined,
  fault: Fault,
): Problem[] {
  const ids = tasks.map(({ id }) => id);
  const known = [...new Set(ids)];
  const nobody = (place: readonly PropertyKey[], name: string | undefined): Problem[] =>
    name === undefined || members === undefined || name === LEADER || members.includes(name)
      ? []
      : [fault(place, `there is no agent ${shown(name)}; ${advice(name, [...members, LEADER], 'the members are')}`)];
  return [
    ...tasks.flatMap(({ id, assignee }, index) => [
      ...(ids.indexOf(id) < index
        ? [fault(['tasks', index, 'id'], `${shown(id)} is the id of an earlier task already; write another`)]
        : []),
      ...nobody(['tasks', index, 'assignee'], assignee),
    ]),
    ...tasks.flatMap(({ deps = [] }, index) =>
      deps.flatMap((dep, at) =>
        ids.includes(dep)
          ? []
          : [
              fault(
                ['tasks', index, 'deps', at],
                `there is no task ${shown(dep)}; ${advice(dep, known, 'the tasks are')}`,
              ),
            ],
      ),
    ),
    ...cycles(tasks).map(({ index, round }) =>
      fault(['tasks', index, 'deps'], `these tasks wait for each other: ${round.join(' -> ')}; remove one of the deps`),
    ),
    ...nobody(['routing', 'default_assignee'], routing?.default_assignee),
    ...(routing?.rules ?? []).flatMap(({ assign_to }, index) =>
      nobody(['routing', 'rules', index, 'assign_to'], assign_to),
    ),
  ];
}

function advice(word: string, candidates: readonly string[], are: string): string {
  const meant = nearest(word, candidates);
  return meant ? `did you mean ${meant}?` : `${are} ${candidates.join(', ')}`;
}

/** Each round of tasks that wait for each other, told once, from the task of it that stands first. */
function cycles(tasks: readonly TaskFields[]): { readonly index: number; readonly round: readonly string[] }[] {
  // Of an id that stands twice the first one counts: the other is told already.
  const depsOf = new Map(tasks.toReversed().map(({ id, deps }) => [id, deps ?? []]));
  const done = new Set<string>();
  const rounds: string[][] = [];
  const follow = (id: string, path: readonly string[]): void => {
    if (path.includes(id)) rounds.push([...path.slice(path.indexOf(id)), id]);
    else if (!done.has(id)) for (const dep of depsOf.get(id) ?? []) follow(dep, [...path, id]);
    done.add(id);
  };
  for (const { id } of tasks) follow(id, []);
  return rounds.map((round) => ({ index: tasks.findIndex(({ id }) => id === round[0]), round }));
}
