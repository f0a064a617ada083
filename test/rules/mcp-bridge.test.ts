import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { type BridgeTarget, runBridge } from '../../src/mcp/bridge.ts';

/** A coordinator that answers as the test says. */
async function server(answer: (body: string) => { type?: string; text: string } | 'cut'): Promise<BridgeTarget> {
  const listening = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const said = answer(body);
      if (said === 'cut') response.destroy();
      else response.writeHead(200, { 'content-type': said.type ?? 'application/json' }).end(said.text);
    });
  });
  await new Promise<void>((resolve) => {
    listening.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void listening.close());
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`, token: 't' };
}

/** What a bridge answers to these lines, in any order. */
async function bridged(lines: readonly string[], target: () => BridgeTarget | undefined): Promise<unknown[]> {
  const input = new PassThrough();
  const output = new PassThrough();
  const done = runBridge({ input, output, target });
  input.end(lines.join('\n'));
  await done;
  const text = String(output.read() ?? '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

test('K06 a malformed line is answered with a null id; the lines around it are passed on', async () => {
  const target = await server((body) => ({
    text: JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: {} }),
  }));
  const answers = await bridged(['{"id":1}', '{"id":2', '', 'nonsense', '{"id":3}'], () => target);
  expect(answers).toHaveLength(4);
  expect(answers.filter((answer) => JSON.stringify(answer).includes('-32700'))).toEqual([
    { jsonrpc: '2.0', id: null, error: expect.objectContaining({ code: -32700 }) },
    { jsonrpc: '2.0', id: null, error: expect.objectContaining({ code: -32700 }) },
  ]);
  expect(answers).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 3 })]),
  );
});

test('K06 without a coordinator a request fails, a notification is passed over', async () => {
  expect(await bridged(['{"id":"x","method":"tools/list"}', '{"method":"notifications/x"}'], () => undefined)).toEqual([
    { jsonrpc: '2.0', id: 'x', error: { code: -32000, message: expect.stringContaining('coordinator') } },
  ]);
});

test('K06 a connection that is cut fails that one call', async () => {
  let calls = 0;
  const target = await server((body) => (++calls === 1 ? 'cut' : { text: body }));
  const [first] = await bridged(['{"id":1}'], () => target);
  expect(first).toMatchObject({ id: 1, error: { code: -32000 } });
  expect(await bridged(['{"id":2}'], () => target)).toEqual([{ id: 2 }]);
});

test('K06 answers that come as events are passed on one by one, and nothing else of the stream is', async () => {
  const text = 'event: message\ndata: {"id":1}\n\n: keep-alive\n\ndata:\n\ndata: {"id":1,"more":true}\n\n';
  const target = await server(() => ({ type: 'text/event-stream; charset=utf-8', text }));
  expect(await bridged(['{"id":1}'], () => target)).toEqual([{ id: 1 }, { id: 1, more: true }]);
});

test('K06 a notification that is accepted without a body is answered by nothing', async () => {
  const target = await server(() => ({ text: '' }));
  expect(await bridged(['{"method":"notifications/initialized"}'], () => target)).toEqual([]);
});

test.each([
  [
    'a refusal at the door',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"this token belongs to no agent"}}',
    -32001,
  ],
  ['what is no JSON', '<html>502\n</html>', -32000],
  ['nothing at all', '', -32000],
])('K06 %s is an answer to the request that caused it', async (_, text, code) => {
  const target = await server(() => ({ text }));
  expect(await bridged(['{"id":"r-1","method":"tools/list"}'], () => target)).toEqual([
    expect.objectContaining({ id: 'r-1', error: expect.objectContaining({ code }) }),
  ]);
});

test('K06 an answer over several lines becomes one', async () => {
  const target = await server(() => ({ text: '{\n  "id": 1,\n  "result": {}\n}' }));
  expect(await bridged(['{"id":1}'], () => target)).toEqual([{ id: 1, result: {} }]);
});
