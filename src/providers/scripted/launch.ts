import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  agentWrapper,
  isRefusal,
  programArgv,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
} from '../../kernel/index.ts';
import { continuingDetails, isContinued, recordHolds, resumeFailed } from '../continuing.ts';
import type { Continuation, Introduction, LaunchPlan, LaunchRequest, Resumable, Started } from '../shape.ts';
import { socketOf } from '../socket.ts';
import type { Script } from './program/script.ts';
import { parseScript } from './program/script-file.ts';
import { parseRecordLine } from './record.ts';

/** What would be started for a scripted agent. Its script is read here, so that a fault in it is known before a pane opens. */
export function plan(request: LaunchRequest): LaunchPlan | Refusal {
  const script = request.script === undefined ? undefined : readScript(request.agent, request.script);
  if (script && 'reason' in script) return script;
  const socket = script?.channel === 'paste' ? undefined : socketOf(request.agent, request);
  if (isRefusal(socket)) return socket;
  const inRun = (name: string): string => path.join(request.runFolder, name);
  return {
    argv: [agentWrapper, inRun('token'), inRun('exit'), ...programArgv('scripted')],
    environment: {
      ...request.environment,
      TEAM_AGENT_ID: request.agent,
      TEAM_AGENT_SESSION: request.session,
      TEAM_AGENT_WORKSPACE: request.workspace,
      TEAM_AGENT_RECORD: recordOf(request),
      ...continuing(request),
      TEAM_AGENT_MCP_URL: request.mcpUrl,
      ...(socket === undefined ? {} : { TEAM_AGENT_SOCKET: socket }),
      ...(request.script === undefined ? {} : { TEAM_AGENT_SCRIPT: request.script }),
    },
    files: [],
    ...(socket === undefined ? {} : { socket }),
  };
}

/** A record with a life in it. */
export function resumable(continuation: Continuation): Resumable {
  return recordHolds(continuation, (line) => parseRecordLine(line)?.type === 'session');
}

function continuing({ continues }: LaunchRequest): Readonly<Record<string, string>> {
  if (!continues) return {};
  return { [continues.how === 'resume' ? 'TEAM_AGENT_RESUMES' : 'TEAM_AGENT_FORKS']: continues.session };
}

/** Everything about it was known beforehand; that it goes on with an earlier session its record has to say. */
export async function introduce({ request, signal }: Started): Promise<Introduction | Refusal> {
  const { session, continues } = request;
  const record = recordOf(request);
  const details = continuingDetails(request, Date.now());
  if (!continues) return { session, record, details };
  const began = await beginning(record, request.incarnation, signal);
  const isAsked = began && (continues.how === 'resume' ? began.resumed : began.forked_from === continues.session);
  if (isAsked && isContinued(continues, { session, record })) return { session, record, details };
  const what = began ? `its record says otherwise: ${JSON.stringify(began)}` : `it wrote nothing into ${record}`;
  return resumeFailed(request, { what, told: began ?? {}, next: `ls -l ${shellWord(continues.record)}` });
}

/** Between two looks at the record of an agent that is about to write its first line, ms. */
const LOOK = 15;

/** The line with which this life begins; undefined when it does not come in time. */
async function beginning(record: string, incarnation: string, signal: AbortSignal) {
  for (; !signal.aborted; await pause(LOOK)) {
    for (const line of (readIfThere(record) ?? '').split('\n').reverse()) {
      const parsed = parseRecordLine(line);
      if (parsed?.type === 'session' && parsed.incarnation === incarnation) return parsed;
    }
  }
  return undefined;
}

/** It belongs to the session, and outlives the incarnation. */
function recordOf({ workspace, session }: LaunchRequest): string {
  return path.join(workspace, '.team', 'run', 'records', `${session}.jsonl`);
}

function readScript(agent: string, file: string): Script | Refusal {
  const source = path.isAbsolute(file) && isFile(file) ? readIfThere(file) : undefined;
  if (source === undefined) {
    return refuse('team_document_invalid', `The script of ${agent} is not there: ${file}`, {
      evidence: { file, agent },
      next: [`ls -l ${file}`],
    });
  }
  const parsed = parseScript(file, source);
  if (parsed.ok) return parsed.script;
  const [first] = parsed.faults;
  const where = first ? `${first.file}:${first.line}: ${first.key ? `${first.key}: ` : ''}${first.message}` : file;
  return refuse('team_document_invalid', `The script of ${agent} cannot be played: ${where}`, {
    evidence: { file, line: first?.line, key: first?.key, faults: parsed.faults },
    next: [`sed -n ${first?.line ?? 1}p ${file}`],
  });
}

function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}
