import { McpServer } from '@modelcontextprotocol/server';
import {
  type AgentCaller,
  briefStatus,
  firstCallOf,
  hello,
  type LeaderCaller,
  type Runtime,
  readInbox,
  readMessage,
  reportResult,
  requestHuman,
  runVerb,
  type Seat,
  selectTeam,
  sendMessage,
  statusView,
  updateState,
  waitForResult,
} from '../coordinator/index.ts';
import { isRefusal, LEADER, packageVersion, type Refusal, refuse } from '../kernel/index.ts';
import { callKey } from './call-key.ts';
import { INPUTS, WAIT } from './inputs.ts';
import { MEMBER_TOOLS } from './member-tools.ts';

/** Our own tools change nothing outside the team's mail: no CLI needs to ask a person before it calls one. */
const HARMLESS = { readOnlyHint: false, destructiveHint: false, openWorldHint: false, idempotentHint: true } as const;
const READING = { ...HARMLESS, readOnlyHint: true } as const;

/** Tools that only a leader has. */
const [ASSIGN_TASK, WAIT_RESULT] = ['assign_task', 'wait_result'] as const;
export const LEADER_TOOLS: readonly string[] = [ASSIGN_TASK, WAIT_RESULT, ...Object.keys(MEMBER_TOOLS)];

const version = packageVersion();

interface CallContext {
  readonly mcpReq: { readonly _meta?: Readonly<Record<string, unknown>> | undefined; readonly signal: AbortSignal };
}

/** The tools of one caller, for one request: sender and team come from its token, never from its arguments. */
export function teamTools(runtime: Runtime, caller: AgentCaller | LeaderCaller): McpServer {
  const server = new McpServer({ name: 'team', version }, { capabilities: { tools: { listChanged: false } } });
  sharedTools(server, runtime, caller);
  if (caller.kind === 'agent') workerTools(server, runtime, caller);
  else {
    leaderTools(server, runtime, caller);
    waitTool(server, runtime, caller);
    memberTools(server, runtime, caller);
  }
  return server;
}

/** What an agent and a leader both have. */
function sharedTools(server: McpServer, runtime: Runtime, caller: AgentCaller | LeaderCaller): void {
  const seated = async (work: (seat: Seat) => object | Promise<object>) => {
    const seat = await seatOf(runtime, caller);
    return toolAnswer(isRefusal(seat) ? seat : await work(seat));
  };
  server.registerTool(
    'send_message',
    {
      description:
        'Send a message to a teammate, to several, to "leader", or to "*". It is stored at once; delivery is proved later.',
      inputSchema: INPUTS.send_message,
      annotations: HARMLESS,
    },
    (args, context) =>
      seated(() => sendMessage(runtime, caller, keyOf(runtime, caller, context, 'send_message', args), args)),
  );
  server.registerTool(
    'read_message',
    {
      description: 'Read one message to you, or from you, in full. A long one comes in parts: ask for each.',
      inputSchema: INPUTS.read_message,
      annotations: READING,
    },
    (what) => seated((seat) => readMessage(runtime, seat, what)),
  );
  server.registerTool(
    'inbox',
    {
      description:
        'List the 20 newest messages to you, newest last; with since, a sequence number, the 20 that follow it. Long ones are cut: read_message has all of them.',
      inputSchema: INPUTS.inbox,
      annotations: READING,
    },
    ({ since }) => seated((seat) => inTeam(runtime, seat, (_, team) => readInbox(runtime, seat, team, since))),
  );
  server.registerTool(
    'get_team_status',
    {
      description: 'Who is in the team, what each one does, what waits.',
      inputSchema: INPUTS.get_team_status,
      annotations: READING,
    },
    () =>
      seated((seat) =>
        inTeam(runtime, seat, async (db, team) => {
          const { clock, workspace } = runtime.effects;
          return briefStatus(db, await statusView(db, runtime, team, clock, workspace, { status: 'running' }));
        }),
      ),
  );
  server.registerTool(
    'update_state',
    {
      description: 'Put a short note about the state of your work on record. Nobody is woken.',
      inputSchema: INPUTS.update_state,
      annotations: HARMLESS,
    },
    (args, context) =>
      seated((seat) => updateState(runtime, seat, keyOf(runtime, caller, context, 'update_state', args), args)),
  );
  server.registerTool(
    'hello',
    { description: 'Who am I, and who are my teammates?', inputSchema: INPUTS.hello, annotations: READING },
    () => seated((seat) => hello(runtime, seat)),
  );
}

