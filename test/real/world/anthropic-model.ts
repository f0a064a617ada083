import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Entry } from './conversation.ts';
import { type Dialect, ModelServer, type Reading, type Reply } from './model-server.ts';
import type { Wire } from './wire.ts';

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  name: z.string().optional(),
  content: z.unknown().optional(),
});
const Blocks = z.union([
  z.string().transform((text) => [{ type: 'text', text, name: undefined, content: undefined }]),
  z.array(Block),
]);
const Message = z.looseObject({ role: z.string(), content: Blocks });

/** The part of a Messages request that a script needs. */
const Body = z.looseObject({
  model: z.string(),
  max_tokens: z.number().optional(),
  stream: z.boolean().optional(),
  system: Blocks.optional(),
  messages: z.array(Message),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  metadata: z.looseObject({ user_id: z.string() }).optional(),
  output_config: z.looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).optional() }).optional(),
  output_format: z.looseObject({ schema: z.unknown().optional() }).optional(),
});
type Body = z.infer<typeof Body>;

const COMPACTION = /Your task is to create a detailed summary/;

/** A scripted Anthropic Messages API: what Claude Code talks to. */
export class AnthropicModel extends ModelServer {
  static start(): Promise<AnthropicModel> {
    return new AnthropicModel(dialect).listen();
  }
}

const dialect: Dialect = {
  read(path, content, headers) {
    if (path !== '/v1/messages') return undefined;
    const body = Body.parse(content);
    const schema = body.output_config?.format?.schema ?? body.output_format?.schema;
    return {
      purpose: purposeOf(body, schema),
      model: body.model,
      session: String(headers['x-claude-code-session-id'] ?? body.metadata?.user_id ?? ''),
      system: (body.system ?? []).map(({ text }) => text ?? '').join('\n'),
      tools: (body.tools ?? []).map(({ name }) => name),
      history: body.messages.flatMap(entriesOf),
      schema,
      streams: body.stream ?? false,
    };
  },
  aside(method, path) {
    if (path === '/v1/messages/count_tokens') return { input_tokens: 1000 };
    if (method === 'GET' && path === '/v1/models') return { data: [], has_more: false };
    return path === '/' ? {} : undefined;
  },
  failure: (status) => ({
    type: 'error',
    error: { type: ERRORS[status] ?? 'api_error', message: `scripted ${status}` },
  }),
  answer,
};

const ERRORS: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function purposeOf(body: Body, schema: unknown): Reading['purpose'] {
  const newest = body.messages.at(-1)?.content ?? [];
  if (newest.some(({ text }) => text !== undefined && COMPACTION.test(text))) return 'compaction';
  return schema !== undefined || body.max_tokens === 1 || !body.tools?.length ? 'own' : 'turn';
}

/** A message of the role system in the midst of a conversation is a note. */
const KINDS: Readonly<Record<string, 'user' | 'answer'>> = { user: 'user', assistant: 'answer' };

function entriesOf({ role, content }: z.infer<typeof Message>): Entry[] {
  const calls = content.filter(({ type }) => type === 'tool_use');
  if (calls.length > 0) return calls.map(({ name }) => ({ kind: 'call', text: name ?? '' }));
  return content.flatMap((block): Entry[] => {
    if (block.type === 'tool_result') return [{ kind: 'result', text: resultText(block.content) }];
    return block.text === undefined ? [] : [{ kind: KINDS[role] ?? 'note', text: block.text }];
  });
}

function resultText(content: unknown): string {
  const blocks = Blocks.safeParse(content);
  return blocks.success ? blocks.data.map(({ text }) => text ?? '').join('\n') : JSON.stringify(content ?? '');
}

const id = (kind: string): string => `${kind}_${randomUUID().replaceAll('-', '').slice(0, 22)}`;

async function answer(reply: Reply, request: Reading, wire: Wire): Promise<void> {
  const usage = { input_tokens: 1000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 20 };
  const block = reply.kind === 'say' ? { type: 'text' as const, text: reply.text } : toolUse(reply.act);
  const ending = { stop_reason: reply.kind === 'say' ? 'end_turn' : 'tool_use', stop_sequence: null };
  const message = { id: id('msg'), type: 'message', role: 'assistant', model: request.model, usage };
  if (!request.streams) return wire.whole({ ...message, content: [block], ...ending });
  wire.event('message_start', { message: { ...message, content: [], stop_reason: null, stop_sequence: null } });
  const delta = (part: Record<string, unknown>) => wire.event('content_block_delta', { index: 0, delta: part });
  if (block.type === 'text') {
    wire.event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    await wire.words(block.text, (text) => delta({ type: 'text_delta', text }));
  } else {
    wire.event('content_block_start', { index: 0, content_block: { ...block, input: {} } });
    await wire.words(JSON.stringify(block.input), (json) => delta({ type: 'input_json_delta', partial_json: json }));
  }
  wire.event('content_block_stop', { index: 0 });
  wire.event('message_delta', { delta: ending, usage: { output_tokens: 20 } });
  wire.event('message_stop', {});
}

function toolUse(act: Extract<Reply, { kind: 'call' }>['act']) {
  const use = (name: string, input: unknown) => ({ type: 'tool_use' as const, id: id('toolu'), name, input });
  switch (act.kind) {
    case 'team':
      return use(`mcp__team__${act.name}`, act.input);
    case 'tool':
      return use(act.name, act.input);
    case 'shell':
    case 'escalate':
      return use('Bash', { command: act.command, description: 'a step of the script' });
    case 'background':
      return use('Bash', { command: act.command, description: 'a step of the script', run_in_background: true });
    default:
      return act satisfies never;
  }
}
