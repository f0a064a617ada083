import type { AgentId, Refusal, TeamId } from '../kernel/index.ts';
import type { AuthMode, CredentialNames, PermissionMode } from '../providers/index.ts';
import type { PeerLimits, Routing, TaskSpec } from './tasks/shape.ts';

/** One document of a team folder: `path` is relative to the folder, with `/` between its parts. */
export interface TeamFile {
  readonly path: string;
  readonly text: string;
}

/** How a provider's name in a document becomes its canonical one. Given as an argument: providers stand elsewhere. */
export type ProviderNames = (name: string) =>
  | {
      readonly ok: true;
      readonly name: string;
      /** How values of its credentials may be called in a profile. */
      readonly credentials?: CredentialNames;
    }
  | Refusal;

/** Somebody who was added to a team, or removed from it, beside what its documents say. */
export type MemberChange =
  | {
      readonly kind: 'added';
      readonly id: AgentId;
      /** Absolute path of the role document. */
      readonly document: string;
      /** What stands there, or is about to; read from there when it is not given. */
      readonly text?: string;
    }
  | { readonly kind: 'removed'; readonly id: AgentId };

/** What a team's documents are compiled against. */
export interface Surroundings {
  /** Absolute path of the team folder. */
  readonly folder: string;
  /** Absolute path: `working_directory` is resolved against it. */
  readonly workspace: string;
  /** The team's name when TEAM.md gives none. */
  readonly fallbackName: string;
  /** Whose documents these are, when a team has them already: another name in them would make another team of it. */
  readonly team?: TeamId | undefined;
  readonly providers: ProviderNames;
  /** The credential profile of this name, of the team with this id; undefined when there is no such file. */
  readonly profile: (team: TeamId | undefined, name: string) => FoundProfile | undefined;
  /** What stands at an absolute path. */
  readonly kindOf: (path: string) => 'file' | 'folder' | 'nothing';
}

/** The file of a credential profile. */
export interface FoundProfile {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  /** True of `NAME.example.env`: a template, of which no credential is taken. */
  readonly example: boolean;
}

/** When the leader is woken: at each result, only when it matters, or once for many. */
export const NOTIFY = ['each', 'quiet', 'digest'] as const;
export type Notify = (typeof NOTIFY)[number];

/** Who may answer when an agent's CLI asks for permission: a person alone, or the leader too. */
export const APPROVERS = ['person', 'leader'] as const;
export type Approvers = (typeof APPROVERS)[number];

/** How a team may be shown. */
export const DISPLAYS = [
  'adaptive',
  'none',
  'tmux_attach',
  'iterm',
  'ghostty',
  'ghostty_window',
  'ghostty_workspace',
] as const;

/** Settings about display and timing, under the names that documents give them; times in seconds. */
export interface Kept {
  readonly display_backend?: (typeof DISPLAYS)[number];
  readonly tick_interval_sec?: number;
  readonly push_min_interval_sec?: number;
  readonly stuck_timeout_sec?: number;
}

/** Who leads when the documents do not say, and as what. */
export const LEADER_PROVIDER = 'codex';
export const LEADER_ROLE = 'leader';

/** Does an agent see the user's own MCP servers beside the team's? */
export const MCP_CHOICES = ['inherit', 'team_only'] as const;
export type McpChoice = (typeof MCP_CHOICES)[number];

/** A team as its documents tell it. Nothing of it is observed, nothing of it is stored here. */
export interface Team {
  readonly id: TeamId;
  readonly name: string;
  readonly objective: string;
  readonly sessionName: string;
  /** Absolute path of the project. */
  readonly workspace: string;
  /** Absolute path of the folder with the documents. */
  readonly folder: string;
  /** False when the folder has role documents but no TEAM.md. */
  readonly hasTeamDocument: boolean;
  readonly leaderProvider: string;
  readonly leaderModel: string | null;
  readonly leaderRole: string;
  readonly notify: Notify;
  readonly approvals: Approvers;
  /** May agents write to each other? */
  readonly workerToWorker: boolean;
  /** Does the leader get a copy of what they write to each other? */
  readonly peerMirror: boolean;
  readonly peerLimits: PeerLimits;
  /** The work that TEAM.md names, in its order. */
  readonly tasks: readonly TaskSpec[];
  readonly routing: Routing;
  /** In the order in which they start; never empty. */
  readonly agents: readonly AgentSpec[];
  /** Those whom the team's own documents describe, whoever was added to it or removed from it beside them. */
  readonly described: readonly AgentSpec[];
  /** Those that start one after another, each once the one before is ready; everybody else starts at once. */
  readonly startupOrder: readonly AgentId[];
  /** At most so many of the agents run at a time, at least 1; null: all of them. */
  readonly maxActive: number | null;
  /** Does every CLI that has a fast mode use it? */
  readonly fast: boolean;
  /** Is the deprecated `auto_trust_own_workspace` switched on? It trusts nothing; whoever starts the team is told so. */
  readonly autoTrust: boolean;
  /** Settings about display and timing, as far as they are written. */
  readonly kept: Kept;
}

/** One agent as its role document tells it. */
export interface AgentSpec {
  readonly id: AgentId;
  readonly role: string;
  /** Canonical name. */
  readonly provider: string;
  readonly model: string | null;
  /** The body of the role document; the role's text when the body is blank. */
  readonly prompt: string;
  /** Canonical tool names, sorted, each once. */
  readonly tools: readonly string[];
  /** Absolute path of an existing folder: where the agent works. */
  readonly folder: string;
  /** Absolute path of an existing file: what a scripted agent plays. */
  readonly script?: string;
  /** Names of variables that the agent gets from the environment of whoever starts it. */
  readonly env: readonly string[];
  readonly mcp: McpChoice;
  readonly permission: PermissionMode;
  readonly paused: boolean;
  /** Absent: the agent uses the login of its own CLI. */
  readonly profile?: ProfileSpec;
  /** Absolute path of the role document. */
  readonly file: string;
}

/** The credential profile that an agent's documents name. Its values are read when the agent is started. */
export interface ProfileSpec {
  readonly name: string;
  readonly mode: AuthMode;
  /** Absolute path. */
  readonly file: string;
}
