import path from 'node:path';
import { agentId, isRefusal } from '../kernel/index.ts';
import { checkFields } from './fields.ts';
import { type FrontMatter, type Place, readFrontMatter } from './front-matter.ts';
import { modelOf, resolveTools, teamIdOf } from './names.ts';
import { contradictionIn, permissionOf } from './permission.ts';
import type { Problem, ProblemKind } from './problems.ts';
import { profileOfRole, type TeamProfiles } from './profiles/of-role.ts';
import { type RoleFields, roleFields, type TeamFields } from './schema.ts';
import { secretProblems } from './secrets.ts';
import type { AgentSpec, Surroundings, TeamFile } from './shape.ts';
import { proseOf } from './yaml.ts';

/** One agent of a team's documents: what could be made of it, and all that is wrong with it. */
export interface CompiledRole {
  readonly file: string;
  /** What stands where its name belongs, even when the rest is wrong. */
  readonly name: string | undefined;
  /** Where its name is written. */
  readonly named: Place;
  readonly agent: AgentSpec | undefined;
  readonly problems: readonly Problem[];
}

/** What an agent is made of, wherever it is written. */
export interface RoleSource {
  /** The file, relative to the team folder. */
  readonly file: string;
  readonly fields: RoleFields;
  /** What the agent is told; blank: its role says it all. */
  readonly body: string;
}

/** Tells a problem with a field of an agent. */
export type RoleFault = (kind: ProblemKind, key: keyof RoleFields, message: string) => void;

/** Compiles one role document against its team's settings. Pure. */
export function compileRole(file: TeamFile, team: TeamFields, around: Surroundings): CompiledRole {
  const secrets = secretProblems(file.path, file.text);
  const front = readFrontMatter(file.path, file.text);
  if (isBroken(front)) {
    const named = { line: 1, key: 'name' };
    return { file: file.path, name: undefined, named, agent: undefined, problems: [...front, ...secrets] };
  }
  const written = front.values.name;
  const checked = checkFields(file.path, front, roleFields);
  const problems = [...checked.problems, ...secrets];
  const fault: RoleFault = (kind, key, message) => {
    problems.push({ kind, file: file.path, ...front.place([key]), message });
  };
  const agent =
    checked.values && agentOf({ file: file.path, fields: checked.values, body: front.body }, team, around, fault);
  return {
    file: file.path,
    name: typeof written === 'string' ? written : undefined,
    named: front.place(['name']),
    agent: problems.length === 0 ? agent : undefined,
    problems,
  };
}

export function isBroken(front: FrontMatter | readonly Problem[]): front is readonly Problem[] {
  return Array.isArray(front);
}

/** The agent that fields describe, as its team's settings complete them. Whatever cannot be is told as a fault. */
export function agentOf(
  { file, fields, body }: RoleSource,
  team: TeamFields,
  around: Surroundings,
  fault: RoleFault,
): AgentSpec | undefined {
  const id = agentId(fields.name);
  const provider = around.providers(fields.provider);
  if (isRefusal(provider)) {
    fault('unknown_provider', 'provider', provider.message);
    return undefined;
  }
  const document = path.join(around.folder, file);
  const folder = folderOf(fields, around, fault);
  const script = scriptOf(fields, document, provider.name, around, fault);
  const credential = profileOfRole(fields, team, provider, profilesOf(team, around), fault);
  const contradiction = contradictionIn(fields);
  if (contradiction) fault('team_document_invalid', 'permission_mode', contradiction);
  if (id === undefined) return undefined;
  const canonicalOf = (name: string) => {
    const found = around.providers(name);
    return isRefusal(found) ? undefined : found.name;
  };
  return {
    id,
    role: fields.role,
    provider: provider.name,
    model: credential?.hasModel
      ? (fields.model ?? null)
      : modelOf(
          { own: fields.model, byProvider: team.provider_models ?? {}, teamDefault: team.default_model ?? team.model },
          { written: fields.provider, canonical: provider.name },
          canonicalOf,
        ),
    prompt: proseOf(body) || proseOf(fields.role),
    tools: resolveTools(fields.tools, fields.role),
    folder,
    ...(script === undefined ? {} : { script }),
    env: [...new Set([...(team.env ?? []), ...(fields.env ?? [])])],
    mcp: fields.mcp ?? team.mcp ?? 'inherit',
    permission: permissionOf(fields, team),
    paused: fields.paused ?? false,
    ...(credential === undefined ? {} : { profile: credential.profile }),
    file: document,
  };
}

/** The profiles of the team that these settings name. */
function profilesOf({ name }: TeamFields, around: Surroundings): TeamProfiles {
  const team = teamIdOf(name ?? around.fallbackName);
  return { team, find: (wanted) => around.profile(team, wanted) };
}

/** Where the agent works: an existing folder, absolute or relative to the workspace. */
function folderOf({ working_directory }: RoleFields, around: Surroundings, fault: RoleFault): string {
  const folder = path.resolve(around.workspace, working_directory ?? '.');
  if (working_directory !== undefined && around.kindOf(folder) !== 'folder') {
    const message = `${folder} is not a folder; write an existing one, or create it`;
    fault('team_document_invalid', 'working_directory', message);
  }
  return folder;
}

/** What a scripted agent plays: an existing file, absolute or relative to the document that names it. */
function scriptOf(
  { script }: RoleFields,
  document: string,
  provider: string,
  around: Surroundings,
  fault: RoleFault,
): string | undefined {
  if (script === undefined) return undefined;
  const file = path.resolve(path.dirname(document), script);
  if (provider !== 'scripted') {
    const message = 'only a scripted agent plays a script; remove the line or write provider: scripted';
    fault('team_document_invalid', 'script', message);
  } else if (around.kindOf(file) !== 'file') {
    const message = `${file} is not a file; write an existing one, relative to this document`;
    fault('team_document_invalid', 'script', message);
  }
  return file;
}
