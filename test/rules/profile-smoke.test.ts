import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { proxyFor } from '../../src/lifecycle/profiles/proxy.ts';
import { type Smoke, smoke } from '../../src/lifecycle/profiles/smoke.ts';
import { type Credentials, findProvider } from '../../src/providers/index.ts';

const CANARY = 'sk-CANARY0123456789abcdef';
const FILE = '/w/.team/shop/profiles/kimi.env';
const servers: net.Server[] = [];

/** An endpoint, or a proxy: it keeps what it was asked and answers with what it is told to. */
async function endpoint(answer: (request: http.IncomingMessage, response: http.ServerResponse) => void) {
  const asked: { method: string; url: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  const server = http.createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers, body: Buffer.concat(pieces).toString() });
    answer(request, response);
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server };
}

const says =
  (status: number, body = '{}') =>
  (_: http.IncomingMessage, response: http.ServerResponse) =>
    void response.writeHead(status).end(body);

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/** Nobody listens there. */
async function deadPort(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

function callOf(provider: string, baseUrl: string, more: Partial<Credentials> = {}) {
  const known = findProvider(provider);
  const given: Credentials = { mode: 'compatible_api', file: FILE, key: CANARY, baseUrl, ...more };
  const call = isRefusal(known) ? undefined : known.credentials.smoke?.(given, 'k2');
  if (!call) throw new Error(`${provider} makes no call`);
  return call;
}

interface Around {
  readonly environment?: Readonly<Record<string, string>>;
  readonly fromProfile?: readonly string[];
  readonly deadline?: number;
}

function check(url: string, { environment = {}, fromProfile = [], deadline }: Around = {}): Promise<Smoke> {
  const call = callOf('claude', url);
  return smoke({ call, environment, fromProfile, mode: 'inherit', file: FILE, secrets: [CANARY] }, deadline);
}

describe('one small call to the endpoint of a profile', () => {
  it('B08 200 passes, and the endpoint was asked as its CLI would ask', async () => {
    const { url, asked } = await endpoint(says(200));
    expect(await check(`${url}/api/v1/`)).toEqual({
      ok: true,
      status: 'smoke_passed',
      http_status: 200,
      endpoint: `${url}/api/v1/messages`,
      proxy_configured: false,
      proxy_mode: 'inherit',
    });
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/api/v1/messages',
        headers: expect.objectContaining({ authorization: `Bearer ${CANARY}`, 'anthropic-version': '2023-06-01' }),
        body: '{"model":"k2","max_tokens":1,"messages":[{"role":"user","content":"ping"}]}',
      },
    ]);
  });

  it.each([
    ['claude', 'http://h', 'http://h/v1/messages'],
    ['claude', 'http://h/x/v1', 'http://h/x/v1/messages'],
    ['claude', 'http://h/x/v1/messages', 'http://h/x/v1/messages'],
    ['claude', 'http://h/x/messages', 'http://h/x/v1/messages'],
    ['codex', 'http://h/v1', 'http://h/v1/responses'],
    ['codex', 'http://h/v1/responses/', 'http://h/v1/responses'],
  ])('B08 %s at %s asks %s', (provider, base, url) => {
    expect(callOf(provider, base).url).toBe(url);
  });

  it('B08 a Codex with the older protocol asks that', () => {
    expect(callOf('codex', 'http://h/v1', { wireApi: 'chat' }).url).toBe('http://h/v1/chat/completions');
  });

  it.each([
    [401, 'http_error', /API_KEY and BASE_URL in .*kimi\.env/],
    [404, 'http_error', /BASE_URL and MODEL/],
    [429, 'http_error', /PROFILE_SMOKE=off/],
    [302, 'unexpected_status', /not what such an API answers/],
  ])('B08 A09 %i fails with %s, says what helps, and repeats no key', async (status, reason, suggestion) => {
    const body = `{"error": {"message": "bad key: ${CANARY},\n sk-CANARY012***def and ${CANARY.slice(0, 9)}..."}}`;
    const { url } = await endpoint(says(status, body));
    const failed = await check(url);
    expect(failed).toMatchObject({ ok: false, status: 'smoke_failed', reason, http_status: status });
    expect(failed.detail).toContain('bad key: [REDACTED], [REDACTED] and [REDACTED]');
    expect(failed.suggestion).toMatch(suggestion);
    expect(JSON.stringify(failed)).not.toMatch(/CANARY/);
  });

  it('B08 an endpoint that does not answer in time fails', async () => {
    const { url } = await endpoint(() => undefined);
    const failed = await check(url, { deadline: 100 });
    expect(failed).toMatchObject({ reason: 'request_failed', detail: 'no answer came in time' });
    expect(failed.suggestion).toMatch(/BASE_URL/);
  });

  it('B08 an endpoint that nobody serves fails', async () => {
    const failed = await check(`http://${await deadPort()}`);
    expect(failed).toMatchObject({ reason: 'request_failed', detail: expect.stringMatching(/ECONNREFUSED/) });
  });
});

