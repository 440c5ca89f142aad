import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecOf, DTYPES, type Dtype } from '../../models/files/dtypes.ts';
import { bytesSource, FormatError, readSafetensors, writeSafetensors } from '../../models/index.ts';
import type { TensorToWrite } from '../../models/index.ts';

const read = (bytes: Uint8Array) => readSafetensors(bytesSource('w.safetensors', bytes));

/** A file with any header, which need not be right. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

/** The message of the FormatError that reading gives, header and tensors. */
async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    const file = await read(bytes);
    for (const name of file.tensors.keys()) await file.readFloats(name);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return (error as FormatError).message;
  }
  throw new Error('the file was read');
}

const f32 = (shape: readonly number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

const valueOf: Readonly<Record<Dtype, fc.Arbitrary<number>>> = {
  F64: fc.double(),
  F32: fc.float(),
  // Quarters below 512 and below 32: exact in 11 and in 8 significant bits.
  F16: fc.integer({ min: -2047, max: 2047 }).map((v) => v / 4),
  BF16: fc.integer({ min: -127, max: 127 }).map((v) => v / 4),
  I64: fc.maxSafeInteger(),
  I32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  I16: fc.integer({ min: -32768, max: 32767 }),
  I8: fc.integer({ min: -128, max: 127 }),
  U32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  U16: fc.integer({ min: 0, max: 65535 }),
  U8: fc.integer({ min: 0, max: 255 }),
  BOOL: fc.integer({ min: 0, max: 1 }),
};

const tensor: fc.Arbitrary<TensorToWrite> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(4), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((n, d) => n * d, 1);
    return fc
      .array(valueOf[dtype], { minLength: length, maxLength: length })
      .map((values) => ({ dtype, shape, values }));
  });

const name = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('0', '17', '__proto__', 'toString'))
  .filter((n) => n !== '__metadata__');

const tensors = fc
  .uniqueArray(fc.tuple(name, tensor), { selector: ([n]) => n, maxLength: 5 })
  .map((entries) => new Map(entries));

test('what is written reads back exactly', async () => {
  await fc.assert(
    fc.asyncProperty(tensors, async (written) => {
      const file = await read(writeSafetensors(written));
      expect([...file.tensors.keys()].sort()).toEqual([...written.keys()].sort());
      for (const [n, { dtype, shape, values }] of written) {
        expect(file.tensors.get(n)).toMatchObject({ dtype, shape });
        expect([...(await file.readFloats(n))]).toEqual(Array.from(values));
      }
    }),
    { numRuns: 200 },
  );
});

