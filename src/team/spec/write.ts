import path from 'node:path';
import { stringify } from 'yaml';
import { given } from '../fields.ts';
import type { AgentSpec, Team } from '../shape.ts';
import type { Spec } from './schema.ts';
import { workOf } from './work.ts';

/** The name that a spec has unless somebody gives it another. */
export const SPEC_FILE = 'team.spec.yaml';

/**
 * The spec of a team: everything that its documents say, in one file that will lie in `folder` (absolute). Pure. `readSpec`
 * makes the same team of it, but for where its documents are. What lies in the workspace is named by relative paths when the
 * spec lies there too.
 */
export function specOf(team: Team, folder: string): Spec {
  const { workspace } = team;
  return {
    version: 1,
    team: {
      name: team.name,
      mode: 'supervisor_worker',
      objective: team.objective,
      workspace: pathFrom(folder, workspace, workspace),
    },
    leader: { id: 'leader', role: team.leaderRole, provider: team.leaderProvider, model: team.leaderModel },
    agents: team.agents.map((agent) => agentIn(agent, folder, workspace)),
    communication: {
      protocol: 'mcp_inbox',
      topology: 'leader_centered',
      worker_to_worker: team.workerToWorker,
      peer_mirror: team.peerMirror,
      peer_limits: { ...team.peerLimits },
      result_format: 'result_envelope_v1',
    },
    runtime: {
      backend: 'tmux',
      session_name: team.sessionName,
      notify: team.notify,
      approvals: team.approvals,
      startup_order: [...team.startupOrder],
      ...given({ max_active_agents: team.maxActive ?? undefined }),
      ...(team.fast ? { fast: true } : {}),
      ...(team.autoTrust ? { auto_trust_own_workspace: true } : {}),
      ...team.kept,
    },
    ...workOf(team),
  };
}

/** A spec as YAML 1.2 that other parsers read alike. It holds no date: the same team is the same text. */
export function specText(spec: Spec): string {
  return stringify(spec, { version: '1.2', compat: 'yaml-1.1', lineWidth: 0 });
}

function agentIn(agent: AgentSpec, folder: string, workspace: string): Spec['agents'][number] {
  return {
    id: agent.id,
    role: agent.role,
    provider: agent.provider,
    model: agent.model,
    working_directory: pathFrom(workspace, agent.folder, workspace),
    system_prompt: { inline: agent.prompt, file: null },
    tools: [...agent.tools],
    ...(agent.script === undefined ? {} : { script: pathFrom(folder, agent.script, workspace) }),
    env: [...agent.env],
    mcp: agent.mcp,
    permission_mode: agent.permission,
    paused: agent.paused,
    ...(agent.profile === undefined ? {} : { auth_mode: agent.profile.mode, profile: agent.profile.name }),
    output_contract: { format: 'result_envelope_v1' },
  };
}

/** How `target` is written in a file of `folder`. */
function pathFrom(folder: string, target: string, workspace: string): string {
  const near = isIn(workspace, folder) && isIn(workspace, target);
  return near ? path.relative(folder, target) || '.' : target;
}

function isIn(folder: string, place: string): boolean {
  const way = path.relative(folder, place);
  return way === '' || (way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way));
}
