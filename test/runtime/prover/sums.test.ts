/** Sums of products of tensors, and of multiples of numbers, against bigints. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AxisBinding, GadgetProgram, GadgetTensor, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import type { Range } from '../../../compiler/ir/tensor/program.ts';
import { createReferenceDevice, createWasmDevice, type Device } from '../../../runtime/device/index.ts';
import { bitsFor } from '../../../runtime/protocol/scalar.ts';
import { forEachIndex } from '../../../runtime/protocol/statement/views.ts';
import { toEntries, allocateComputed, toComputed, type ComputedIntegers } from '../../../runtime/integers/arrays.ts';
import { makeSums } from '../../../runtime/integers/sums.ts';
import { onDevice } from '../../../runtime/evaluate/sums/products.ts';
import { sumOf } from '../../../runtime/evaluate/witness/witness.ts';
import { size } from '../protocol/multilinear.ts';

const rangeOf = (bits: number): Range =>
  bits === 1 ? { lo: 0n, hi: 1n } : { lo: -(2n ** BigInt(bits - 1)), hi: 2n ** BigInt(bits - 1) - 1n };

/** Of about so many, one in four an end of the range. */
const entry = ({ lo, hi }: Range): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.bigInt({ min: lo, max: hi }) },
    { weight: 1, arbitrary: fc.constantFrom(lo, hi) },
  );

const entries = (range: Range, count: number): fc.Arbitrary<bigint[]> =>
  fc.array(entry(range), { minLength: count, maxLength: count });

const boundsOf = (values: readonly bigint[]): Range => ({
  lo: values.reduce((a, b) => (b < a ? b : a), 0n),
  hi: values.reduce((a, b) => (b > a ? b : a), 0n),
});

const tensor = (name: string, shape: readonly number[], range: Range): GadgetTensor => ({
  name,
  shape,
  range,
  scale: { num: 1n, den: 1n },
  class: { kind: 'defined', level: 1 },
  span: { source: 'test', start: 0, end: 0 },
});

/** An index that an axis of a factor runs along: an output's, or a reduced one of the term. */
type Symbol = { readonly output: number } | { readonly reduced: number };

interface Factor {
  readonly axes: readonly Symbol[];
  readonly range: Range;
  readonly values: readonly bigint[];
}

interface Term {
  readonly reduced: readonly number[];
  readonly factors: readonly Factor[];
  readonly scale: bigint;
}

interface Case {
  readonly shape: readonly number[];
  readonly terms: readonly Term[];
}

/** coefficient * the sum over all reduced indices of the product of the factors, entry by entry. */
function expected({ shape, terms }: Case): bigint[] {
  const out = Array.from({ length: size(shape) }, () => 0n);
  for (const { reduced, factors, scale } of terms)
    forEachIndex([...shape, ...reduced], (index, position) => {
      let product = scale;
      for (const { axes, values } of factors) {
        const at = axes.reduce((n, a) => {
          const k = 'output' in a ? a.output : shape.length + a.reduced;
          return n * [...shape, ...reduced][k] + index[k];
        }, 0);
        product *= values[at];
      }
      out[Math.floor(position / size(reduced))] += product;
    });
  return out;
}

/** The case as a program has it: outputs that occur once, shared ones, summed ones, and axes of their own. */
function programOf(
  { shape, terms }: Case,
  target: Range,
): { program: GadgetProgram; terms: GadgetTerm[]; values: (readonly bigint[])[] } {
  const tensors = [tensor('target', shape, target)];
  const values: (readonly bigint[])[] = [[]];
  const made = terms.map(({ reduced, factors, scale }): GadgetTerm => {
    const all = factors.flatMap((f) => f.axes);
    const uses = (s: Symbol): number => all.filter((a) => JSON.stringify(a) === JSON.stringify(s)).length;
    const shared = shape.flatMap((_, output) => (uses({ output }) > 1 ? [output] : []));
    // What one axis alone runs along may be an axis of its own.
    const isHalf = (r: number): boolean => uses({ reduced: r }) === 1 && r % 2 === 1;
    const summed = reduced.flatMap((_, r) => (isHalf(r) ? [] : [r]));
    let coefficient = scale;
    for (const [r, length] of reduced.entries()) if (isHalf(r)) coefficient *= BigInt(2 ** bitsFor(length));
    const bind = (a: Symbol): AxisBinding => {
      if ('output' in a)
        return shared.includes(a.output)
          ? { kind: 'summed', variable: shared.indexOf(a.output) }
          : { kind: 'output', output: a.output };
      return isHalf(a.reduced)
        ? { kind: 'half' }
        : { kind: 'summed', variable: shared.length + summed.indexOf(a.reduced) };
    };
    return {
      coefficient,
      variables: [...shared.map((o) => shape[o]), ...summed.map((r) => reduced[r])],
      shared,
      free: shape.flatMap((_, output) => (uses({ output }) === 0 ? [output] : [])),
      factors: factors.map(({ axes, range, values: own }) => {
        values.push(own);
        const lengths = axes.map((a) => ('output' in a ? shape[a.output] : reduced[a.reduced]));
        return { tensor: tensors.push(tensor(`factor ${tensors.length}`, lengths, range)) - 1, axes: axes.map(bind) };
      }),
    };
  });
  return { program: { tensors } as unknown as GadgetProgram, terms: made, values };
}