test('a changed, cut or longer file is read or refused, never anything else', async () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      tensors,
      fc.array(change, { maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      async (written, changes, length, cut) => {
        const bytes = writeSafetensors(written);
        // Most of the changes where they matter, in the first bytes.
        for (const { at, byte } of changes) bytes[at % Math.min(bytes.length, 400)] = byte;
        try {
          const file = await read(cut ? bytes.slice(0, length % (bytes.length + 1)) : bytes);
          for (const n of file.tensors.keys()) await file.readFloats(n);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('every cut of a file is refused', async () => {
  const bytes = writeSafetensors(new Map([['a', { dtype: 'F32', shape: [2], values: [1, 2] }]]));
  for (let length = 0; length < bytes.length; length++)
    expect(await refusal(bytes.slice(0, length))).toMatch(/^w\.safetensors: .*again/);
});

describe('half precision', () => {
  const encoded = (dtype: Dtype, values: number[]): number[] => {
    const bytes = codecOf(dtype).encode(values);
    if (!(bytes instanceof Uint8Array)) throw new Error(bytes.reason);
    return [...new Uint16Array(bytes.buffer, bytes.byteOffset, values.length)];
  };
  const decoded = (dtype: Dtype, words: number[]) =>
    codecOf(dtype).decode(new Uint8Array(Uint16Array.from(words).buffer));

  test('F16 has the bits of IEEE 754 binary16', () => {
    expect(encoded('F16', [1, -2, 65504, 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11])).toEqual([
      0x3c00, 0xc000, 0x7bff, 1, 0x3c00, 0x3c02,
    ]);
    expect(decoded('F16', [0x3c01, 0x0001, 0xfc00])).toEqual(new Float64Array([1 + 2 ** -10, 2 ** -24, -Infinity]));
  });

  test('BF16 is the upper half of a float32, rounded to nearest even', () => {
    expect(encoded('BF16', [1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, Infinity])).toEqual([
      0x3f80, 0xc000, 0x3f80, 0x3f82, 0x7f80, 0x7f80,
    ]);
    expect(decoded('BF16', [0x3f81, 0x0001, 0x7fc0])).toEqual(new Float64Array([1 + 2 ** -7, 2 ** -133, NaN]));
    expect(encoded('BF16', [NaN])[0] & 0x7fff).toBeGreaterThan(0x7f80);
  });
});

describe('headers that lie', () => {
  const cases: readonly (readonly [string, unknown, number, RegExp])[] = [
    ['a hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, /4 bytes between the tensor "a" and the tensor "b"/],
    ['a hole at the beginning', { a: f32([1], 4, 8) }, 8, /4 bytes between the header and the tensor "a"/],
    ['an overlap', { a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8, /"b" overlaps the tensor "a"/],
    ['bytes at the end', { a: f32([1], 0, 4) }, 5, /1 bytes after the tensor "a"/],
    ['offsets outside', { a: f32([2], 0, 8) }, 4, /"a" ends at byte \d+, but the file has only \d+; it is cut short/],
    ['offsets backwards', { a: f32([1], 4, 0) }, 4, /ends at 0, before it begins at 4/],
    ['another size', { a: f32([3], 0, 8) }, 8, /F32 \[3\] takes 12 bytes, its data_offsets span 8/],
    ['an overflowing product', { a: f32([2 ** 32, 2 ** 32, 2 ** 32], 0, 0) }, 0, /too large for any file/],
    ['a negative length', { a: f32([-1], 0, 0) }, 0, /no shape/],
    ['a fraction', { a: f32([0.5], 0, 2) }, 2, /no shape/],
    ['a length over 2^53', '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,0]}}', 0, /no shape/],
    [
      'a name twice',
      '{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}',
      1,
      /name "a" twice/,
    ],
    ['no offsets', { a: { dtype: 'F32', shape: [] } }, 0, /no pair of data_offsets/],
    ['three offsets', { a: { dtype: 'U8', shape: [], data_offsets: [0, 1, 1] } }, 1, /no pair of data_offsets/],
    [
      'an 8-bit float',
      { a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } },
      1,
      /"F8_E4M3", which is not read here; convert it to one of F64, F32/,
    ],
    ['no dtype', { a: { shape: [1], data_offsets: [0, 1] } }, 1, /"a" has no dtype/],
    ['no description', { a: null }, 0, /no description/],
    ['metadata that is none', { __metadata__: { a: 1 } }, 0, /map of strings/],
    ['an array', '[]', 0, /does not begin with "\{"/],
    ['no JSON', '{"a": }', 0, /not JSON/],
    ['deep JSON', `{"a":${'['.repeat(200_000)}`, 0, /not JSON/],
  ];
  test.each(cases)('%s', async (_, header, data, message) => {
    const text = await refusal(fileOf(header, data));
    expect(text).toMatch(message);
    expect(text.length).toBeLessThan(600);
  });

  test('a header that claims 2^60 bytes', async () => {
    const bytes = fileOf({});
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 60n, true);
    expect(await refusal(bytes)).toMatch(
      /claims 1152921504606846976 bytes, but only 2 follow; it is cut short or no safetensors file/,
    );
  });

  test('a header over the limit is not read', async () => {
    let largest = 0;
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      largest = Math.max(largest, length);
      const word = new Uint8Array(length);
      if (offset === 0) new DataView(word.buffer).setBigUint64(0, 10n ** 9n, true);
      return word;
    };
    await expect(readSafetensors({ name: 'huge', size: 2 ** 40, read })).rejects.toThrow(
      /1000000000 bytes, over the limit/,
    );
    expect(largest).toBe(8);
  });

  test('a header that is no UTF-8', async () => {
    const bytes = fileOf('{"abc":1}');
    bytes[10] = 0xff;
    expect(await refusal(bytes)).toMatch(/not UTF-8/);
  });

  test('a file that becomes shorter while it is read', async () => {
    const bytes = writeSafetensors(new Map([['a', { dtype: 'F32', shape: [2], values: [1, 2] }]]));
    const source = bytesSource('w', bytes);
    const file = await readSafetensors({ ...source, read: (at, n) => source.read(at, n === 8 && at > 0 ? 7 : n) });
    await expect(file.readFloats('a')).rejects.toThrow(/only 7 of 8 bytes/);
  });
});

describe('entries', () => {
  test('integers beyond 2^53 are refused with their index', async () => {
    const bytes = fileOf({ a: { dtype: 'I64', shape: [2, 1], data_offsets: [0, 16] } }, 16);
    new DataView(bytes.buffer).setBigInt64(bytes.length - 8, 2n ** 53n + 1n, true);
    expect(await refusal(bytes)).toMatch(/"a"\[1, 0\] is 9007199254740993, beyond the 53 bits/);
  });

  test('booleans other than 0 and 1 are refused', async () => {
    const bytes = fileOf({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, 1);
    bytes[bytes.length - 1] = 2;
    expect(await refusal(bytes)).toMatch(/is the byte 2/);
  });

  test('a missing tensor is refused with those there are', async () => {
    const file = await read(writeSafetensors(new Map([['a', { dtype: 'U8', shape: [], values: [7] }]])));
    await expect(file.readFloats('b')).rejects.toThrow('w.safetensors: there is no tensor "b"; it has "a"');
  });

  test('the writer takes only what its dtype holds', () => {
    const write = (dtype: Dtype, values: number[]) => () =>
      writeSafetensors(new Map([['a', { dtype, shape: [1], values }]]));
    expect(write('I8', [128])).toThrow(/"a"\[0\] is 128, no integer of \[-128, 127\]/);
    expect(write('U8', [0.5])).toThrow(FormatError);
    expect(write('F32', [1, 2])).toThrow(/has 2 values, its shape \[1\] has 1/);
  });
});
