import path from 'node:path';
import { agentId, isRefusal } from '../kernel/index.ts';
import { checkFields, shown } from './fields.ts';
import { type FrontMatter, readFrontMatter } from './front-matter.ts';
import { modelOf, resolveTools } from './names.ts';
import type { Problem, ProblemKind } from './problems.ts';
import { profileOfRole, type TeamProfiles } from './profiles/of-role.ts';
import { type RoleFields, roleFields, type TeamFields } from './schema.ts';
import { secretProblems } from './secrets.ts';
import { type AgentSpec, permissionOf, type Surroundings, type TeamFile } from './shape.ts';

/** One role document: what could be made of it, and all that is wrong with it. */
export interface CompiledRole {
  readonly file: string;
  /** What stands under `name`, even when the rest of the document is wrong. */
  readonly name: string | undefined;
  readonly nameLine: number;
  readonly agent: AgentSpec | undefined;
  readonly problems: readonly Problem[];
}

/** Compiles one role document against its team's settings. Pure. */
export function compileRole(
  file: TeamFile,
  team: TeamFields,
  around: Surroundings,
  profiles: TeamProfiles,
): CompiledRole {
  const secrets = secretProblems(file.path, file.text);
  const front = readFrontMatter(file.path, file.text);
  if (isBroken(front))
    return { file: file.path, name: undefined, nameLine: 1, agent: undefined, problems: [...front, ...secrets] };
  const written = front.values.name;
  const known = {
    file: file.path,
    name: typeof written === 'string' ? written : undefined,
    nameLine: front.lineOf(['name']),
  };
  const checked = checkFields(file.path, front, roleFields);
  const problems = [...checked.problems, ...secrets];
  const fault = (kind: ProblemKind, key: string, message: string) => {
    problems.push({ kind, file: file.path, line: front.lineOf([key]), key, message });
  };
  if (known.name !== undefined && agentId(known.name) === undefined) {
    fault('agent_id_invalid', 'name', `${shown(known.name)} ${ID_ADVICE}`);
  }
  const agent = checked.values && agentOf(checked.values, front, file, team, around, profiles, fault);
  return { ...known, agent: problems.length === 0 ? agent : undefined, problems };
}

const ID_ADVICE =
  'cannot be an agent; write 1 to 64 of the characters A-Z a-z 0-9 _ -, beginning with a letter or digit, and not ' +
  'leader, which is the one who leads';

export function isBroken(front: FrontMatter | readonly Problem[]): front is readonly Problem[] {
  return Array.isArray(front);
}

function agentOf(
  fields: RoleFields,
  front: FrontMatter,
  file: TeamFile,
  team: TeamFields,
  around: Surroundings,
  profiles: TeamProfiles,
  fault: (kind: ProblemKind, key: string, message: string) => void,
): AgentSpec | undefined {
  const id = agentId(fields.name);
  const provider = around.providers(fields.provider);
  if (isRefusal(provider)) {
    fault('unknown_provider', 'provider', provider.message);
    return undefined;
  }
  const document = path.join(around.folder, file.path);
  const folder = path.resolve(around.workspace, fields.working_directory ?? '.');
  if (fields.working_directory !== undefined && around.kindOf(folder) !== 'folder') {
    fault(
      'team_document_invalid',
      'working_directory',
      `${folder} is not a folder; write an existing one, or create it`,
    );
  }
  const script = fields.script === undefined ? undefined : path.resolve(path.dirname(document), fields.script);
  if (script !== undefined && provider.name !== 'scripted') {
    fault(
      'team_document_invalid',
      'script',
      `only a scripted agent plays a script; remove the line or write provider: scripted`,
    );
  } else if (script !== undefined && around.kindOf(script) !== 'file') {
    fault(
      'team_document_invalid',
      'script',
      `${script} is not a file; write an existing one, relative to this document`,
    );
  }
  const credential = profileOfRole(fields, team, provider, profiles, fault);
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
    prompt: front.body === '' ? fields.role : front.body,
    tools: resolveTools(fields.tools, fields.role),
    folder,
    ...(script === undefined ? {} : { script }),
    env: [...new Set([...(team.env ?? []), ...(fields.env ?? [])])],
    mcp: fields.mcp ?? team.mcp ?? 'inherit',
    permission: permissionOf(
      fields.permission_mode ?? team.permission_mode,
      fields.dangerous_auto_approve ?? (fields.permission_mode === undefined && team.dangerous_auto_approve),
    ),
    paused: fields.paused ?? false,
    ...(credential === undefined ? {} : { profile: credential.profile }),
    file: document,
  };
}
