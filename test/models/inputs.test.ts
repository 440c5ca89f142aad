import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorType } from '../../compiler/ir/tensor/program.ts';
import {
  bytesSource,
  FormatError,
  inputsFromJson,
  inputsFromSafetensors,
  randomInputs,
  writeSafetensors,
} from '../../models/index.ts';
import type { TensorToWrite, WantedInput } from '../../models/index.ts';
import { quantise } from '../../runtime/integers/quantise.ts';

const fixed = (bits: number, frac: number): TensorType => ({ kind: 'fixed', bits, frac });
const x: WantedInput = { name: 'x', shape: [2, 3], type: fixed(16, 8) };
const last: WantedInput = { name: 'last', shape: [], type: { kind: 'index', size: 5 } };

const file = (tensors: Readonly<Record<string, TensorToWrite>>) =>
  inputsFromSafetensors(bytesSource('x.safetensors', writeSafetensors(new Map(Object.entries(tensors)))), [x, last]);
const tensor = (shape: number[], values: number[]): TensorToWrite => ({ dtype: 'F32', shape, values });
const json = (value: unknown, wanted = [x, last]) =>
  inputsFromJson(typeof value === 'string' ? value : JSON.stringify(value), 'x.json', wanted);

const right = new Map([
  ['x', new Float64Array([0.5, 1, 2, 3, 4, 5])],
  ['last', new Float64Array([4])],
]);

describe('from safetensors', () => {
  test('the tensors by name', async () => {
    expect(
      await file({ x: tensor([2, 3], [0.5, 1, 2, 3, 4, 5]), last: { dtype: 'I64', shape: [], values: [4] } }),
    ).toEqual(right);
  });

  const seven = tensor([], [4]);
  const cases: readonly (readonly [string, Readonly<Record<string, TensorToWrite>>, RegExp])[] = [
    [
      'a missing one',
      { last: seven },
      /^x\.safetensors: the input "x" of shape \[2, 3\] is missing; the file has "last"$/,
    ],
    [
      'a further one',
      { x: tensor([2, 3], [0, 0, 0, 0, 0, 0]), last: seven, y: seven },
      /no public input "y"; it takes "x", "last"/,
    ],
    [
      'another shape',
      { x: tensor([3, 2], [0, 0, 0, 0, 0, 0]), last: seven },
      /"x" has the shape \[3, 2\], the program declares \[2, 3\]/,
    ],
    ['another number of axes', { x: tensor([6], [0, 0, 0, 0, 0, 0]), last: seven }, /"x" has the shape \[6\]/],
    [
      'NaN',
      { x: tensor([2, 3], [0, 0, 0, 0, NaN, 0]), last: seven },
      /x\[1, 1\] is NaN; every entry has to be a finite number/,
    ],
    ['an infinity', { x: tensor([2, 3], [0, 0, -Infinity, 0, 0, 0]), last: seven }, /x\[0, 2\] is -Infinity/],
  ];
  test.each(cases)('%s', async (_, tensors, message) => {
    const error: unknown = await file(tensors).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toMatch(message);
  });
});