describe('a proxy between', () => {
  it('B08 the call goes through it, with its password, which nobody is told', async () => {
    const proxy = await endpoint(says(200));
    const environment = { http_proxy: `http://me:CANARY@${new URL(proxy.url).host}` };
    const passed = await check('http://model.invalid/v1', { environment, fromProfile: ['http_proxy'] });
    expect(passed).toMatchObject({
      status: 'smoke_passed',
      proxy_configured: true,
      proxy_scheme: 'http',
      proxy_source: 'profile',
      proxy_url: expect.stringMatching(/^http:\/\/\[redacted\]@127\.0\.0\.1/),
    });
    expect(JSON.stringify(passed)).not.toContain('CANARY');
    expect(proxy.asked[0]).toMatchObject({
      url: 'http://model.invalid/v1/messages',
      headers: { host: 'model.invalid', 'proxy-authorization': `Basic ${Buffer.from('me:CANARY').toString('base64')}` },
    });
  });

  it('B08 a safe address is reached through a tunnel, and a proxy that opens none is at fault', async () => {
    const proxy = await endpoint(says(200));
    const tunnels: string[] = [];
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const failed = await check('https://model.invalid', { environment: { HTTPS_PROXY: proxy.url } });
    expect(failed).toMatchObject({
      reason: 'proxy_connectivity_failed',
      detail: expect.stringMatching(/403 to CONNECT/),
    });
    expect(tunnels).toEqual(['model.invalid:443']);
  });

  it('B08 of a proxy around, three ways out are told; of one in the profile, two', async () => {
    const environment = { HTTP_PROXY: `http://${await deadPort()}` };
    const ambient = await check('http://model.invalid', { environment });
    expect(ambient).toMatchObject({ reason: 'proxy_connectivity_failed', proxy_source: 'ambient' });
    expect(ambient.suggestion).toMatch(
      /^correct HTTP_PROXY of your environment, or write the proxy .* into .*kimi\.env \(HTTP_PROXY=\.\.\.\), or PROXY_MODE=direct/,
    );
    const own = await check('http://model.invalid', { environment, fromProfile: ['HTTP_PROXY'] });
    expect(own.suggestion).toMatch(/^correct HTTP_PROXY in .*kimi\.env, or write PROXY_MODE=direct there/);
  });

  it('B08 a proxy that wants to know who asks is at fault', async () => {
    const proxy = await endpoint(says(407));
    const failed = await check('http://model.invalid', { environment: { http_proxy: proxy.url } });
    expect(failed).toMatchObject({ reason: 'proxy_connectivity_failed', http_status: 407 });
  });

  it('B08 one of another kind is left to the CLI', async () => {
    const passed = await check('http://model.invalid', { environment: { ALL_PROXY: 'socks5://127.0.0.1:9' } });
    expect(passed).toMatchObject({ ok: true, status: 'unsupported_proxy_smoke_skipped', proxy_scheme: 'socks5' });
  });

  it.each([
    ['https://api.example.com', { https_proxy: 'p:1' }, 'http://p:1/'],
    ['https://api.example.com', { http_proxy: 'http://p:1' }, undefined],
    ['http://api.example.com', { ALL_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['https://api.example.com', { https_proxy: 'http://p:1', no_proxy: 'x, example.com' }, undefined],
    ['https://api.example.com', { https_proxy: 'http://p:1', NO_PROXY: '.example.com:443' }, undefined],
    ['https://api.example.com', { https_proxy: 'http://p:1', NO_PROXY: 'example.com:8443' }, 'http://p:1/'],
    ['https://api.example.com', { https_proxy: 'http://p:1', no_proxy: 'ample.com' }, 'http://p:1/'],
    ['http://[::1]:9', { http_proxy: 'http://p:1', no_proxy: '[::1]' }, undefined],
    ['https://a.b', { https_proxy: 'http://p:1', no_proxy: '*' }, undefined],
  ] as const)('B08 %s with %o goes through %s', (target, environment, proxy) => {
    expect(proxyFor(new URL(target), environment)?.url.href).toBe(proxy);
  });
});
