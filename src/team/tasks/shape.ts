/** How bad it is when the work on a task goes wrong, as its author sees it. */
export const RISKS = ['low', 'medium', 'high'] as const;
export type Risk = (typeof RISKS)[number];

/** A piece of work as TEAM.md tells it. What became of it stands in the ledger. */
export interface TaskSpec {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  /** `implementation`, `review`, ...: some imply tools, and routing goes by it. */
  readonly type?: string;
  /** An agent's id, or `leader`. */
  readonly assignee?: string;
  /** Tasks that must be done before. */
  readonly deps: readonly string[];
  /** Canonical tool names, sorted, each once. */
  readonly requiresTools: readonly string[];
  /** Paths relative to the workspace. */
  readonly files: readonly string[];
  readonly risk?: Risk;
  /** How often a result that is neither success nor blocked may be followed by another try. */
  readonly retryLimit: number;
  /** Must a person say yes before it is given to an agent? */
  readonly humanConfirmation: boolean;
}

/** What a task must be for a rule to take it: everything that is given must hold. */
export interface RouteMatch {
  readonly type?: readonly string[];
  readonly risk?: readonly Risk[];
  /** Canonical tool names: the task requires all of them. */
  readonly requires_tools?: readonly string[];
  /** Globs: one of the task's files fits one of them. */
  readonly files?: readonly string[];
  /** Whom the task names: when it is somebody who is no member any more, a rule may say who has the work now. */
  readonly assignee?: readonly string[];
}

export interface RouteRule {
  readonly id: string;
  /** An agent's id, or `leader`. */
  readonly assign_to: string;
  /** The rule with the highest one is asked first. */
  readonly priority: number;
  readonly match: RouteMatch;
}

/** Who gets a task that names nobody. It is kept in the ledger as it stands here. */
export interface Routing {
  readonly default_assignee?: string;
  readonly rules: readonly RouteRule[];
}

/** How much agents may write to each other; what is not given has its default. */
export interface PeerLimits {
  /** How many agents may pass the ball before a person or the leader speaks. */
  readonly hops?: number;
  /** Messages in five minutes from one agent to one other member. */
  readonly pair?: number;
  /** Messages in five minutes from all agents of the team. */
  readonly team?: number;
}
