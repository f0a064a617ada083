import { type ChildProcess, spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { identifyProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import {
  ask,
  callTool,
  inputsOf,
  LISTENER,
  lifeOf,
  reached,
  start,
  toolAnswer,
  toolClient,
  toolsUrl,
} from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');
const TOOLS = [
  'hello',
  'inbox',
  'get_team_status',
  'read_message',
  'report_result',
  'request_human',
  'send_message',
  'update_state',
].sort();

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = ['a', 'b', 'mortal'].map((id) => ({ id, script: LISTENER }));
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

interface Posted {
  readonly status: number;
  readonly text: string;
}

/** One HTTP request as it is, with headers of the test's choice. */
function post(body: string, headers: Record<string, string>, url = toolsUrl(product)): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const HELLO = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'hello', arguments: {} } });

describe.each(['legacy', 'auto'] as const)('the official client, era %s', (era) => {
  test('K01 K08 initializes, lists the tools of a worker, and calls each', async () => {
    const { client, close } = await toolClient(product, lifeOf(product, 'a').token, era);
    onTestFinished(close);
    expect(client.getServerVersion()).toMatchObject({ name: 'team' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(TOOLS);
    for (const tool of tools) {
      expect(tool.annotations).toMatchObject({ destructiveHint: false, openWorldHint: false });
      expect(tool.inputSchema.type).toBe('object');
    }
    const called = async (name: string, args: Record<string, unknown>) =>
      toolAnswer(await client.callTool({ name, arguments: args }));
    expect(await called('hello', {})).toMatchObject({ ok: true, you: 'a', team: 'crew', teammates: ['b', 'mortal'] });
    const sent = await called('send_message', { to: 'b', content: `hello from ${era}`, from: 'leader', mood: 'odd' });
    expect(sent).toMatchObject({ ok: true, to: ['b'], isError: false });
    await reached(product, sent.message_id);
    expect(inputsOf(product, 'b').at(-1)?.text).toMatch(/^\[team message \S+ from a \(peer\)\]/);
    expect(await called('read_message', { message_id: sent.message_id })).toMatchObject({ body: `hello from ${era}` });
    expect(await called('inbox', {})).toMatchObject({ ok: true, agent_id: 'a' });
    expect(await called('get_team_status', {})).toMatchObject({ ok: true, team: 'crew' });
    expect(await called('request_human', { question: 'may I?' })).toMatchObject({ ok: true, to: ['leader'] });
    expect(await called('update_state', { note: 'half way' })).toMatchObject({ ok: true });
    expect(await called('report_result', { summary: era })).toMatchObject({ ok: true, unattributed: true });
  });

  test('K02 what is not offered is not announced, and nothing else breaks', async () => {
    const { client, close } = await toolClient(product, lifeOf(product, 'a').token, era);
    onTestFinished(close);
    expect(Object.keys(client.getServerCapabilities() ?? {})).toEqual(['tools']);
    await expect(client.listResources()).resolves.toMatchObject({ resources: [] });
    await expect(client.listPrompts()).resolves.toMatchObject({ prompts: [] });
    if (era === 'legacy') await expect(client.ping()).resolves.toEqual({});
  });

  test('K05 wrong arguments and unknown tools are errors of one short line without paths', async () => {
    const { client, close } = await toolClient(product, lifeOf(product, 'a').token, era);
    onTestFinished(close);
    const wrong: [string, Record<string, unknown>][] = [
      ['send_message', {}],
      ['send_message', { to: 7, content: 'x' }],
      ['send_message', { to: [], content: 'x' }],
      ['send_message', { to: 'b', content: 'x', expects: 'everything' }],
      ['send_message', { to: 'ghost', content: 'x' }],
      ['send_message', { to: 'b', content: ' \n ' }],
      ['read_message', {}],
      ['read_message', { message_id: '../../etc/passwd' }],
      ['report_result', { summary: { deep: 'x' }, task: ['a', 'b'] }],
      ['inbox', { since: 'yesterday' }],
      ['update_state', { note: '' }],
      ['start_agent', { agent: 'b' }],
      ['__proto__', {}],
    ];
    for (const [name, args] of wrong) {
      const text = await client.callTool({ name, arguments: args }).then(
        (result) => (result.isError === true || name === 'report_result' ? JSON.stringify(result.content) : 'accepted'),
        (error: Error) => error.message,
      );
      expect(text, `${name} ${JSON.stringify(args)}`).not.toBe('accepted');
      expect(text, name).not.toMatch(/node_modules|\.ts:|\/home|\/tmp|at \w+ \(/);
      expect(text.length, text).toBeLessThan(name === 'report_result' ? 600 : 500);
    }
  });
});

test('K02 ping is answered, a method that is not there is -32601, and by which id was asked', async () => {
  const headers = { ...bearer(lifeOf(product, 'a').token), 'mcp-protocol-version': '2025-06-18' };
  const ping = await post(JSON.stringify({ jsonrpc: '2.0', id: 'p-1', method: 'ping' }), headers);
  expect(ping).toMatchObject({ status: 200 });
  expect(ping.text).toContain('"id":"p-1"');
  expect(ping.text).toContain('"result":{}');
  const unknown = await post(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'no/such' }), headers);
  expect(unknown.text).toMatch(/"code":-32601/);
  expect(unknown.text).toMatch(/"id":7/);
});

test.each(['assign_task', 'wait_result'])(
  'K04 %s is refused to an agent, with what it can do instead',
  async (name) => {
    const answer = await callTool(product, 'a', name, { to: 'b', task: 't', content: 'do it' });
    expect(answer).toMatchObject({ isError: true, reason: 'worker_may_not' });
    expect(answer.message).toContain('send_message');
    expect(product.rows(`select 1 from messages where body = 'do it'`)).toEqual([]);
  },
);

test('K07 what waits is told as waiting, one recipient at a time, and nobody who is not there as reached', async () => {
  const answer = await callTool(product, 'a', 'send_message', { to: ['b', 'leader', 'ghost'], content: 'to three' });
  expect(answer).toMatchObject({ partial: true, reason: 'fanout_partial', to: ['b', 'leader'] });
  expect(answer.deliveries.map(({ to, state }) => [to, state])).toEqual([
    ['b', expect.stringMatching(/^(queued|submitted|consumed)$/)],
    ['leader', 'held'],
  ]);
  const all = await callTool(product, 'a', 'send_message', { to: '*', content: 'to all' });
  expect(all.deliveries.every(({ state }) => ['queued', 'held', 'submitted', 'consumed'].includes(state))).toBe(true);
  expect(all.to).not.toContain('a');
});

test('K06 what is no JSON is answered with a null id, and the door stays open', async () => {
  const headers = bearer(lifeOf(product, 'a').token);
  const broken = await post('{"jsonrpc": "2.0", "id": 5, "meth', headers);
  expect(broken.status).toBe(400);
  expect(JSON.parse(broken.text)).toMatchObject({ id: null, error: { code: -32700 } });
  for (const odd of ['[]', '7', 'null', '"x"', '{}', '{"jsonrpc":"1.0","id":1,"method":"ping"}'])
    expect((await post(odd, headers)).status, odd).toBeGreaterThanOrEqual(400);
  expect((await post(HELLO, { ...headers, 'mcp-protocol-version': '2025-06-18' })).status).toBe(200);
});

test('M08 a wrong token, no token, another host, and a page in a browser are refused', async () => {
  const { token } = lifeOf(product, 'a');
  const { port } = new URL(toolsUrl(product));
  expect((await post(HELLO, {})).status).toBe(401);
  expect((await post(HELLO, bearer('nonsense'))).status).toBe(401);
  expect((await post(HELLO, { authorization: token })).status).toBe(401);
  expect((await post(HELLO, { authorization: `Basic ${token}` })).status).toBe(401);
  expect((await post(HELLO, {}, `${toolsUrl(product)}?token=${token}`)).status).toBe(401);
  expect((await post(HELLO, { ...bearer(token), host: 'evil.example' })).status).toBe(403);
  expect((await post(HELLO, { ...bearer(token), host: `evil.example:${port}` })).status).toBe(403);
  for (const origin of ['https://evil.example', `http://127.0.0.1:${port}`, 'null'])
    expect((await post(HELLO, { ...bearer(token), origin })).status).toBe(403);
  expect((await post('{}', bearer(token), `http://127.0.0.1:${port}/verbs/shutdown`)).status).toBe(404);
  expect((await post(HELLO, { ...bearer(token), 'mcp-protocol-version': '2025-06-18' })).status).toBe(200);
});

test('M08 a token dies with its agent', async () => {
  const { token, handle } = lifeOf(product, 'mortal');
  const headers = { ...bearer(token), 'mcp-protocol-version': '2025-06-18' };
  expect((await post(HELLO, headers)).status).toBe(200);
  signalProcess(handle.pane.process, 'SIGHUP');
  await eventually('the end of the token', async () => (await post(HELLO, headers)).status === 401);
  await expect(callTool(product, 'mortal', 'hello', {})).rejects.toThrow(/does not live/);
});

/** `team-agent mcp` with an agent's token: lines in, lines out. */
class Bridge {
  readonly process: ChildProcess;
  readonly lines: string[] = [];

  constructor(token: string) {
    this.process = spawn(BIN, ['mcp'], {
      cwd: product.workspace,
      env: { ...product.environment, TEAM_AGENT_TOKEN: token, TEAM_AGENT_MCP_URL: toolsUrl(product) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void this.process.kill('SIGKILL'));
    if (this.process.stdout)
      createInterface({ input: this.process.stdout }).on('line', (line) => this.lines.push(line));
  }

  write(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  async answer(
    id: unknown,
  ): Promise<{ result?: { tools?: unknown[]; isError?: boolean }; error?: { code: number; message: string } }> {
    const line = await eventually(`an answer to ${String(id)}`, () =>
      this.lines.find((candidate) => JSON.parse(candidate).id === id),
    );
    return JSON.parse(line);
  }
}

const request = (id: unknown, method: string, params: unknown = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const INTRODUCTION = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };

test('K06 the bridge answers a malformed line with a null id and goes on; it ends with its input', async () => {
  const bridge = new Bridge(lifeOf(product, 'a').token);
  bridge.write(request(1, 'initialize', INTRODUCTION));
  expect((await bridge.answer(1)).result).toBeDefined();
  bridge.write('{"jsonrpc":"2.0","id":2,"method"');
  expect((await bridge.answer(null)).error).toMatchObject({ code: -32700 });
  bridge.write('');
  bridge.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  bridge.write(request('three', 'tools/list'));
  expect((await bridge.answer('three')).result?.tools).toHaveLength(TOOLS.length);
  bridge.write(request(4, 'ping'));
  expect((await bridge.answer(4)).result).toEqual({});
  expect(bridge.lines).toHaveLength(4);
  bridge.process.stdin?.end();
  await eventually('its end', () => bridge.process.exitCode === 0);
});

test('K06 the bridge with a wrong token is refused, call by call', async () => {
  const bridge = new Bridge('nonsense');
  bridge.write(request(1, 'tools/list'));
  expect((await bridge.answer(1)).error?.message).toContain('token');
});

test('M11 the bridge fails a call while the coordinator is away, and goes on when it is back', async () => {
  const { token } = lifeOf(product, 'a');
  const bridge = new Bridge(token);
  bridge.write(request(1, 'tools/list'));
  expect((await bridge.answer(1)).result?.tools).toHaveLength(TOOLS.length);
  expect((await ask(product, 'coordinator', 'stop')).ok).toBe(true);
  bridge.write(request(2, 'tools/list'));
  expect((await bridge.answer(2)).error).toMatchObject({ code: -32000 });
  expect((await product.run(['coordinator', 'start'])).code).toBe(0);
  bridge.write(request(3, 'tools/list'));
  expect((await bridge.answer(3)).result?.tools).toHaveLength(TOOLS.length);
  const pid = bridge.process.pid ?? 0;
  expect(identifyProcess(pid)).toBeDefined();
});
