import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from '../../src/messages/index.ts';

test('E20 pieces of a text are the text, none is larger in JSON than allowed, and none is cut through a character', () => {
  const text = fc.string({ unit: 'binary', maxLength: 500 });
  fc.assert(
    fc.property(text, fc.integer({ min: 12, max: 200 }), (text, limit) => {
      const pieces = piecesOf(text, limit);
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) {
        expect(Buffer.byteLength(JSON.stringify(piece)) - 2).toBeLessThanOrEqual(limit);
        expect(piece.isWellFormed()).toBe(true);
      }
      if (text !== '') expect(pieces).not.toContain('');
    }),
  );
});
