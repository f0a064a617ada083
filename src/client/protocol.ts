import fs from 'node:fs';
import path from 'node:path';
import { readIfThere, socketFolder } from '../kernel/files.ts';

/** Version of the words between the command line and the coordinator. An older caller keeps working with a newer one. */
export const PROTOCOL = 1;

export const HEADERS = {
  protocol: 'x-team-agent-protocol',
  build: 'x-team-agent-build',
  /** `<pid>:<start>` of the calling process: its ancestry tells an agent from a person. */
  caller: 'x-team-agent-caller',
} as const;

/** Without an answer for this long, ms, somebody asks whether the coordinator is frozen. */
export const ANSWER_DEADLINE = 2_000;

/** Every path of a workspace's runtime. `workspace` is a real path. */
export function pathsOf(workspace: string, environment: NodeJS.ProcessEnv = process.env) {
  const team = path.join(workspace, '.team');
  const run = path.join(team, 'run');
  const socketsFile = path.join(run, 'sockets.json');
  const sockets = chosenSockets(socketsFile, workspace) ?? socketFolder(workspace, environment);
  return {
    workspace,
    team,
    ledger: path.join(team, 'team.db'),
    run,
    log: path.join(run, 'coordinator.log'),
    /** Who the coordinator is and where its doors are; gone when it ended by itself. */
    pointer: path.join(run, 'coordinator.json'),
    /** When tmux revived it, to bound how often. */
    revivals: path.join(run, 'revivals.json'),
    /** Says which folder holds the sockets: callers with another environment must find the same one. */
    socketsFile,
    sockets,
    socket: path.join(sockets, 'coordinator.sock'),
    tmux: path.join(sockets, 'tmux.sock'),
  };
}
export type Paths = ReturnType<typeof pathsOf>;

/** The socket folder that this very workspace uses already; a copied workspace does not inherit it. */
function chosenSockets(file: string, workspace: string): string | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const chosen = JSON.parse(text) as { workspace: string; folder: string };
  return chosen.workspace === workspace && fs.existsSync(chosen.folder) ? chosen.folder : undefined;
}

/** What stands in the pointer file. */
export interface Pointer {
  readonly pid: number;
  readonly start: string;
  readonly socket: string;
  /** Loopback port of MCP. */
  readonly port: number;
  readonly build: string;
  readonly protocol: number;
  /** UTC ms. */
  readonly started_at: number;
}
