import type { IncarnationId, Refusal } from '../kernel/index.ts';
import type { Terminals } from '../tmux/index.ts';
import type { AgentHandle, Attachment } from './shape/attachment.ts';
import type { CredentialUse } from './shape/credentials.ts';
import type {
  Continuation,
  Enforcement,
  Granted,
  Inspection,
  Installation,
  Introduction,
  LaunchPlan,
  LaunchRequest,
  Program,
  Resumable,
  Started,
  Tool,
} from './shape/launch.ts';
import type { Leading } from './shape/leading.ts';

export type * from './shape/attachment.ts';
export { CHANGING_TOOLS, isChangingTool } from './shape/attachment.ts';
export type * from './shape/channel.ts';
export type * from './shape/credentials.ts';
export { AUTH_MODES } from './shape/credentials.ts';
export type * from './shape/launch.ts';
export { PERMISSION_MODES, TOOLS } from './shape/launch.ts';
export type * from './shape/leading.ts';
export type * from './shape/turn.ts';
export { FACT_SOURCES, TURN_STATES } from './shape/turn.ts';

/** One CLI: what of it is started, how text gets in, what proves that it was taken. */
export interface Provider {
  readonly name: string;
  /** Other names that documents may use. */
  readonly aliases: readonly string[];
  /** Variables that its CLI documents for login, endpoint, config folder and the like: an agent gets them. */
  readonly variables: readonly string[];
  /** Longest answer of a team tool that its CLI hands to the model whole, in bytes of UTF-8; any when left out. */
  readonly longestAnswer?: number;
  /** Has its CLI a fast mode that a launch can switch on? */
  readonly fastMode?: true;
  /** How firmly its CLI keeps an agent to each tool, by what a launch passes to it. Only of the CLI's own tools. */
  enforcement(granted: Granted, tool: Tool): Enforcement;
  /** How it uses a credential of a profile. */
  readonly credentials: CredentialUse;
  /** Looks at the CLI, its login and its trust in a folder, and changes nothing. Refuses what could not work. */
  inspect(inspection: Inspection): Promise<Installation | Refusal>;
  /** Can a life go on with this session? Looks at the provider's own files alone, and changes nothing. */
  resumable(continuation: Continuation): Resumable;
  /** Pure: what would be started. Refuses what this provider cannot do. */
  plan(request: LaunchRequest, installation: Installation): LaunchPlan | Refusal;
  /** Resolves once the started process has told its session; a refusal says what stands in the way (a dialog, a fault). */
  introduce(started: Started): Promise<Introduction | Refusal>;
  attach(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals): Attachment;
  /** What shows a life that runs, when its own pane does not: its pane may be closed and opened again at any time. */
  view?(handle: AgentHandle, environment: Readonly<Record<string, string>>): Program | undefined;
  /** Files that a life which has ended may leave outside its own folder. */
  leftBehind?(handle: Pick<AgentHandle, 'socket'>): readonly string[];
  /** How its CLI leads a team; undefined when it cannot. */
  readonly leading?: Leading;
}
