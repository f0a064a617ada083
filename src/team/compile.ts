import { isRefusal, type Refusal, shellWord, type TeamId } from '../kernel/index.ts';
import { checkFields, shown } from './fields.ts';
import { type FrontMatter, NO_HEAD, readFrontMatter } from './front-matter.ts';
import { teamIdOf } from './names.ts';
import { contradictionIn } from './permission.ts';
import { documentRefusal, nearest, type Problem, type ProblemKind } from './problems.ts';
import { type CompiledRole, compileRole, isBroken } from './role.ts';
import { keptFields, type TeamFields, teamFields } from './schema.ts';
import { secretProblems } from './secrets.ts';
import { type AgentSpec, LEADER_PROVIDER, LEADER_ROLE, type Surroundings, type Team, type TeamFile } from './shape.ts';
import { peerLimitsOf, routingOf, tasksOf, workProblems } from './tasks/check.ts';

export const TEAM_DOCUMENT = 'TEAM.md';

/** What was changed in a team beside its documents: role documents of those who were added, and who is not in it any more. */
export interface Changes {
  readonly added: readonly (TeamFile & { readonly id: string })[];
  /** Ids whose documents among the team's own count no more: they were removed, or somebody else bears the name. */
  readonly replaced: ReadonlySet<string>;
}

const UNCHANGED: Changes = { added: [], replaced: new Set() };

/**
 * Makes a team of its documents: TEAM.md, when there is one, and every other file as a role document, in the order of
 * their names, then of those who were added to it. Pure. Everything that is wrong anywhere is told in one refusal.
 */
export function compileTeam(
  files: readonly TeamFile[],
  around: Surroundings,
  changes: Changes = UNCHANGED,
): Team | Refusal {
  const head = compileHead(files.find((file) => file.path === TEAM_DOCUMENT));
  const compile = (file: TeamFile): CompiledRole => compileRole(file, head.fields, around);
  const written = files
    .filter((file) => file.path !== TEAM_DOCUMENT)
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(compile);
  const counts = ({ name }: CompiledRole): boolean => name === undefined || !changes.replaced.has(name);
  const roles = [...written.filter(counts), ...changes.added.map((file) => underItsName(compile(file), file.id))];
  return assemble(head, roles, around, { described: written });
}

/** The document of somebody who was added says the name under which it was: nobody becomes another one by an edit. */
function underItsName(role: CompiledRole, id: string): CompiledRole {
  if (role.name === undefined || role.name === id) return role;
  const message = `${shown(role.name)} is another name: this document is kept for ${id}; write name: ${id}`;
  const problem = { kind: 'team_document_invalid', file: role.file, ...role.named, message } as const;
  return { ...role, problems: [...role.problems, problem] };
}

/**
 * The team of a head and its agents, wherever they are written; whatever does not fit together is told with all the rest.
 * `described`: those of the team's own documents, when they are others.
 */
export function assemble(
  head: Head,
  roles: readonly CompiledRole[],
  around: Surroundings,
  { spec = '.', described = roles }: { readonly spec?: string; readonly described?: readonly CompiledRole[] } = {},
): Team | Refusal {
  const { fields } = head;
  const agents = inOrder(
    roles.flatMap(({ agent }) => (agent ? [agent] : [])),
    fields.startup_order ?? [],
  );
  const leader = leaderOf(head, around);
  const problems = [
    ...head.problems,
    ...leader.problems,
    ...roles.flatMap((role) => role.problems),
    ...twice(roles),
    ...betweenDocuments(head, roles, described),
  ];
  const name = fields.name ?? around.fallbackName;
  const id = teamIdOf(name);
  if (id === undefined) problems.push(head.fault('name', `${shown(name)} ${NAME_ADVICE}`, 'team_name_invalid'));
  else if (around.team !== undefined && around.team !== id)
    problems.push(renamed(head, name, around.team, around.folder));
  if (problems.length > 0 || id === undefined) return documentRefusal(around.folder, problems, spec);
  return {
    id,
    name,
    objective: fields.objective ?? (head.body || `Work together on ${name}.`),
    sessionName: fields.session_name ?? `team-${id}`,
    workspace: around.workspace,
    folder: around.folder,
    hasTeamDocument: head.written,
    leaderProvider: leader.provider,
    leaderModel: fields.leader_model ?? fields.model ?? null,
    leaderRole: fields.leader_role ?? LEADER_ROLE,
    notify: fields.notify ?? 'each',
    approvals: fields.approvals ?? 'person',
    workerToWorker: fields.worker_to_worker ?? true,
    peerMirror: fields.peer_mirror ?? false,
    peerLimits: peerLimitsOf(fields),
    tasks: tasksOf(fields),
    routing: routingOf(fields),
    agents,
    described: described.flatMap(({ agent }) => (agent ? [agent] : [])),
    startupOrder: agents.filter(({ id }) => fields.startup_order?.includes(id)).map(({ id }) => id),
    maxActive: fields.max_active_agents ?? null,
    fast: fields.fast ?? false,
    autoTrust: fields.auto_trust_own_workspace ?? false,
    kept: keptFields(fields),
  };
}

