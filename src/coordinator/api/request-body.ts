/**
 * Largest request, bytes: the largest text of a message as most texts stand in JSON. What is larger is read and dropped as it
 * comes, so that it costs no memory and nobody waits for it, and whoever sends it still gets its answer.
 */
const REQUEST_LIMIT = 20 * 1024 * 1024;

/** What a request brought: something in JSON, something that is none, or too much. */
export type RequestBody =
  | { readonly body: 'json'; readonly value: unknown }
  | { readonly body: 'malformed' }
  | { readonly body: 'too_large'; readonly bytes: number };

/** Reads a request to its end. Bytes that are no UTF-8 are no JSON: nothing of a text may be replaced on its way in. */
export async function readBody(request: Request): Promise<RequestBody> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.byteLength;
    if (bytes <= REQUEST_LIMIT) pieces.push(piece);
    else pieces.length = 0;
  }
  if (bytes > REQUEST_LIMIT) return { body: 'too_large', bytes };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
    return { body: 'json', value: JSON.parse(text) };
  } catch {
    return { body: 'malformed' };
  }
}
