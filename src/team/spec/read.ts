import path from 'node:path';
import type { Refusal } from '../../kernel/index.ts';
import { assemble, type Head } from '../compile.ts';
import { checkFields, shown } from '../fields.ts';
import type { FrontMatter } from '../front-matter.ts';
import { contradictionIn } from '../permission.ts';
import { documentRefusal, type Problem, type ProblemKind } from '../problems.ts';
import { agentOf, type CompiledRole, isBroken, type RoleFault } from '../role.ts';
import { secretProblems } from '../secrets.ts';
import type { Surroundings, Team, TeamFile } from '../shape.ts';
import { keyOfLine, linesOf, readYaml } from '../yaml.ts';
import { promptOf, roleFieldsOf, rulesOf, teamFieldsOf } from './fields.ts';
import { BY_ROUTING, type SpecFields, specFields } from './schema.ts';

/** What a spec is read against: it names its workspace itself, and may name files. */
export interface SpecSurroundings extends Omit<Surroundings, 'workspace' | 'fallbackName'> {
  /** Absolute path of the project; undefined: whichever the spec names, else the folder that holds the spec's. */
  readonly workspace: string | undefined;
  /** The text of a file at an absolute path; undefined when it cannot be read as text. */
  readonly textOf: (file: string) => string | undefined;
  /** An existing path without links. */
  readonly realOf: (place: string) => string;
  /** The project of a team that does not name it. */
  readonly usualWorkspace: string;
}

type SpecAgent = SpecFields['agents'][number];

/** Tells a problem at a place of the spec. */
type Fault = (place: readonly PropertyKey[], message: string, kind?: ProblemKind) => Problem;

/**
 * The team of a spec: the same that documents of the same content give, or the same kind of refusal. Pure. Relative paths in
 * it are relative to its own folder, but for `working_directory`, which is relative to the workspace as in role documents.
 */
export function readSpec(file: TeamFile, around: SpecSurroundings): Team | Refusal {
  const secrets = secretProblems(file.path, file.text);
  const source = readFields(file);
  if (isBroken(source)) return documentRefusal(around.folder, [...source, ...secrets], file.path);
  const checked = checkFields(file.path, source, specFields);
  const spec = checked.values;
  if (spec === undefined) return documentRefusal(around.folder, [...checked.problems, ...secrets], file.path);
  const fault: Fault = (place, message, kind = 'team_document_invalid') => {
    return { kind, file: file.path, ...source.place(place), message };
  };
  const { workspace, problems } = workspaceOf(spec, around, fault);
  const inside = { ...around, workspace, fallbackName: spec.team.name };
  const routing = rulesOf(spec, fault);
  const head = headOf(spec, routing.rules, [...checked.problems, ...secrets, ...problems, ...routing.problems], fault);
  const roles = spec.agents.map((agent, index) => roleOf(agent, index, { spec, file: file.path, head, inside, fault }));
  return assemble(head, roles, inside, { spec: file.path });
}

/** Is a text the spec of a team, sound or not? Other files have a line `version:` too. Pure. */
export function isSpecText(text: string): boolean {
  const { values } = readYaml(linesOf(text).join('\n'));
  return values.version === 1 && Object.hasOwn(values, 'team') && Object.hasOwn(values, 'agents');
}

function readFields(file: TeamFile): FrontMatter | readonly Problem[] {
  const lines = linesOf(file.text);
  const yaml = readYaml(lines.join('\n'));
  if (yaml.flaws.length === 0) {
    const place: FrontMatter['place'] = (steps) => ({
      line: yaml.lineOf(steps),
      key: steps.map(String).join('.') || 'spec',
    });
    return { values: yaml.values, place, body: '' };
  }
  return yaml.flaws.map(({ line, message }) => {
    return { kind: 'team_document_invalid', file: file.path, line, key: keyOfLine(lines[line - 1]) ?? 'spec', message };
  });
}

