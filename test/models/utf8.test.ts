/** Where bytes are no UTF-8. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../../models/files/utf8.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

test.each([
  ['', undefined],
  ['a\xc3\xbc', undefined],
  ['\xef\xbb\xbfa', undefined],
  ['\xfc', [0, 1, 1]],
  ['\n\xfc', [1, 2, 1]],
  ['ab\nc\xc3\xbcd\xdf\n', [7, 2, 4]],
  ['\xf0\x9f\x99\x82\xff', [4, 1, 3]],
  ['a\r\nb\xc3', [4, 2, 2]],
  ['\xc0\x80', [0, 1, 1]],
  ['\xe0\x9f\xbf', [0, 1, 1]],
  ['\xed\xa0\x80', [0, 1, 1]],
  ['\xf4\x90\x80\x80', [0, 1, 1]],
  ['\xff\xfem\0', [0, 1, 1]],
])('%j', (text, place) => {
  const result = decode(latin1(text));
  if (place === undefined) expect(typeof result).toBe('string');
  else {
    const [offset, line, column] = place;
    expect(result).toEqual({ offset, line, column, byte: text.charCodeAt(offset) });
  }
});

test('text is read as TextDecoder reads it, and what precedes a bad byte is text', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const bytes = Uint8Array.from(
        pieces.flatMap((p) => [...(typeof p === 'string' ? new TextEncoder().encode(p) : p)]),
      );
      const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      const result = decode(bytes);
      if (typeof result === 'string') expect(result).toBe(strict.decode(bytes));
      else {
        expect(() => strict.decode(bytes)).toThrow();
        expect(() => strict.decode(bytes.subarray(0, result.offset))).not.toThrow();
        // No character begins there: with up to three more bytes it is still none.
        for (let n = 1; n <= 4; n++)
          expect(() => strict.decode(bytes.subarray(result.offset, result.offset + n))).toThrow();
      }
    }),
    { numRuns: 500 },
  );
});