/** The sum on a device, in numbers as wide as its own values, or as the terms' ranges need. */
async function summed(device: Device, c: Case, target: Range): Promise<ComputedIntegers> {
  const { program, terms, values } = programOf(c, target);
  const stored = values.map((v, id) => toComputed([...v], program.tensors[id].range));
  return onDevice(device, (place) => sumOf(place, program, program.tensors[0], terms, (id) => stored[id]));
}

const BITS = [1, 2, 15, 16, 17, 20, 31, 32, 33, 40, 53, 54, 60, 64, 70];

function factor(shape: readonly number[], reduced: readonly number[], bits: readonly number[]): fc.Arbitrary<Factor> {
  const symbols: Symbol[] = [...shape.map((_, output) => ({ output })), ...reduced.map((_, r) => ({ reduced: r }))];
  const axes = symbols.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...symbols), { maxLength: 3 });
  return fc.tuple(axes, fc.constantFrom(...bits)).chain(([own, width]) => {
    const count = size(own.map((a) => ('output' in a ? shape[a.output] : reduced[a.reduced])));
    return entries(rangeOf(width), count).map((values) => ({ axes: own, range: rangeOf(width), values }));
  });
}

const scale = fc.oneof(
  fc.constantFrom(1n, -1n, 0n, 3n * 2n ** 40n, 2n ** 24n - 1n),
  fc.bigInt({ min: -(2n ** 30n), max: 2n ** 30n }),
);

const lengths = (most: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: most });

