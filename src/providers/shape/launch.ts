import type { AgentId, IncarnationId, SessionId } from '../../kernel/index.ts';
import type { PaneHandle, Terminals } from '../../tmux/index.ts';
import type { CredentialPlan, PlannedFile } from './credentials.ts';

/** How far an agent may go without asking (`permission_mode` of a role document). */
export const PERMISSION_MODES = ['manual', 'plan', 'accept_edits', 'auto', 'bypass'] as const;
export type PermissionMode = (typeof PERMISSION_MODES)[number];

/** What an agent may use, by the names of role documents, sorted. */
export const TOOLS = [
  'execute_bash',
  'fs_list',
  'fs_read',
  'fs_write',
  'git_diff',
  'mcp_team',
  'network',
  'provider_builtin',
] as const;
export type Tool = (typeof TOOLS)[number];

/**
 * Who decides whether an agent has a tool, given its others: `hard`, its CLI does, by what we pass to it; `prompt_only`,
 * nothing but the text of its role.
 */
export type Enforcement = 'hard' | 'prompt_only';

/** What a role document grants. */
export interface Granted {
  /** Canonical names. */
  readonly tools: readonly string[];
  readonly permission: PermissionMode;
}

/** What a provider can do, by version of its CLI, each with its evidence. */
export interface Capabilities {
  readonly versions: string;
  /** False: this version was never seen; only what proves itself at the start is used. */
  readonly known: boolean;
  readonly protocol: boolean;
  readonly paste: boolean;
  readonly approvals: boolean;
  readonly resume: boolean;
  readonly fork: boolean;
  readonly evidence: string;
}

/** Where a launch would take place; looked at before anything is started. */
export interface Inspection {
  readonly agent: string;
  /** Of whoever starts the agent; what of it the agent gets is decided elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder in which the agent would work. */
  readonly folder: string;
  /** A person has said that this folder may be trusted. */
  readonly trusted: boolean;
  readonly permission: PermissionMode;
  /** Absent: the login of the CLI itself is used. */
  readonly credentials?: CredentialPlan | undefined;
}

/** What a machine offers of one CLI at this moment. */
export interface Installation {
  /** Absolute path of the command. Empty for a program of our own. */
  readonly binary: string;
  readonly version: string;
  readonly capabilities: Capabilities;
  /** What a person should know: an unknown version, and what is degraded because of it. */
  readonly warnings: readonly string[];
  /** Names of further variables that the CLI's own configuration asks for, such as the `env_key` of a model provider. */
  readonly variables?: readonly string[];
  /** What the plan needs to know of the CLI's own configuration. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
}

/**
 * An earlier session that a life goes on with. `resume`: the life has that session itself. `fork`: it has one of its own that
 * begins with what the other one knew, which goes on as if nothing had happened.
 */
export interface Continues {
  readonly how: 'resume' | 'fork';
  readonly session: SessionId;
  /** The provider's own record of it. */
  readonly record: string;
}

/** What is stored of an earlier session, and where a life would go on with it. */
export interface Continuation extends Continues {
  /** Of the life that worked on it (`AgentHandle.details`). */
  readonly details: Readonly<Record<string, string>>;
  /** The folder in which the new life would work. */
  readonly folder: string;
  /** What was found of the CLI for the new life. */
  readonly installation: Installation;
}

/** `no` says why, in words for a person. `unknown`: nothing can be seen of it; only a start would tell. */
export type Resumable = 'yes' | 'unknown' | { readonly no: string };

export interface LaunchRequest {
  readonly agent: AgentId;
  readonly team: string;
  readonly incarnation: IncarnationId;
  /** Of a resume, the session that is resumed; else a fresh one. A CLI that mints its own says so when it introduces itself. */
  readonly session: SessionId;
  /** Absent: the life begins with nothing. */
  readonly continues?: Continues;
  readonly role: string;
  readonly prompt: string;
  readonly workspace: string;
  readonly folder: string;
  readonly model?: string;
  /** Canonical tool names that its role document grants. */
  readonly tools: readonly string[];
  readonly permission: PermissionMode;
  readonly trusted: boolean;
  /** Do the user's own MCP servers come along? */
  readonly mcp: 'inherit' | 'team_only';
  /** Its CLI works in its fast mode. */
  readonly fast?: true;
  /** Absolute path of the script of a scripted agent. */
  readonly script?: string;
  /** 0700 folder of this incarnation below `.team/run/`; it ends with the incarnation. */
  readonly runFolder: string;
  /** 0700 folder for sockets, short enough for a socket path. */
  readonly socketFolder: string;
  readonly mcpUrl: string;
  readonly hooksUrl: string;
  /** What stands in for the login of its CLI; its variables are in `environment`, its secrets nowhere but here. */
  readonly credentials?: CredentialPlan | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** A program with its environment. The token of a life comes through its wrapper, never through this. */
export interface Program {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** All that a launch will do, before it does anything: the plan that `--dry-run` prints. Nothing secret is in it. */
export interface LaunchPlan extends Program {
  readonly files: readonly PlannedFile[];
  readonly socket?: string;
  /** True when the pane shows nothing to a person: it gets a hidden window, and `introduce` names the view. */
  readonly hidden?: true;
}

/** A process that has just been started for a life. */
export interface Started {
  readonly request: LaunchRequest;
  readonly installation: Installation;
  readonly plan: LaunchPlan;
  readonly pane: PaneHandle;
  readonly terminals: Terminals;
  /** Aborts when its pane has gone or its time is up. */
  readonly signal: AbortSignal;
}

/** What only the started process could tell. */
export interface Introduction {
  readonly session: SessionId;
  readonly record: string;
  readonly details: Readonly<Record<string, string>>;
  /** What shows the agent to a person, when its own pane does not. */
  readonly view?: Program;
}
