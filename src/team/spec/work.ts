import { given } from '../fields.ts';
import type { Team } from '../shape.ts';
import { matchFields } from './when.ts';

/** The tasks and rules of a team, as TEAM.md and a spec write them. */
export function workOf({ tasks, routing }: Team) {
  const written = tasks.map(({ requiresTools, retryLimit, humanConfirmation, deps, files, ...task }) => ({
    ...task,
    deps: [...deps],
    requires_tools: [...requiresTools],
    files: [...files],
    retry_limit: retryLimit,
    human_confirmation: humanConfirmation,
  }));
  const rules = routing.rules.map((rule) => ({ ...rule, match: matchFields(rule.match) }));
  return { tasks: written, routing: { ...given({ default_assignee: routing.default_assignee }), rules } };
}
