import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { socketFolder } from '../../kernel/files.ts';
import { packageFolder } from '../../kernel/installation.ts';
import { identifyProcess, signalProcess } from '../../kernel/processes.ts';
import { isRefusal } from '../../kernel/reasons.ts';
import { callIn } from '../calling.ts';
import { hasEnded } from '../commands/team/shutdown.ts';
import { processesNaming } from './processes.ts';

/** The demo's own workspace: temporary, and nobody else's. */
export interface Stage {
  readonly workspace: string;
  /** Where the team's documents lie. */
  readonly documents: string;
}

export const TEAM = 'survey';

/**
 * A temporary workspace with the documents of the demo team, whose agents work in `folder`. With `fast` their scripts do not
 * pause.
 */
export function prepareStage(folder: string, fast: boolean): Stage {
  const workspace = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'team-agent-demo-')));
  const documents = path.join(workspace, '.team', TEAM);
  fs.cpSync(path.join(packageFolder, 'demo', TEAM), documents, { recursive: true });
  for (const name of fs.readdirSync(path.join(documents, 'agents'))) {
    const file = path.join(documents, 'agents', name);
    const text = fs.readFileSync(file, 'utf8');
    const placed = text.replace(/^working_directory: .*$/m, () => `working_directory: ${JSON.stringify(folder)}`);
    fs.writeFileSync(file, fast ? placed.replaceAll(/\bwait: \d+/g, 'wait: 0') : placed);
  }
  return { workspace, documents };
}

export interface Left {
  readonly agents: number;
  readonly processes: number;
  /** Processes that had to be ended by force: a fault of ours. */
  readonly forced: number;
  readonly workspace: 'removed' | 'kept';
}

/** What is awaited, ms, until processes that were told to end have ended. */
const ENDING = 5_000;

/** Ends the team and the coordinator, removes the workspace and its sockets, and counts what is still there. */
export async function clearStage({ workspace }: Stage): Promise<Left> {
  const agents = await shutDown(workspace);
  const forced = await endForGood(workspace);
  fs.rmSync(socketFolder(workspace), { recursive: true, force: true });
  fs.rmSync(workspace, { recursive: true, force: true, maxRetries: 3 });
  const processes = (await processesNaming(namesOf(workspace))).length;
  return { agents, processes, forced, workspace: fs.existsSync(workspace) ? 'kept' : 'removed' };
}

/** Returns how many agents did not end. */
async function shutDown(workspace: string): Promise<number> {
  if (!fs.existsSync(path.join(workspace, '.team', 'team.db'))) return 0;
  const answer = await callIn(workspace, 'shutdown', { team: TEAM });
  if (!isRefusal(answer)) {
    if (answer.coordinator.status === 'running') await callIn(workspace, 'coordinator-stop', {});
    if (answer.coordinator.status !== 'absent') await hasEnded(answer.coordinator.pid, ENDING);
    return answer.agents.filter((agent) => agent.ended === false).length;
  }
  const stopped = await callIn(workspace, 'coordinator-stop', {});
  if (!isRefusal(stopped)) await hasEnded(stopped.pid, ENDING);
  return 0;
}

/** Processes that carry this workspace's name are ours; one that outlives the deadline is killed and counted. */
async function endForGood(workspace: string): Promise<number> {
  const end = performance.now() + ENDING;
  for (;;) {
    const left = await processesNaming(namesOf(workspace));
    if (left.length === 0) return 0;
    if (performance.now() > end) {
      const killed = left.filter((pid) => {
        const identity = identifyProcess(pid);
        return identity !== undefined && signalProcess(identity, 'SIGKILL');
      });
      for (const pid of killed) await hasEnded(pid, 1_000);
      return killed.length;
    }
    await pause(25);
  }
}

function namesOf(workspace: string): string[] {
  return [workspace, socketFolder(workspace)];
}