const NAME_ADVICE = 'is a name that .team/ uses itself; write another, such as web-shop';

/** What a team has goes by its id: under another name it would silently begin anew, as another team. */
function renamed({ fault }: Head, name: string, team: TeamId, folder: string): Problem {
  const message = `these are the documents of the team ${team}, and ${shown(name)} would be another one; write name: ${team}, or start the other one anew: team-agent quick-start ${shellWord(folder)}`;
  return fault('name', message);
}

/** What is said of a team as a whole: TEAM.md, or what its absence means, or that part of a spec. */
export interface Head {
  /** Is there a TEAM.md? */
  readonly written: boolean;
  readonly fields: TeamFields;
  readonly body: string;
  readonly problems: readonly Problem[];
  fault(key: string | readonly PropertyKey[], message: string, kind?: ProblemKind): Problem;
}

function compileHead(file: TeamFile | undefined): Head {
  const read = readFrontMatter(TEAM_DOCUMENT, file?.text ?? '');
  const front: FrontMatter = isBroken(read) ? NO_HEAD : read;
  const { values: fields = {}, problems } = checkFields(TEAM_DOCUMENT, front, teamFields);
  const contradiction = contradictionIn(fields);
  const fault: Head['fault'] = (key, message, kind = 'team_document_invalid') => {
    const place = front.place(typeof key === 'string' ? [key] : key);
    return { kind, file: TEAM_DOCUMENT, ...place, message };
  };
  return {
    written: file !== undefined,
    fields,
    body: front.body,
    problems: [
      ...(isBroken(read) ? read : []),
      ...problems,
      ...(contradiction === undefined ? [] : [fault('permission_mode', contradiction)]),
      ...secretProblems(TEAM_DOCUMENT, file?.text ?? ''),
    ],
    fault,
  };
}

function leaderOf({ fields, fault }: Head, around: Surroundings): { provider: string; problems: readonly Problem[] } {
  if (fields.provider === undefined) return { provider: LEADER_PROVIDER, problems: [] };
  const leader = around.providers(fields.provider);
  return isRefusal(leader)
    ? { provider: LEADER_PROVIDER, problems: [fault('provider', leader.message, 'unknown_provider')] }
    : { provider: leader.name, problems: [] };
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
    const message = `${shown(role.name)} is already the agent of ${other.file}:${other.named.line}; write another name in one of the two`;
    return [{ kind: 'team_document_invalid', file: role.file, ...role.named, message } as const];
  });
}

/** What TEAM.md says about its role documents. */
function betweenDocuments(head: Head, roles: readonly CompiledRole[], described: readonly CompiledRole[]): Problem[] {
  if (roles.length === 0) {
    return [head.fault('agents', 'there is no agent; write a role document such as agents/builder.md')];
  }
  const problems: Problem[] = [];
  // TEAM.md may still name who was removed beside the documents: that makes it no document with a mistake.
  const everybody = [...new Set([...roles, ...described])];
  const written = everybody.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const names = [...new Set(written)];
  const order = head.fields.startup_order ?? [];
  for (const [index, name] of order.entries()) {
    const place = ['startup_order', index] as const;
    if (order.indexOf(name) < index) problems.push(head.fault(place, `${shown(name)} stands here twice; keep one`));
    // With a document that could not be read, nobody knows whether the name is in it.
    if (names.includes(name) || written.length < everybody.length) continue;
    const meant = nearest(name, names);
    const advice = meant ? `did you mean ${meant}?` : `the agents are ${names.join(', ')}`;
    problems.push(head.fault(place, `there is no agent ${shown(name)}; ${advice}`));
  }
  // With a document that could not be read, nobody knows who is there.
  const members = written.length < everybody.length ? undefined : names;
  problems.push(...workProblems(head.fields, members, head.fault));
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
