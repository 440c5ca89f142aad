/** Files from strangers that are large where one does not expect it: an error that says so, or they are read; never a crash. */
import { describe, expect, test } from 'vitest';
import { decodeBundle, encodeBundle } from '../../compiler/bundle/bundle.ts';
import { CodecError, decode, encode } from '../../compiler/bundle/canonical.ts';
import { compile } from '../../compiler/index.ts';
import {
  commitmentSize,
  decodeCommitment,
  decodeProof,
  encodeCommitment,
  encodeProof,
  LONGEST_CONTEXT,
  proofSize,
} from '../../runtime/codec/files.ts';
import { codecOf } from '../../models/files/dtypes.ts';
import { FormatError } from '../../models/files/errors.ts';
import { parseJson } from '../../models/files/json.ts';
import { readSafetensors } from '../../models/files/safetensors.ts';
import { writeSafetensors } from '../../models/files/safetensors-writer.ts';
import { bytesSource } from '../../models/files/source.ts';
import { bodySize } from '../../runtime/protocol/argument.ts';
import { testDevice } from '../kit/devices.ts';
import { makeFiles, text } from '../soundness/fixture.ts';

const long = 'x'.repeat(20e6);

/** A file that is not there but for its header. */
function sparse(header: object, data: number) {
  const bytes = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(8 + bytes.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(bytes.length), true);
  start.set(bytes, 8);
  return {
    name: 'a.safetensors',
    size: start.length + data,
    read: (offset: number, length: number) =>
      Promise.resolve(offset < start.length ? start.subarray(offset, offset + length) : new Uint8Array(length)),
  };
}

