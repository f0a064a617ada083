import { isRefusal, type Refusal } from '../kernel/index.ts';
import { checkFields, shown } from './fields.ts';
import { type FrontMatter, readFrontMatter } from './front-matter.ts';
import { teamIdOf } from './names.ts';
import { documentRefusal, nearest, type Problem, type ProblemKind } from './problems.ts';
import type { TeamProfiles } from './profiles/of-role.ts';
import { type CompiledRole, compileRole, isBroken } from './role.ts';
import { keptFields, type TeamFields, teamFields } from './schema.ts';
import { secretProblems } from './secrets.ts';
import type { AgentSpec, Surroundings, Team, TeamFile } from './shape.ts';
import { peerLimitsOf, routingOf, tasksOf, workProblems } from './tasks/check.ts';

export const TEAM_DOCUMENT = 'TEAM.md';

/** Who leads when TEAM.md does not say. */
const LEADER_PROVIDER = 'codex';

/**
 * Makes a team of its documents: TEAM.md, when there is one, and every other file as a role document, in the order of
 * their names. Pure. Everything that is wrong anywhere is told in one refusal.
 */
export function compileTeam(files: readonly TeamFile[], around: Surroundings): Team | Refusal {
  const head = compileHead(
    files.find((file) => file.path === TEAM_DOCUMENT),
    around,
  );
  const name = head.fields.name ?? around.fallbackName;
  const id = teamIdOf(name);
  const profiles: TeamProfiles = { team: id, find: (wanted) => around.profile(id, wanted) };
  const roles = files
    .filter((file) => file.path !== TEAM_DOCUMENT)
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map((file) => compileRole(file, head.fields, around, profiles));
  const agents = inOrder(
    roles.flatMap(({ agent }) => (agent ? [agent] : [])),
    head.fields.startup_order ?? [],
  );
  const problems = [
    ...head.problems,
    ...roles.flatMap((role) => role.problems),
    ...twice(roles),
    ...betweenDocuments(head, roles),
  ];
  if (id === undefined) problems.push(head.fault('name', `${shown(name)} ${NAME_ADVICE}`, 'team_name_invalid'));
  if (problems.length > 0 || id === undefined) return documentRefusal(around.folder, problems);
  return {
    id,
    name,
    objective: head.fields.objective ?? (head.body || `Work together on ${name}.`),
    sessionName: head.fields.session_name ?? `team-${id}`,
    folder: around.folder,
    hasTeamDocument: head.written,
    leaderProvider: head.leaderProvider,
    leaderModel: head.fields.model ?? null,
    leaderRole: head.fields.leader_role ?? 'leader',
    notify: head.fields.notify ?? 'each',
    approvals: head.fields.approvals ?? 'person',
    workerToWorker: head.fields.worker_to_worker ?? true,
    peerMirror: head.fields.peer_mirror ?? false,
    peerLimits: peerLimitsOf(head.fields),
    tasks: tasksOf(head.fields),
    routing: routingOf(head.fields),
    agents,
    kept: keptFields(head.fields),
  };
}

const NAME_ADVICE = 'is a name that .team/ uses itself; write another, such as web-shop';

/** TEAM.md, or what its absence means. */
interface Head {
  readonly written: boolean;
  readonly fields: TeamFields;
  readonly body: string;
  readonly leaderProvider: string;
  readonly problems: readonly Problem[];
  fault(key: string | readonly PropertyKey[], message: string, kind?: ProblemKind): Problem;
}

function compileHead(file: TeamFile | undefined, around: Surroundings): Head {
  const front: FrontMatter | readonly Problem[] = readFrontMatter(TEAM_DOCUMENT, file?.text ?? '');
  const read: FrontMatter = isBroken(front) ? { values: {}, lineOf: () => 1, body: '' } : front;
  const fault: Head['fault'] = (key, message, kind = 'team_document_invalid') => {
    const place = typeof key === 'string' ? [key] : key;
    return { kind, file: TEAM_DOCUMENT, line: read.lineOf(place), key: place.map(String).join('.'), message };
  };
  const checked = checkFields(TEAM_DOCUMENT, read, teamFields);
  const problems = [
    ...(isBroken(front) ? front : []),
    ...checked.problems,
    ...secretProblems(TEAM_DOCUMENT, file?.text ?? ''),
  ];
  const fields = checked.values ?? {};
  const leader = fields.provider === undefined ? undefined : around.providers(fields.provider);
  if (isRefusal(leader)) problems.push(fault('provider', leader.message, 'unknown_provider'));
  return {
    written: file !== undefined,
    fields,
    body: read.body,
    leaderProvider: leader?.ok ? leader.name : LEADER_PROVIDER,
    problems,
    fault,
  };
}

/** Ids that two documents claim: the later one is told, and names the first. */
function twice(roles: readonly CompiledRole[]): Problem[] {
  const first = new Map<string, CompiledRole>();
  return roles.flatMap((role) => {
    if (role.name === undefined) return [];
    const other = first.get(role.name);
    if (other === undefined) {
      first.set(role.name, role);
      return [];
    }
    const message = `${shown(role.name)} is already the agent of ${other.file}:${other.nameLine}; write another name in one of the two`;
    return [{ kind: 'team_document_invalid', file: role.file, line: role.nameLine, key: 'name', message } as const];
  });
}

/** What TEAM.md says about its role documents. */
function betweenDocuments(head: Head, roles: readonly CompiledRole[]): Problem[] {
  if (roles.length === 0) {
    return [head.fault('agents', 'there is no agent; write a role document such as agents/builder.md')];
  }
  const problems: Problem[] = [];
  const names = roles.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const order = head.fields.startup_order ?? [];
  for (const [index, name] of order.entries()) {
    const place = ['startup_order', index] as const;
    if (order.indexOf(name) < index) problems.push(head.fault(place, `${shown(name)} stands here twice; keep one`));
    // With a document that could not be read, nobody knows whether the name is in it.
    if (names.includes(name) || names.length < roles.length) continue;
    const meant = nearest(name, names);
    const advice = meant ? `did you mean ${meant}?` : `the agents are ${names.join(', ')}`;
    problems.push(head.fault(place, `there is no agent ${shown(name)}; ${advice}`));
  }
  // With a document that could not be read, nobody knows who is there.
  const members = names.length < roles.length ? undefined : names;
  problems.push(...workProblems(head.fields, members, head.fault));
  const most = head.fields.max_active_agents;
  if (most !== undefined && most < roles.length) {
    const message = `${most} is refused: all ${roles.length} agents are started; remove the line or write ${roles.length}`;
    problems.push(head.fault('max_active_agents', message));
  }
  return problems;
}

/** Those that the order names, then the others as they stand. */
function inOrder(agents: readonly AgentSpec[], order: readonly string[]): AgentSpec[] {
  const place = (agent: AgentSpec): number => {
    const index = order.indexOf(agent.id);
    return index === -1 ? order.length : index;
  };
  return [...agents].sort((one, other) => place(one) - place(other));
}
