import { LEADER_PROVIDER, LEADER_ROLE, type Team } from './shape.ts';

/**
 * What the documents of a team say and nothing here acts on yet, in words for whoever starts it. It is accepted because
 * documents of earlier versions have it. A value that is the usual one anyway is not told. Pure.
 */
export function unusedIn({
  leaderProvider,
  leaderModel,
  leaderRole,
  kept,
}: Pick<Team, 'leaderProvider' | 'leaderModel' | 'leaderRole' | 'kept'>): readonly string[] {
  const unused = [
    ...(leaderProvider === LEADER_PROVIDER ? [] : ["the leader's provider"]),
    ...(leaderModel === null ? [] : ["the leader's model"]),
    ...(leaderRole === LEADER_ROLE ? [] : ["the leader's role"]),
    ...Object.keys(kept).sort(),
  ];
  return unused.length === 0
    ? []
    : [`What the team's documents say of this changes nothing yet: ${unused.join(', ')}.`];
}