describe('JSON and headers', () => {
  test('strings of 20 MB', async () => {
    expect(parseJson('f', 'it', JSON.stringify({ a: long, [long]: 1 }), 'r')).toEqual({ a: long, [long]: 1 });
    expect(() => parseJson('f', 'it', `{"a": "${long}", "a": 1}`, 'r')).toThrow(FormatError);
    const file = await readSafetensors(
      sparse({ __metadata__: { a: long }, t: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4),
    );
    expect([...(await file.readFloats('t'))]).toEqual([0]);
  });

  test('names that occur twice, with quotes and backslashes in strings', () => {
    for (const twice of ['{"a":1,"a":2}', '[{"b":{"a":1 , "a" :2}}]', '{"\\u0061":1,"a":"}"}', '{"a":"\\\\","a":"{"}'])
      expect(() => parseJson('f', 'it', twice, 'r'), twice).toThrow(/twice/);
    for (const once of ['{"a":{"a":"a"},"b":"\\"a"}', '["a","a",{"a":["a"]}]', '"a"'])
      expect(parseJson('f', 'it', once, 'r')).toEqual(JSON.parse(once));
  });

  test('nesting', () => {
    expect(() => parseJson('f', 'it', '['.repeat(1e6), 'r')).toThrow(FormatError);
  });

  test('tensors of 10^10 entries', async () => {
    for (const [dtype, bytes] of [
      ['F32', 4],
      ['BF16', 2],
      ['U8', 1],
    ] as const) {
      const size = bytes * 1e10;
      const file = await readSafetensors(sparse({ t: { dtype, shape: [1e5, 1e5], data_offsets: [0, size] } }, size));
      await expect(file.readFloats('t')).rejects.toThrow(FormatError);
      await expect(file.readFloats('t')).rejects.toThrow(/does not fit into memory/);
    }
  });

  test('the largest entry of a head of more than 2^27 entries, a stretch at a time', async () => {
    const [rows, columns] = [2 ** 15 + 1, 2 ** 12];
    const size = 2 * rows * columns;
    const file = sparse({ t: { dtype: 'BF16', shape: [rows, columns], data_offsets: [0, size] } }, size);
    let longest = 0;
    const read = async (from: number, length: number): Promise<Uint8Array> => {
      longest = Math.max(longest, length);
      const bytes = await file.read(from, length);
      // The last entry is -2.5.
      if (from + length === file.size) bytes.set([0x20, 0xc0], length - 2);
      return bytes;
    };
    const { largest } = await readSafetensors({ ...file, read });
    expect(await largest('t')).toBe(2.5);
    expect(longest).toBeLessThanOrEqual(2 ** 21);
    await expect(largest('u')).rejects.toThrow(/there is no tensor "u"/);
  });

  test('the largest entry of numbers that are none', async () => {
    const bytes = writeSafetensors(
      new Map([['t', { dtype: 'F32', shape: [2, 2], values: Float32Array.of(1, -3, NaN, 2) }]]),
    );
    const { largest } = await readSafetensors(bytesSource('a.safetensors', bytes));
    await expect(largest('t')).rejects.toThrow(/"t"\[1, 0\] is NaN/);
  });

  test('bfloat16 and 64-bit integers entry by entry', () => {
    const values = [0, 1, -2.5, 3.140625, 2 ** 100, -Infinity];
    const codec = codecOf('BF16');
    expect(codec.decode(codec.encode(values) as Uint8Array)).toEqual(Float64Array.from(values));
    const whole = codecOf('I64');
    expect(whole.decode(whole.encode([1, -7, 2 ** 52]) as Uint8Array)).toEqual(Float64Array.of(1, -7, 2 ** 52));
  });
});

describe('encodings', () => {
  test('long strings and lists', () => {
    expect(decode(encode(long))).toBe(long);
    expect(decode(encode(Array.from({ length: 3e5 }, (_, i) => i)))).toHaveLength(3e5);
  });

  test('numbers', () => {
    for (const n of [0n, 1n, -1n, 255n, 256n, -(2n ** 64n), 2n ** 4000n + 15n]) expect(decode(encode(n))).toBe(n);
    expect(() => encode(2n ** 1_000_000n)).toThrow(CodecError);
    const bytes = new Uint8Array(4_000_006).fill(1);
    bytes.set([4, 0, 0x80, 0x92, 0xf4, 0x01]);
    expect(() => decode(bytes)).toThrow(/too long/);
  });
});

describe('sizes of files', async () => {
  const device = await testDevice();
  const made = await makeFiles(device, text(3), 1);
  const { gadgets } = made.bundle;

  test('a proof has the size that its program says', async () => {
    const { least, most } = proofSize(gadgets, bodySize(made.argument));
    expect(made.proof).toHaveLength(least);
    const file = decodeProof(gadgets, made.proof);
    expect(encodeProof(gadgets, { ...file, context: new Uint8Array(LONGEST_CONTEXT) })).toHaveLength(most);
    const { rangeProof } = decodeCommitment(made.commitment);
    expect(made.commitment).toHaveLength(commitmentSize(gadgets.sources[0], rangeProof.length));
    await Promise.resolve();
  });
});

describe('names', () => {
  const { bundle } = compile({ text: text(3), source: 'a.zkl', resolveImport: () => undefined });
  const decoded = decodeBundle(bundle!);
  const bad = ['\u001b[2J', 'a\nb', 'a\u007f', 'a\u009b', 'a\u2028', 'a\u202e', 'a\u2066', 'x'.repeat(4097)];

  test.each(bad.map((name) => [JSON.stringify(name).slice(0, 20), name]))('%s is refused', (_, name) => {
    const { gadgets } = decoded;
    const tensors = gadgets.tensors.map((t, i) => (i === 0 ? { ...t, name } : t));
    const sources = gadgets.sources.map((s) => ({ ...s, name }));
    const files = gadgets.sources.map((s) => ({
      ...s,
      tensors: s.tensors.map((t, i) => (i === 0 ? { ...t, name } : t)),
    }));
    for (const changed of [
      { ...decoded, gadgets: { ...gadgets, name } },
      { ...decoded, gadgets: { ...gadgets, tensors } },
      { ...decoded, gadgets: { ...gadgets, sources } },
      { ...decoded, gadgets: { ...gadgets, sources: files } },
      { ...decoded, sources: [{ name, text: '' }] },
    ])
      expect(() => decodeBundle(encodeBundle(changed))).toThrow(CodecError);
    const empty = new Uint8Array(0);
    const commitment = { source: name, layout: new Uint8Array(32), points: empty, rangeProof: empty };
    expect(() => decodeCommitment(encodeCommitment(commitment))).toThrow(CodecError);
    const compiled = compile({ text: text(3), source: name, resolveImport: () => undefined });
    expect(compiled.bundle).toBeUndefined();
    expect(compiled.diagnostics.map((d) => d.code)).toContain('ZKL219');
  });

  test('names in any script, and long ones, are read', () => {
    for (const name of ['\u00e9t\u00e9 \u65e5\u672c\u8a9e \ud83d\ude00', 'x'.repeat(512)])
      expect(decodeBundle(encodeBundle({ ...decoded, gadgets: { ...decoded.gadgets, name } })).gadgets.name).toBe(name);
  });
});
