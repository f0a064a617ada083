import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Entry } from './conversation.ts';
import { type Dialect, ModelServer, type Reading, type Reply } from './model-server.ts';
import type { Wire } from './wire.ts';

const Item = z.looseObject({
  type: z.string().default('message'),
  role: z.string().optional(),
  name: z.string().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish(),
  output: z.unknown().optional(),
});

const Tool = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
});

/** The part of a Responses request that a script needs. */
const Body = z.looseObject({
  model: z.string(),
  instructions: z.string().nullish(),
  stream: z.boolean().optional(),
  input: z.array(Item),
  tools: z.array(Tool).optional(),
  text: z.looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).nullish() }).nullish(),
});

const COMPACTION = /CONTEXT CHECKPOINT COMPACTION|create a handoff summary/i;

/** A scripted OpenAI Responses API: what Codex talks to. */
export class OpenAiModel extends ModelServer {
  static start(): Promise<OpenAiModel> {
    return new OpenAiModel(dialect).listen();
  }
}

const dialect: Dialect = {
  read(path, content, headers) {
    if (path !== '/v1/responses' && path !== '/v1/responses/compact') return undefined;
    const body = Body.parse(content);
    const schema = body.text?.format?.schema;
    const history = body.input.flatMap(entriesOf);
    return {
      purpose: purposeOf(history, schema),
      model: body.model,
      session: String(headers['thread-id'] ?? headers['session-id'] ?? ''),
      system: [body.instructions ?? '', ...body.input.flatMap(instructionsOf)].join('\n'),
      tools: (body.tools ?? []).flatMap(toolNames),
      history,
      schema,
      streams: true,
    };
  },
  aside: (method, path) =>
    method === 'GET' && path === '/v1/models' ? { object: 'list', data: [], models: [] } : undefined,
  failure: (status) => ({
    error: {
      message: `scripted ${status}`,
      type: status === 400 ? 'invalid_request_error' : 'scripted',
      code: status === 429 ? 'rate_limit_exceeded' : 'server_error',
    },
  }),
  answer,
};

function purposeOf(history: readonly Entry[], schema: unknown): Reading['purpose'] {
  if (schema !== undefined) return 'own';
  const newest = history.findLast(({ kind }) => kind === 'user');
  return newest && COMPACTION.test(newest.text) ? 'compaction' : 'turn';
}

type Item = z.infer<typeof Item>;

function textsOf({ content }: Item): string[] {
  return typeof content === 'string' ? [content] : (content ?? []).flatMap(({ text }) => text ?? []);
}

/** Instructions come as entries of the developer too. */
const instructionsOf = (item: Item): string[] =>
  item.role === 'developer' || item.role === 'system' ? textsOf(item) : [];

function entriesOf(item: Item): Entry[] {
  if (item.type === 'message' && item.role === 'user') return textsOf(item).map((text) => ({ kind: 'user', text }));
  if (item.type === 'message' && item.role === 'assistant') return [{ kind: 'answer', text: textsOf(item).join('\n') }];
  if (item.type.endsWith('_call_output')) {
    const { output } = item;
    return [{ kind: 'result', text: typeof output === 'string' ? output : JSON.stringify(output ?? '') }];
  }
  return item.type.endsWith('_call') ? [{ kind: 'call', text: item.name ?? item.type }] : [];
}

function toolNames({ type, name = type, tools }: z.infer<typeof Tool>): string[] {
  return type === 'namespace' ? (tools ?? []).map((tool) => `${name.replace(/_+$/, '')}__${tool.name}`) : [name];
}

const id = (kind: string): string => `${kind}_${randomUUID().replaceAll('-', '').slice(0, 16)}`;

async function answer(reply: Reply, request: Reading, wire: Wire): Promise<void> {
  let sequence = 0;
  const event = (type: string, data: Record<string, unknown>) => {
    wire.event(type, { sequence_number: sequence, ...data });
    sequence += 1;
  };
  const response = {
    id: id('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: request.model,
  };
  event('response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } });
  const item = reply.kind === 'say' ? await speak(reply.text, event, wire) : await call(reply.act, event, wire);
  event('response.output_item.done', { output_index: 0, item });
  const usage = {
    input_tokens: 1000,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1020,
  };
  event('response.completed', { response: { ...response, status: 'completed', output: [item], usage } });
}

async function speak(text: string, event: Wire['event'], wire: Wire) {
  const message = { type: 'message', id: id('msg'), role: 'assistant' };
  const part = { item_id: message.id, output_index: 0, content_index: 0 };
  event('response.output_item.added', { output_index: 0, item: { ...message, status: 'in_progress', content: [] } });
  event('response.content_part.added', { ...part, part: { type: 'output_text', text: '' } });
  await wire.words(text, (delta) => event('response.output_text.delta', { ...part, delta }));
  event('response.output_text.done', { ...part, text });
  return { ...message, status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] };
}

async function call(act: Extract<Reply, { kind: 'call' }>['act'], event: Wire['event'], wire: Wire) {
  const { name, input, namespace } = functionOf(act);
  const item = {
    type: 'function_call',
    id: id('fc'),
    call_id: id('call'),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    arguments: JSON.stringify(input),
    status: 'completed',
  };
  event('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', arguments: '' } });
  const part = { item_id: item.id, output_index: 0 };
  await wire.words(item.arguments, (delta) => event('response.function_call_arguments.delta', { ...part, delta }));
  return item;
}

function functionOf(act: Extract<Reply, { kind: 'call' }>['act']) {
  const shell = (input: Record<string, unknown>) => ({ name: 'exec_command', input, namespace: undefined });
  switch (act.kind) {
    case 'team':
      return { name: act.name, input: act.input, namespace: 'mcp__team' };
    case 'tool':
      return { name: act.name, input: act.input, namespace: undefined };
    case 'shell':
    case 'background':
      return shell({ cmd: act.command });
    case 'escalate':
      return shell({
        cmd: act.command,
        sandbox_permissions: 'require_escalated',
        justification: 'a step of the script',
      });
    default:
      return act satisfies never;
  }
}
