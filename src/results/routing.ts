import type { TaskRow } from '../ledger/index.ts';
import type { RouteMatch, Routing } from '../team/index.ts';
import { fitsGlob } from './glob.ts';

/** What of a task routing goes by. */
export type Routable = Pick<TaskRow, 'assignee' | 'type' | 'risk' | 'requires_tools' | 'files'>;

/** Who gets a task, and why. */
export interface Route {
  readonly agent: string;
  readonly reason: 'assignee' | 'rule' | 'default_assignee';
  /** The rule's id. */
  readonly rule?: string;
}

/**
 * Who gets a task: its assignee, else whom the first rule that fits names (the highest priority is asked first, rules of one
 * priority as they are written), else the default. Who is no member any more is passed over. Undefined: nobody.
 */
export function routeTask(
  task: Routable,
  routing: Partial<Routing>,
  isMember: (id: string) => boolean,
): Route | undefined {
  if (task.assignee !== null && isMember(task.assignee)) return { agent: task.assignee, reason: 'assignee' };
  const rule = (routing.rules ?? [])
    .toSorted((one, other) => other.priority - one.priority)
    .find(({ assign_to, match }) => isMember(assign_to) && fits(task, match));
  if (rule) return { agent: rule.assign_to, reason: 'rule', rule: rule.id };
  const { default_assignee } = routing;
  return default_assignee !== undefined && isMember(default_assignee)
    ? { agent: default_assignee, reason: 'default_assignee' }
    : undefined;
}

/** All that is written must hold; a rule that says nothing takes nothing. */
function fits(task: Routable, match: RouteMatch): boolean {
  const needed = listIn(task.requires_tools);
  const held = [
    match.type?.some((type) => type === task.type),
    match.risk?.some((risk) => risk === task.risk),
    match.requires_tools?.every((tool) => needed.includes(tool)),
    match.assignee?.some((assignee) => assignee === task.assignee),
    match.files?.some((glob) => listIn(task.files).some((file) => fitsGlob(file, glob))),
  ].filter((holds) => holds !== undefined);
  return held.length > 0 && held.every(Boolean);
}

/** Tools without which work of a type cannot be done. */
const TYPE_TOOLS: Readonly<Record<string, readonly string[]>> = {
  implementation: ['fs_write', 'execute_bash'],
  bug_fix: ['fs_write', 'execute_bash'],
  test: ['fs_write', 'execute_bash'],
  review: ['fs_read', 'git_diff'],
  risk_check: ['fs_read', 'git_diff'],
  research: ['fs_read'],
  architecture: ['fs_read'],
};

/** Tools that a task needs, by what it says and by its type, and that an agent does not have. `tools`: of the agent, canonical. */
export function missingTools(task: Pick<TaskRow, 'type' | 'requires_tools'>, tools: readonly string[]): string[] {
  const needed = [...listIn(task.requires_tools), ...(TYPE_TOOLS[task.type ?? ''] ?? [])];
  return [...new Set(needed)].filter((tool) => !tools.includes(tool)).sort();
}

/** A list as the ledger holds it. */
function listIn(json: string): readonly string[] {
  return JSON.parse(json) as readonly string[];
}
