import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import {
  type AgentCaller,
  hello,
  inboxView,
  type Runtime,
  readMessage,
  reportResult,
  requestHuman,
  selectTeam,
  sendMessage,
  sendMessageInput,
  statusView,
  updateState,
} from '../coordinator/index.ts';
import { isRefusal, packageVersion } from '../kernel/index.ts';
import { callKey } from './call-key.ts';

/** Our own tools change nothing outside the team's mail: no CLI needs to ask a person before it calls one. */
const HARMLESS = { readOnlyHint: false, destructiveHint: false, openWorldHint: false, idempotentHint: true } as const;
const READING = { ...HARMLESS, readOnlyHint: true } as const;

const version = packageVersion();

interface CallContext {
  readonly mcpReq: { readonly _meta?: Readonly<Record<string, unknown>> | undefined };
}

/** The tools of one worker, for one request: sender and team come from its token, never from its arguments. */
export function workerTools(runtime: Runtime, caller: AgentCaller): McpServer {
  const server = new McpServer({ name: 'team', version }, { capabilities: { tools: { listChanged: false } } });
  const keyOf = (context: CallContext, tool: string, args: unknown): string => {
    const turn = runtime.member(caller.team, caller.agent)?.turn();
    return callKey(context.mcpReq._meta, {
      tool,
      arguments: args,
      turn: turn?.state === 'working' ? turn.since : undefined,
    });
  };

  server.registerTool(
    'send_message',
    {
      description:
        'Send a message to a teammate, to several, to "leader", or to "*". It is stored at once; delivery is proved later.',
      inputSchema: sendMessageInput,
      annotations: HARMLESS,
    },
    async (args, context) => answer(await sendMessage(runtime, caller, keyOf(context, 'send_message', args), args)),
  );
  server.registerTool(
    'report_result',
    {
      description:
        'Report the result of what you were asked to do, once, when it is done or cannot be done. The leader is told.',
      inputSchema: reportInput,
      annotations: HARMLESS,
    },
    async (args, context) => answer(await reportResult(runtime, caller, keyOf(context, 'report_result', args), args)),
  );
  server.registerTool(
    'read_message',
    {
      description: 'Read one message to you, or from you, in full.',
      inputSchema: z.object({ message_id: z.string() }),
      annotations: READING,
    },
    async ({ message_id }) => answer(await readMessage(runtime, caller, message_id)),
  );
  server.registerTool(
    'inbox',
    {
      description: 'List the messages to you, newest last. since: a sequence number.',
      inputSchema: z.object({ since: z.number().int().optional() }),
      annotations: READING,
    },
    async ({ since }) =>
      answer(await inTeam(runtime, caller, (db, team) => inboxView(db, runtime, team, { agent: caller.agent, since }))),
  );
  server.registerTool(
    'get_team_status',
    {
      description: 'Who is in the team, what each one does, what waits.',
      inputSchema: z.object({}),
      annotations: READING,
    },
    async () =>
      answer(
        await inTeam(runtime, caller, (db, team) =>
          statusView(db, runtime, team, runtime.effects.clock, runtime.effects.workspace, { status: 'running' }),
        ),
      ),
  );
  server.registerTool(
    'request_human',
    {
      description: 'Ask a person something that no agent can decide.',
      inputSchema: z.object({ question: z.string().min(1) }),
      annotations: HARMLESS,
    },
    async ({ question }, context) =>
      answer(await requestHuman(runtime, caller, keyOf(context, 'request_human', question), question)),
  );
  server.registerTool(
    'update_state',
    {
      description: 'Put a short note about the state of your work on record. Nobody is woken.',
      inputSchema: z.object({ note: z.string().min(1) }),
      annotations: HARMLESS,
    },
    async ({ note }, context) => answer(await updateState(runtime, caller, keyOf(context, 'update_state', note), note)),
  );
  server.registerTool(
    'hello',
    { description: 'Who am I, and who are my teammates?', inputSchema: z.object({}), annotations: READING },
    async () => answer(hello(runtime, caller)),
  );
  return server;
}

/** What models are told; what they send instead is taken in as far as it can be understood. */
const reportInput = z.looseObject({
  summary: z.string().optional().describe('What was done or found, in a few sentences'),
  status: z.string().optional().describe('success, partial, blocked or failed'),
  task: z.string().optional().describe('Which task, when several are open'),
  changes: z.unknown().optional(),
  tests: z.unknown().optional(),
  risks: z.unknown().optional(),
  artifacts: z.unknown().optional(),
  next_actions: z.unknown().optional(),
});

async function inTeam(
  runtime: Runtime,
  caller: AgentCaller,
  view: (
    db: Runtime['effects']['ledger']['db'],
    team: Exclude<Awaited<ReturnType<typeof selectTeam>>, { ok: false }>,
  ) => Promise<object>,
): Promise<object> {
  const { db } = runtime.effects.ledger;
  const team = await selectTeam(db, caller.team);
  return isRefusal(team) ? team : view(db, team);
}

/** A tool's answer: one JSON text. A refusal is an error that says what to do. */
function answer(payload: object) {
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(payload) }],
    ...(isRefusal(payload) ? { isError: true } : {}),
  };
}
