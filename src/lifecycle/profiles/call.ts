import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { SmokeCall } from '../../providers/index.ts';
import type { ProxyServer } from './proxy.ts';

/** What became of a call. `proxy`: it never came through to the address itself. */
export type Answered =
  | { readonly answered: true; readonly status: number; readonly body: string }
  | { readonly answered: false; readonly where: 'proxy' | 'endpoint'; readonly why: string };

/** So many bytes of an answer are looked at. */
const LONGEST = 4_096;

class ProxyFailed extends Error {}

/** Makes one call, through a proxy or not. Certificates of the file `authorities` are believed beside the usual ones. */
export async function makeCall(
  call: SmokeCall,
  { proxy, authorities }: { readonly proxy?: ProxyServer | undefined; readonly authorities?: string | undefined },
  signal: AbortSignal,
): Promise<Answered> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(call.body),
    ...call.headers,
  };
  const options = { method: 'POST', headers, signal, agent: false, ...certificates(authorities) } as const;
  try {
    const request = await requestOf(new URL(call.url), proxy, options);
    request.on('error', ignored).end(call.body);
    const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage];
    return { answered: true, status: response.statusCode ?? 0, body: await beginningOf(response) };
  } catch (error) {
    const why = signal.aborted ? 'no answer came in time' : error instanceof Error ? error.message : String(error);
    // Without a tunnel the proxy is all that this process ever connects to.
    const atProxy = error instanceof ProxyFailed || (proxy !== undefined && call.url.startsWith('http:'));
    return { answered: false, where: atProxy && !signal.aborted ? 'proxy' : 'endpoint', why };
  }
}

/** What a connection says after its end, or what is awaited elsewhere. */
const ignored = (): undefined => undefined;

function certificates(file: string | undefined): { ca?: string[] } {
  return file && fs.existsSync(file) ? { ca: [...tls.rootCertificates, fs.readFileSync(file, 'utf8')] } : {};
}

async function requestOf(
  target: URL,
  proxy: ProxyServer | undefined,
  options: https.RequestOptions & { readonly signal: AbortSignal },
): Promise<http.ClientRequest> {
  const secure = target.protocol === 'https:';
  if (!proxy) return (secure ? https : http).request(target, options);
  if (secure) {
    const socket = await tunnel(target, proxy, options.signal);
    return https.request(target, {
      ...options,
      createConnection: () =>
        tls.connect({ socket, servername: target.hostname, ...(options.ca ? { ca: options.ca } : {}) }),
    });
  }
  const headers = { ...options.headers, host: target.host, ...introductionTo(proxy) };
  return moduleOf(proxy).request({ ...placeOf(proxy), ...options, path: target.href, headers });
}

/** A connection to the address through the proxy. */
async function tunnel(target: URL, proxy: ProxyServer, signal: AbortSignal): Promise<Socket> {
  const path = `${target.hostname}:${target.port || 443}`;
  const asked = moduleOf(proxy).request({
    ...placeOf(proxy),
    ...{ method: 'CONNECT', path, headers: { host: path, ...introductionTo(proxy) }, agent: false, signal },
  });
  asked.on('error', ignored).end();
  try {
    const [response, socket] = (await once(asked, 'connect', { signal })) as [http.IncomingMessage, Socket];
    if (response.statusCode === 200) return socket;
    socket.destroy();
    throw new Error(`it answered ${response.statusCode} to CONNECT`);
  } catch (error) {
    throw new ProxyFailed(error instanceof Error ? error.message : String(error));
  }
}

const moduleOf = ({ url }: ProxyServer) => (url.protocol === 'https:' ? https : http);

function placeOf({ url }: ProxyServer) {
  return { host: url.hostname, port: url.port || (url.protocol === 'https:' ? 443 : 80) };
}

function introductionTo({ url }: ProxyServer): Record<string, string> {
  if (url.username === '') return {};
  const words = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(words).toString('base64')}` };
}

async function beginningOf(response: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response) {
    pieces.push(piece);
    size += piece.length;
    if (size >= LONGEST) break;
  }
  return Buffer.concat(pieces).toString('utf8', 0, LONGEST);
}