function workerTools(server: McpServer, runtime: Runtime, caller: AgentCaller): void {
  server.registerTool(
    'report_result',
    {
      description:
        'Report the result of what you were asked to do, once, when it is done or cannot be done. The leader is told.',
      inputSchema: INPUTS.report_result,
      annotations: HARMLESS,
    },
    async (args, context) =>
      toolAnswer(await reportResult(runtime, caller, keyOf(runtime, caller, context, 'report_result', args), args)),
  );
  server.registerTool(
    'request_human',
    {
      description: 'Ask a person something that no agent can decide.',
      inputSchema: INPUTS.request_human,
      annotations: HARMLESS,
    },
    async (args, context) =>
      toolAnswer(await requestHuman(runtime, caller, keyOf(runtime, caller, context, 'request_human', args), args)),
  );
}

function leaderTools(server: McpServer, runtime: Runtime, caller: LeaderCaller): void {
  server.registerTool(
    ASSIGN_TASK,
    {
      description:
        'Give a task to an agent. Its result reaches you here, as a message; go on meanwhile, or end your turn.',
      inputSchema: INPUTS.assign_task,
      annotations: HARMLESS,
    },
    async (args, context) => {
      const seat = await seatOf(runtime, caller);
      if (isRefusal(seat)) return toolAnswer(seat);
      const key = keyOf(runtime, caller, context, ASSIGN_TASK, args);
      return toolAnswer(await sendMessage(runtime, caller, key, { ...args, expects: 'result' }));
    },
  );
}

function waitTool(server: McpServer, runtime: Runtime, caller: LeaderCaller): void {
  server.registerTool(
    WAIT_RESULT,
    {
      description:
        'Wait for the result of a task, of an agent, or of what answers a message. Results reach you as messages anyway: call this only when you can do nothing else meanwhile.',
      inputSchema: INPUTS.wait_result,
      annotations: READING,
    },
    async ({ message_id, timeout_s = WAIT.usual, ...what }, context) => {
      const seat = await seatOf(runtime, caller);
      if (isRefusal(seat)) return toolAnswer(seat);
      const wanted = { ...what, message: message_id, team: seat.team, timeout_s };
      return toolAnswer(await waitForResult(runtime, caller, wanted, context.mcpReq.signal));
    },
  );
}

function memberTools(server: McpServer, runtime: Runtime, caller: LeaderCaller): void {
  for (const [name, { verb, description, inputSchema, argumentsOf }] of Object.entries(MEMBER_TOOLS)) {
    server.registerTool(name, { description, inputSchema, annotations: HARMLESS }, async (input, context) => {
      const seat = await seatOf(runtime, caller);
      if (isRefusal(seat)) return toolAnswer(seat);
      const args = { ...argumentsOf(input, runtime.effects.workspace), team: seat.team };
      return toolAnswer(await runVerb({ runtime, caller, gone: context.mcpReq.signal }, verb, args));
    });
  }
}

/** A leader's place: in the one team that it leads, or in the one of these that runs. */
async function seatOf(runtime: Runtime, caller: AgentCaller | LeaderCaller): Promise<Seat | Refusal> {
  if (caller.kind === 'agent') return caller;
  if (caller.teams.length === 0) {
    return refuse('not_a_team', 'You lead no team yet: start one with the command team-agent in your shell.', {
      next: ['team-agent quick-start DIR'],
    });
  }
  const team = await selectTeam(runtime.effects.ledger.db, undefined, caller.teams);
  if (!isRefusal(team)) return { team: team.team as Seat['team'], agent: LEADER, incarnation: caller.incarnation };
  if (team.reason !== 'team_ambiguous') return team;
  return { ...team, message: 'You lead several teams: use the command team-agent with --team in your shell.' };
}

function keyOf(
  runtime: Runtime,
  caller: AgentCaller | LeaderCaller,
  context: CallContext,
  tool: string,
  args: unknown,
): string {
  const first = caller.kind === 'agent' ? firstCallOf(runtime, caller, { tool, arguments: args }) : undefined;
  if (first !== undefined) return first;
  const turn = caller.kind === 'agent' ? runtime.member(caller.team, caller.agent)?.turn() : undefined;
  return callKey(context.mcpReq._meta, {
    tool,
    arguments: args,
    turn: turn?.state === 'working' ? turn.since : undefined,
  });
}

async function inTeam(
  runtime: Runtime,
  seat: Seat,
  view: (
    db: Runtime['effects']['ledger']['db'],
    team: Exclude<Awaited<ReturnType<typeof selectTeam>>, { ok: false }>,
  ) => Promise<object>,
): Promise<object> {
  const { db } = runtime.effects.ledger;
  const team = await selectTeam(db, seat.team);
  return isRefusal(team) ? team : view(db, team);
}

/** A tool's answer: one JSON text. A refusal is an error that says what to do. */
export function toolAnswer(payload: object) {
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(payload) }],
    ...(isRefusal(payload) ? { isError: true } : {}),
  };
}