/** The project that the spec names: it has to be there, and to be the one in which it is read. */
function workspaceOf(
  { team }: SpecFields,
  around: SpecSurroundings,
  fault: Fault,
): { readonly workspace: string; readonly problems: readonly Problem[] } {
  if (team.workspace === undefined) return { workspace: around.workspace ?? around.usualWorkspace, problems: [] };
  const named = path.resolve(around.folder, team.workspace);
  const wrong = (message: string) => ({ workspace: named, problems: [fault(['team', 'workspace'], message)] });
  if (around.kindOf(named) !== 'folder') return wrong(`${named} is not a folder; write the project folder`);
  const workspace = around.realOf(named);
  if (around.workspace === undefined || around.realOf(around.workspace) === workspace)
    return { workspace, problems: [] };
  return wrong(`${named} is another project than ${around.workspace}; start the team there, or write this one`);
}

/** Where the spec has what TEAM.md has elsewhere. */
const IN_SPEC: Readonly<Record<string, readonly string[]>> = {
  name: ['team', 'name'],
  provider: ['leader', 'provider'],
  startup_order: ['runtime', 'startup_order'],
};

function headOf(
  spec: SpecFields,
  rules: ReturnType<typeof rulesOf>['rules'],
  problems: readonly Problem[],
  fault: Fault,
): Head {
  return {
    written: false,
    fields: teamFieldsOf(spec, rules),
    body: '',
    problems,
    fault: (key, message, kind) => {
      const [first = '', ...rest] = typeof key === 'string' ? [key] : key;
      return fault([...(IN_SPEC[String(first)] ?? [first]), ...rest], message, kind);
    },
  };
}

interface Reading {
  readonly spec: SpecFields;
  readonly file: string;
  readonly head: Head;
  readonly inside: SpecSurroundings & Surroundings;
  readonly fault: Fault;
}

function roleOf(agent: SpecAgent, index: number, { spec, file, head, inside, fault }: Reading): CompiledRole {
  const at = (key: string) => ['agents', index, key];
  const problems: Problem[] = contradictions(agent, spec).map(({ key, message }) => fault(at(key), message));
  const tell: RoleFault = (kind, key, message) => {
    problems.push(fault(at(key === 'name' ? 'id' : key), message, kind));
  };
  const prompt = promptOf(agent, inside);
  if (prompt.problem) problems.push(fault([...at('system_prompt'), 'file'], prompt.problem));
  if (prompt.file) problems.push(...secretProblems(prompt.file, prompt.text));
  const source = { file, fields: roleFieldsOf(agent), body: prompt.text };
  const made = agentOf(source, head.fields, inside, tell);
  const { line, key } = fault(at('id'), '');
  return {
    file,
    name: agent.id,
    named: { line, key },
    agent: problems.length === 0 ? made : undefined,
    problems,
  };
}

/** Lines about an agent that say different things. */
function contradictions(
  agent: SpecAgent,
  { runtime }: SpecFields,
): { readonly key: keyof SpecAgent; readonly message: string }[] {
  const { id, role, permission_mode, preferred_for = [], profile, credential_ref } = agent;
  const other = preferred_for.find((word) => word !== id && word !== role);
  // Its own two lines are compared where those of a role document are. The spec's yes for all is no mere default.
  const forAll = agent.dangerous_auto_approve === undefined && runtime?.dangerous_auto_approve === true;
  const asks = forAll ? contradictionIn({ permission_mode, dangerous_auto_approve: true }) : undefined;
  return [
    ...(asks === undefined ? [] : [{ key: 'permission_mode' as const, message: asks }]),
    ...(other === undefined
      ? []
      : [{ key: 'preferred_for' as const, message: `${shown(other)} is refused: ${BY_ROUTING}; write a rule there` }]),
    ...(credential_ref === undefined || credential_ref === `profile:${String(profile)}`
      ? []
      : [
          {
            key: 'credential_ref' as const,
            message: `${shown(credential_ref)} is not the profile of this agent; write profile, and remove this line`,
          },
        ]),
  ];
}