describe('from JSON', () => {
  test('nested or flat', () => {
    const nested = [[0.5, 1, 2], [3, 4, 5]]; // prettier-ignore
    expect(json({ x: nested, last: 4 })).toEqual(right);
    expect(json({ x: { shape: [2, 3], data: nested.flat() }, last: { shape: [], data: [4] } })).toEqual(right);
  });

  const row = [0, 0, 0];
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a missing input', { x: [row, row] }, /^x\.json: the input "last" of shape \[\] is missing; the file has "x"$/],
    ['a further input', { x: [row, row], last: 0, y: 1 }, /no public input "y"/],
    ['a string', { x: [row, [0, '1', 0]], last: 0 }, /x\[1, 1\] is a string; every entry/],
    ['null', { x: [row, [0, 0, null]], last: 0 }, /x\[1, 2\] is null/],
    ['a number over the floats', '{"x": [[0, 1e999, 0], [0, 0, 0]], "last": 0}', /x\[0, 1\] is Infinity/],
    [
      'NaN',
      '{"x": [[0, NaN, 0], [0, 0, 0]], "last": 0}',
      /the file is not JSON .*; write .* JSON has no NaN and no Infinity/,
    ],
    ['a short row', { x: [row, [0, 0]], last: 0 }, /x\[1\] has 2 entries, where the shape \[2, 3\] has 3/],
    ['rows that miss', { x: [row], last: 0 }, /x has 1 entries, where the shape \[2, 3\] has 2/],
    ['nesting too deep', { x: [row, [0, [0], 0]], last: 0 }, /x\[1, 1\] is an array/],
    ['nesting too flat', { x: [0, 1, 2], last: 0 }, /x has 3 entries/],
    [
      'a flat one of another shape',
      { x: { shape: [3, 2], data: [...row, ...row] }, last: 0 },
      /"x" has the shape \[3, 2\], the program declares \[2, 3\]/,
    ],
    [
      'flat data too short',
      { x: { shape: [2, 3], data: row }, last: 0 },
      /the data of "x" has 3 entries, its shape \[2, 3\] has 6/,
    ],
    ['NaN in flat data', { x: { shape: [2, 3], data: [...row, 0, null, 0] }, last: 0 }, /x\[1, 1\] is null/],
    ['an object without data', { x: { shape: [2, 3] }, last: 0 }, /an object without "shape" and "data"/],
    ['a name twice', '{"x": 1, "x": 2}', /the name "x" twice/],
    ['no object', '[1]', /no JSON object/],
    ['an array for a scalar', { x: [row, row], last: [4] }, /last is an array/],
  ];
  test.each(cases)('%s', (_, value, message) => {
    expect(() => json(value)).toThrow(FormatError);
    expect(() => json(value)).toThrow(message);
  });

  test('any JSON is read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((v) => JSON.stringify({ x: v, last: 0 })),
        ),
        (text) => {
          try {
            expect(json(text).get('x')).toHaveLength(6);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('random', () => {
  test('is what its documentation says', () => {
    const name = new TextEncoder().encode('zkl-random-inputs-v1\0seed\0x\0');
    const word = (i: number): number => {
      const block = sha256(new Uint8Array([...name, i >> 3, 0, 0, 0, 0, 0, 0, 0]));
      return new DataView(block.buffer).getUint32(4 * (i % 8), true);
    };
    const draw = (shape: number[], type: TensorType) => [
      ...randomInputs('seed', [{ name: 'x', shape, type }]).get('x')!,
    ];
    const words = Array.from({ length: 11 }, (_, i) => word(i));
    expect(draw([11], fixed(16, 8))).toEqual(words.map((w) => ((w >>> 18) - 2 ** 13) / 2 ** 8));
    expect(draw([11], fixed(40, 0))).toEqual(words.map((w) => (w - 2 ** 31) * 2 ** 6));
    expect(draw([11], { kind: 'index', size: 5 })).toEqual(words.map((w) => Math.floor((w * 5) / 2 ** 32)));
    expect(draw([], fixed(16, 8))).toEqual([((words[0] >>> 18) - 2 ** 13) / 2 ** 8]);
  });

  test('another seed or name gives other numbers, the same ones the same', () => {
    const wanted = [x, { ...x, name: 'y' }];
    const [a, b, c] = ['1', '1', '2'].map((seed) => randomInputs(seed, wanted));
    expect(a).toEqual(b);
    expect(a.get('x')).not.toEqual(a.get('y'));
    expect(a.get('x')).not.toEqual(c.get('x'));
  });

  test('numbers are of their type, exactly, and reach over a quarter of it', () => {
    const type = fc.oneof(
      fc.record({
        kind: fc.constant('fixed' as const),
        bits: fc.integer({ min: 1, max: 64 }),
        frac: fc.integer({ min: -64, max: 128 }),
      }),
      fc.record({ kind: fc.constant('index' as const), size: fc.integer({ min: 1, max: 2 ** 40 }) }),
    );
    fc.assert(
      fc.property(type, fc.string(), (type, seed) => {
        const values = randomInputs(seed, [{ name: 'x', shape: [7, 9], type }]).get('x')!;
        const integers = quantise('x', [7, 9], type, values);
        const unit = type.kind === 'fixed' ? 2 ** -type.frac : 1;
        values.forEach((v, i) => expect(Number(integers[i]) * unit).toBe(v));
        const most = type.kind === 'fixed' ? 2 ** Math.max(type.bits - 3, 0) : type.size;
        for (const v of integers) expect(Math.abs(Number(v))).toBeLessThanOrEqual(most);
        if (type.kind === 'fixed' && type.bits > 2)
          expect(Math.max(...Array.from(integers, Number))).toBeGreaterThanOrEqual(Math.floor(most / 2));
      }),
      { numRuns: 200 },
    );
  });
});
