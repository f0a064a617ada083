import fs from 'node:fs';
import path from 'node:path';
import { type Refusal, refuse } from '../kernel/reasons.ts';
import type { Context } from './context.ts';

type Place = Pick<Context, 'globals' | 'environment' | 'cwd'>;

/**
 * The real path of the workspace: `TEAM_AGENT_WORKSPACE`, then `--workspace`, then the nearest ancestor with `.team/`,
 * else the current folder. Inside an agent, `--workspace` may look at another workspace but not change it.
 */
export function findWorkspace(at: Place, kind: 'read' | 'change'): string | Refusal {
  const given = at.environment.TEAM_AGENT_WORKSPACE;
  const own = given ? realFolder(given, at.cwd, 'TEAM_AGENT_WORKSPACE') : undefined;
  const named =
    at.globals.workspace === undefined ? undefined : realFolder(at.globals.workspace, at.cwd, '--workspace');
  if (typeof own === 'object') return own;
  if (typeof named === 'object') return named;
  const inside = Boolean(at.environment.TEAM_AGENT_ID);
  if (own !== undefined && named !== undefined && named !== own && inside) {
    return kind === 'read' ? named : elsewhere(own, named);
  }
  return own ?? named ?? nearestTeam(at.cwd);
}

function elsewhere(own: string, named: string): Refusal {
  return refuse('workspace_mismatch', `An agent of ${own} may not change ${named}.`, {
    evidence: { own, named },
    next: ['team-agent status'],
  });
}

function realFolder(folder: string, cwd: string, where: string): string | Refusal {
  const absolute = path.resolve(cwd, folder);
  if (fs.statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return fs.realpathSync(absolute);
  return refuse('not_a_team', `${where} names ${absolute}, which is not a folder.`, {
    evidence: { folder: absolute },
    next: ['team-agent --help'],
  });
}

function nearestTeam(cwd: string): string {
  const start = fs.realpathSync(cwd);
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (fs.statSync(path.join(folder, '.team'), { throwIfNoEntry: false })?.isDirectory()) return folder;
    if (folder === path.dirname(folder)) return start;
  }
}

/** Did a team ever run here? Nothing is created to find out. */
export function needsTeam(workspace: string): Refusal | undefined {
  if (fs.existsSync(path.join(workspace, '.team', 'team.db'))) return undefined;
  return refuse('not_a_team', `No team was ever started in ${workspace}.`, {
    evidence: { workspace },
    next: ['team-agent demo', 'team-agent quick-start DIR'],
  });
}
