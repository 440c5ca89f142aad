import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodecError, decode, encode, type Plain } from '../../../compiler/bundle/canonical.ts';
import { pack, unpack } from '../../../compiler/bundle/container.ts';
import { allocate, entry, fromBigints, outside, rangeBits } from '../../../runtime/integers/arrays.ts';
import { decodeIntegers, encodeIntegers, entryBytes } from '../../../runtime/integers/bytes.ts';
import { bytesScalar, scalarBytes, Transcript } from '../../../runtime/protocol/transcript.ts';
import { inv, mul, r } from '../../../runtime/protocol/scalar.ts';

const ranges = fc
  .tuple(
    fc.constantFrom(1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130, 250),
    fc.constantFrom('signed', 'unsigned', 'negative', 'point'),
  )
  .map(([bits, kind]) => {
    const half = 2n ** BigInt(bits - 1);
    if (kind === 'signed') return { lo: -half, hi: half - 1n };
    if (kind === 'unsigned') return { lo: 0n, hi: half - 1n };
    return kind === 'negative' ? { lo: -half, hi: -1n } : { lo: half - 1n, hi: half - 1n };
  });

const withEntries = ranges.chain((range) =>
  fc.tuple(fc.constant(range), fc.array(fc.bigInt({ min: range.lo, max: range.hi }), { maxLength: 9 })),
);

describe('integers in a statement', () => {
  test('round trip, in the bytes that their range needs', () => {
    fc.assert(
      fc.property(withEntries, ([range, values]) => {
        const array = fromBigints(range, values);
        const bytes = encodeIntegers(range, array);
        expect(bytes).toHaveLength(values.length * entryBytes(range));
        expect(8 * entryBytes(range)).toBeGreaterThanOrEqual(rangeBits(range));
        const back = decodeIntegers(range, values.length, bytes);
        if (typeof back === 'string') throw new Error(back);
        expect(values.map((_, i) => entry(back, i))).toEqual(values);
        expect(back.constructor).toBe(allocate(range, 0).constructor);
      }),
      { seed: 9, numRuns: 300 },
    );
  });

  test('bytes decode to entries that encode to the same bytes, or to a reason', () => {
    fc.assert(
      fc.property(ranges, fc.uint8Array({ maxLength: 80 }), (range, bytes) => {
        const length = Math.floor(bytes.length / entryBytes(range));
        const values = decodeIntegers(range, length, bytes);
        if (typeof values === 'string') return;
        expect(outside(range, values)).toBe(-1);
        expect(encodeIntegers(range, values)).toEqual(bytes);
      }),
      { seed: 10, numRuns: 500 },
    );
  });

  test('a value next to the range is refused by position', () => {
    fc.assert(
      fc.property(ranges, (range) => {
        for (const bad of [range.lo - 1n, range.hi + 1n])
          expect(() => fromBigints(range, [range.lo, bad])).toThrow(/entry 1 is/);
        const width = entryBytes(range);
        for (const bad of [range.lo - 1n, range.hi + 1n]) {
          if (BigInt.asIntN(8 * width, bad) !== bad) continue;
          const bytes = new Uint8Array(width);
          for (let k = 0; k < width; k++) bytes[k] = Number((bad >> BigInt(8 * k)) & 0xffn);
          expect(decodeIntegers(range, 1, bytes)).toMatch(/entry 0 is/);
        }
      }),
      { seed: 11, numRuns: 80 },
    );
  });
});

const { plain } = fc.letrec<{ plain: Plain }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small' },
    fc.constant(undefined),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(tie('plain'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ maxLength: 4 }),
      tie('plain').filter((v) => v !== undefined),
      { maxKeys: 4 },
    ),
  ),
}));

/** Records decoded have no prototype; compared by their entries. */
const simplify = (v: Plain): unknown => {
  if (v instanceof Uint8Array) return { bytes: [...v] };
  if (Array.isArray(v)) return (v as readonly Plain[]).map(simplify);
  if (typeof v === 'object')
    return Object.entries(v)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, x]) => [k, simplify(x)]);
  return Object.is(v, -0) ? 0 : v;
};

