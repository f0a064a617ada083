import path from 'node:path';
import { given } from '../fields.ts';
import type { Problem } from '../problems.ts';
import type { RoleFields, TeamFields } from '../schema.ts';
import type { RouteMatch } from '../tasks/shape.ts';
import type { SpecFields } from './schema.ts';
import { bothOf, matchFields } from './when.ts';

/* What the parts of a spec are called in TEAM.md and role documents. */

type Rules = NonNullable<NonNullable<TeamFields['routing']>['rules']>;

/** The head of the TEAM.md that says the same. */
export function teamFieldsOf(
  { team, leader, routing, communication, runtime, tasks }: SpecFields,
  rules: Rules,
): TeamFields {
  const { backend, auto_launch, auto_attach_leader, require_user_approval_before_launch, ...settings } = runtime ?? {};
  const { worker_to_worker, peer_mirror, peer_limits } = communication ?? {};
  return {
    ...settings,
    worker_to_worker,
    peer_mirror,
    peer_limits,
    name: team.name,
    objective: team.objective,
    provider: leader?.provider,
    leader_model: leader?.model ?? undefined,
    leader_role: leader?.role,
    routing: { ...given({ default_assignee: routing?.default_assignee ?? undefined }), rules },
    tasks: tasks?.map(({ acceptance, status, description, assignee, ...task }) => ({
      ...task,
      description: withAcceptance(description ?? undefined, acceptance),
      assignee: assignee ?? undefined,
    })),
  };
}

/** What must be true at the end is part of what is to be done. */
function withAcceptance(description: string | undefined, acceptance: readonly string[] = []): string | undefined {
  if (acceptance.length === 0) return description;
  const wanted = ['Done when:', ...acceptance.map((line) => `- ${line}`)].join('\n');
  return description === undefined ? wanted : `${description}\n\n${wanted}`;
}

/** The rules of a spec, each with one match; and those that no match can say. */
export function rulesOf(
  { routing }: SpecFields,
  fault: (place: readonly PropertyKey[], message: string) => Problem,
): { readonly rules: Rules; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const rules = (routing?.rules ?? []).map(({ when, match, ...rule }, index) => {
    const both = bothOf(match && (given(match) satisfies RouteMatch), when);
    if (typeof both !== 'string') return { ...rule, match: matchFields(both) };
    problems.push(fault(['routing', 'rules', index, 'when'], both));
    return { ...rule, match: {} };
  });
  return { rules, problems };
}

/** The head of the role document that says the same. */
export function roleFieldsOf(agent: SpecFields['agents'][number]): RoleFields {
  const { id, model, system_prompt, preferred_for, avoid_for, output_contract, credential_ref, forked_from, ...same } =
    agent;
  return { ...same, name: id, model: model ?? undefined };
}

/** What an agent is told: in the spec itself, or in a file that the spec names. */
export function promptOf(
  { system_prompt }: SpecFields['agents'][number],
  { folder, textOf }: { readonly folder: string; readonly textOf: (file: string) => string | undefined },
): { readonly text: string; readonly file?: string; readonly problem?: string } {
  const { inline, file } = system_prompt ?? {};
  if (file === undefined || file === null) return { text: inline ?? '' };
  if (inline) return { text: inline, problem: 'there is a text under inline too; keep one of the two' };
  const place = path.resolve(folder, file);
  const text = textOf(place);
  return text === undefined
    ? { text: '', problem: `${place} is not a file of text; write an existing one, relative to this file` }
    : { text, file: path.relative(folder, place) };
}
