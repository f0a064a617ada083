import path from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { given } from '../fields.ts';
import type { roleFields, teamFields } from '../schema.ts';
import type { AgentSpec, Team, TeamFile } from '../shape.ts';
import { workOf } from './work.ts';

/** What a role document calls the script that lies beside it. */
export function scriptBeside(agent: AgentSpec): string | undefined {
  return agent.script === undefined ? undefined : `${agent.id}${path.extname(agent.script) || '.yaml'}`;
}

/**
 * The documents that say what a team is: TEAM.md, and a role document for each agent, which expects its script beside it.
 * Pure. A team that was started from a spec is kept like this, so that every team can be changed and grow in one way.
 */
export function documentsOf(team: Team): TeamFile[] {
  return [
    { path: 'TEAM.md', text: documentText(headOf(team), '') },
    ...team.agents.map((agent, index) => ({
      path: `agents/${prefixOf(team, index)}${agent.id}.md`,
      text: documentText(roleOf(agent, team.workspace), agent.prompt),
    })),
  ];
}

/**
 * Agents of documents stand in the order of their file names, those of startup_order first. Where that is another order than
 * the team's, names begin with a number.
 */
function prefixOf({ agents, startupOrder }: Team, index: number): string {
  const ids = agents.map(({ id }) => id);
  const others = ids.slice(startupOrder.length);
  if (others.join() === others.toSorted((one, other) => (`${one}.md` < `${other}.md` ? -1 : 1)).join()) return '';
  return `${String(index + 1).padStart(String(agents.length).length, '0')}-`;
}

function documentText(head: object, body: string): string {
  const fields = stringify(head, { version: '1.2', lineWidth: 0 });
  return `---\n${fields}---\n${body === '' ? '' : `\n${body}\n`}`;
}

/** What a field left out means anyway is left out: people read these. */
function headOf(team: Team): z.input<typeof teamFields> {
  const { tasks, routing } = workOf(team);
  return {
    name: team.name,
    objective: team.objective,
    provider: team.leaderProvider,
    leader_role: team.leaderRole,
    session_name: team.sessionName,
    notify: team.notify,
    approvals: team.approvals,
    worker_to_worker: team.workerToWorker,
    peer_mirror: team.peerMirror,
    startup_order: [...team.startupOrder],
    ...given({
      leader_model: team.leaderModel ?? undefined,
      max_active_agents: team.maxActive ?? undefined,
      peer_limits: Object.keys(team.peerLimits).length > 0 ? { ...team.peerLimits } : undefined,
      tasks: team.tasks.length > 0 ? tasks : undefined,
      routing: routing.rules.length > 0 || routing.default_assignee !== undefined ? routing : undefined,
    }),
    ...(team.fast ? { fast: true } : {}),
    ...(team.autoTrust ? { auto_trust_own_workspace: true } : {}),
    ...team.kept,
  };
}

function roleOf(agent: AgentSpec, workspace: string): z.input<typeof roleFields> {
  return {
    name: agent.id,
    role: agent.role,
    provider: agent.provider,
    tools: [...agent.tools],
    working_directory: path.relative(workspace, agent.folder) || '.',
    mcp: agent.mcp,
    permission_mode: agent.permission,
    ...given({
      model: agent.model ?? undefined,
      script: scriptBeside(agent),
      env: agent.env.length > 0 ? [...agent.env] : undefined,
      paused: agent.paused || undefined,
      auth_mode: agent.profile?.mode,
      profile: agent.profile?.name,
    }),
  };
}
