/**
 * Cuts a text so that no piece takes more than `limit` bytes of UTF-8 once it stands in a JSON string. Put together again,
 * the pieces are the text: a cut never goes through a character.
 */
export function piecesOf(text: string, limit: number): readonly string[] {
  if (costOf(text) <= limit) return [text];
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of text) {
    const cost = costOf(character);
    if (used + cost > limit && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += cost;
  }
  return [...pieces, piece];
}

/** Bytes in a JSON string, without its quotes. */
const costOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