describe('the canonical encoding', () => {
  test('numbers on both sides of every length come back, and with another zero byte are refused', () => {
    for (let bits = 0; bits <= 70; bits++)
      for (const near of [-1n, 0n, 1n])
        for (const n of [2n ** BigInt(bits) + near, -(2n ** BigInt(bits)) + near]) {
          const bytes = encode(n);
          expect(decode(bytes)).toBe(n);
          // Tag, sign, length: one byte of magnitude more, which is 0.
          const padded = Uint8Array.of(bytes[0], bytes[1], bytes[2] + 1, ...bytes.subarray(3), 0);
          expect(() => decode(padded)).toThrow('not canonical');
          if (!Number.isSafeInteger(Number(n))) continue;
          const small = encode(Number(n));
          expect(decode(small)).toBe(Number(n));
          const last = small.length - 1;
          const longer = Uint8Array.of(...small.subarray(0, last), small[last] | 0x80, 0);
          expect(() => decode(longer)).toThrow('leading zeros');
        }
  });

  test('round trip, and one value has one encoding', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encode(value);
        const back = decode(bytes);
        expect(simplify(back)).toEqual(simplify(value));
        expect(encode(back)).toEqual(bytes);
      }),
      { seed: 12, numRuns: 500 },
    );
  });

  test('whatever decodes encodes to the same bytes, and nothing but CodecError is thrown', () => {
    const biased = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 40,
    });
    const mutated = fc.tuple(plain, fc.nat(1000), fc.integer({ min: 0, max: 255 })).map(([value, at, byte]) => {
      const bytes = encode(value);
      bytes[at % bytes.length] = byte;
      return [...bytes];
    });
    fc.assert(
      fc.property(fc.oneof(biased, mutated), (list) => {
        const bytes = Uint8Array.from(list);
        let value: Plain;
        try {
          value = decode(bytes);
        } catch (e) {
          expect(e).toBeInstanceOf(CodecError);
          return;
        }
        expect(encode(value)).toEqual(bytes);
      }),
      { seed: 13, numRuns: 3000 },
    );
  });

  test('lengths beyond the end are refused before anything is allocated', () => {
    for (const tag of [5, 6, 7, 8])
      expect(() => decode(Uint8Array.of(tag, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f))).toThrow(CodecError);
    expect(() => decode(Uint8Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? 6 : 1)))).toThrow(CodecError);
  });

  test('files have exactly their sections', () => {
    const file = pack('p', { HEAD: Uint8Array.of(1), BODY: Uint8Array.of(2, 3) });
    expect(unpack('p', ['HEAD', 'BODY'], file)).toEqual({ HEAD: Uint8Array.of(1), BODY: Uint8Array.of(2, 3) });
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bad = file.slice();
        bad[at] = byte;
        try {
          const s = unpack('p', ['HEAD', 'BODY'], bad);
          expect(pack('p', s)).toEqual(bad);
        } catch (e) {
          expect(e).toBeInstanceOf(CodecError);
        }
      }),
      { seed: 14, numRuns: 300 },
    );
    for (let n = 0; n < file.length; n++)
      expect(() => unpack('p', ['HEAD', 'BODY'], file.subarray(0, n))).toThrow(CodecError);
    expect(() => unpack('p', ['HEAD', 'BODY'], Uint8Array.of(...file, 0))).toThrow(CodecError);
  });
});

describe('the transcript', () => {
  test('a challenge depends on every item, its label, and where one ends and the next begins', () => {
    const challenges = new Set<bigint>();
    const add = (...items: [string, number[]][]): void => {
      const t = new Transcript();
      for (const [label, data] of items) t.absorb(label, Uint8Array.from(data));
      const c = t.challenge('c');
      expect(c < r).toBe(true);
      challenges.add(c);
    };
    add();
    add(['a', []]);
    add(['a', [1]]);
    add(['b', [1]]);
    add(['a', [1, 2]]);
    add(['a', [1]], ['a', [2]]);
    add(['a', [2]], ['a', [1]]);
    add(['aa', [1]]);
    add(['a', [97, 1]]);
    expect(challenges.size).toBe(9);
  });

  test('a challenge depends on its own label and on the challenges before it', () => {
    const [a, b] = [new Transcript(), new Transcript()];
    const first = a.challenge('x');
    expect(a.challenge('x')).not.toBe(first);
    expect(b.challenge('y')).not.toBe(first);
    expect(a.challenges('z', 3)).toHaveLength(3);
  });

  test('scalars are 32 bytes, little-endian', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: r - 1n }), (v) => {
        expect(bytesScalar(scalarBytes(v))).toBe(v);
        if (v > 0n) expect(mul(v, inv(v))).toBe(1n);
      }),
      { seed: 15, numRuns: 100 },
    );
    expect(() => inv(0n)).toThrow(RangeError);
  });
});
