import path from 'node:path';
import type { IncarnationRow } from '../ledger/index.ts';
import type { AgentHandle } from '../providers/index.ts';

/** What finds a life again; undefined until its process has told enough. */
export function handleOf(row: Pick<IncarnationRow, 'handle'>): AgentHandle | undefined {
  return row.handle ? (JSON.parse(row.handle) as AgentHandle) : undefined;
}

/** The 0700 folder of one life below `.team/run/`: its token, its exit code, its settings. It ends with it. */
export function lifeFolder(places: { readonly runFolder: string }, incarnation: string): string {
  return path.join(places.runFolder, 'agents', incarnation);
}

/** The 0700 folder of one agent below `.team/run/`, for what its CLI keeps from life to life. It is made when it is needed. */
export function agentFolder(places: { readonly runFolder: string }, team: string, agent: string): string {
  return path.join(places.runFolder, 'homes', team, agent);
}

/** The mark on the pane that shows a life whose own pane shows nothing. */
export function viewOf(incarnation: string): string {
  return `${incarnation}-view`;
}