const cases: fc.Arbitrary<Case> = lengths(3).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    terms: fc.array(
      lengths(2).chain((reduced) =>
        fc.record({
          reduced: fc.constant(reduced),
          factors: fc.array(factor(shape, reduced, BITS), { maxLength: 4 }),
          scale,
        }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);

describe('sums of products', () => {
  let devices: readonly Device[] = [];
  beforeAll(async () => {
    devices = [createReferenceDevice(), await createWasmDevice({ threads: 1 })];
  });
  afterAll(async () => {
    for (const device of devices) await device.close();
  });

  async function check(device: Device, c: Case): Promise<void> {
    const want = expected(c);
    const range = boundsOf(want);
    const got = await summed(device, c, range);
    expect(Array.from(got, BigInt)).toEqual(want);
    expect(got.constructor).toBe(allocateComputed(range, 0).constructor);
  }

  test('of any factors, over any indices', async () => {
    await fc.assert(
      fc.asyncProperty(cases, (c) => check(devices[1], c)),
      { seed: 11, numRuns: 400 },
    );
  });

  test(
    'matrix products, with their axes in any order, are what a device makes of them',
    { timeout: 60_000 },
    async () => {
      const matrices = fc
        .record({
          // Batch, rows, columns, of which the first two have two indices.
          shape: fc.constantFrom(
            [2, 1, 3, 4, 70],
            [1, 1, 40, 1, 41],
            [3, 2, 1, 1, 400],
            [1, 2, 60, 3, 7],
            [1, 1, 1, 2, 300],
          ),
          depth: fc.constantFrom([70], [11, 5], [64, 1]),
          order: fc.nat(),
          bits: fc.constantFrom([16, 16], [16, 20], [17, 16], [40, 16], [20, 44], [26, 26], [54, 8]),
          seed: fc.nat(),
          device: fc.constantFrom(0, 1),
        })
        .map(({ shape, depth, order, bits, seed, device }) => {
          const at = (output: number): Symbol => ({ output });
          const inner = depth.map((_, reduced): Symbol => ({ reduced }));
          const sides = [
            [at(0), at(1), at(2), at(3), ...inner],
            [at(0), at(1), ...inner, at(4)],
          ].map((axes, side) => (order % (2 + side) === 0 ? axes : [...axes].reverse()));
          const factors = sides.map((axes, side): Factor => {
            const count = size(axes.map((a) => ('output' in a ? shape[a.output] : depth[a.reduced])));
            const range = rangeOf(bits[side]);
            return { axes, range, values: pseudorandom(seed + side, count, range) };
          });
          return { device, c: { shape, terms: [{ reduced: depth, factors, scale: seed % 2 === 0 ? 1n : -5n }] } };
        });
      await fc.assert(
        fc.asyncProperty(matrices, ({ device, c }) => check(devices[device], c)),
        { seed: 12, numRuns: 40 },
      );
    },
  );

  test('the right factor may be larger than a piece of it on the device', async () => {
    const [rows, columns, depth] = [1, 3000, 700];
    const range = rangeOf(20);
    const factors: Factor[] = [
      { axes: [{ output: 0 }, { reduced: 0 }], range, values: pseudorandom(1, rows * depth, range) },
      { axes: [{ output: 1 }, { reduced: 0 }], range, values: pseudorandom(2, columns * depth, range) },
    ];
    await check(devices[1], { shape: [rows, columns], terms: [{ reduced: [depth], factors, scale: 1n }] });
  });

  test('selectors pick rows, also along a diagonal', async () => {
    const [tokens, words, width] = [40, 60, 9];
    const ones = Array.from({ length: tokens * words }, (_, k) => (k % words === (k * 7) % 59 ? 1n : 0n));
    const selector: Factor = { axes: [{ output: 0 }, { reduced: 0 }], range: rangeOf(1), values: ones };
    const range = rangeOf(20);
    const table: Factor = {
      axes: [{ reduced: 0 }, { output: 1 }],
      range,
      values: pseudorandom(3, words * width, range),
    };
    await check(devices[1], {
      shape: [tokens, width],
      terms: [{ reduced: [words], factors: [selector, table], scale: 3n }],
    });
    const square = Array.from({ length: 36 * 36 }, (_, k) => (k % 29 === 0 || k % 185 === 0 ? 1n : 0n));
    const diagonal: Factor = { axes: [{ output: 0 }, { output: 0 }], range: rangeOf(1), values: square };
    const beside: Factor = { axes: [{ output: 0 }], range, values: pseudorandom(4, 36, range) };
    await check(devices[1], { shape: [36], terms: [{ reduced: [], factors: [diagonal, beside], scale: 1n }] });
  });
});

/** As many values of a range, the ends among them. */
function pseudorandom(seed: number, count: number, { lo, hi }: Range): bigint[] {
  let state = BigInt(seed + 1);
  return Array.from({ length: count }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    const kind = (state >> 60n) & 7n;
    if (kind === 0n) return lo;
    return kind === 1n ? hi : lo + (BigInt.asUintN(62, state >> 2n) % (hi - lo + 1n));
  });
}

describe('sums of multiples', () => {
  test('are exact within 53 bits, within 84, and beyond', () => {
    const addends = fc.array(
      fc
        .constantFrom(...BITS)
        .chain((bits) => fc.record({ bits: fc.constant(bits), values: entries(rangeOf(bits), 5), scale })),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(addends, (list) => {
        const bound = (bits: number): bigint => 2n ** BigInt(bits);
        const most = list.reduce((n, { bits, scale: s }) => n + bound(bits) * (s < 0n ? -s : s), 0n);
        const sums = makeSums(5, most);
        for (const { bits, values, scale: s } of list) sums.add(toComputed(values, rangeOf(bits)), s, bound(bits));
        const want = Array.from({ length: 5 }, (_, i) => list.reduce((n, a) => n + a.scale * a.values[i], 0n));
        expect(Array.from(sums.result(boundsOf(want)), BigInt)).toEqual(want);
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  test('numbers survive every storage that holds them', () => {
    const stored = fc
      .constantFrom(...BITS)
      .chain((bits) => fc.tuple(fc.constant(rangeOf(bits)), entries(rangeOf(bits), 4)));
    fc.assert(
      fc.property(stored, ([range, values]) => {
        const numbers = toComputed(values, range);
        expect(Array.from(numbers, BigInt)).toEqual(values);
        expect(Array.from(toEntries(numbers, range), BigInt)).toEqual(values);
        expect(Array.from(toComputed(toEntries(numbers, range), range), BigInt)).toEqual(values);
      }),
      { seed: 14, numRuns: 200 },
    );
  });
});
