import type { SumcheckPoint } from '../../../runtime/kernels/expression.ts';
import { expect, it, test } from 'vitest';
import { indexed } from '../../../runtime/device/device.ts';
import {
  add,
  constant,
  degree,
  evaluate,
  leading,
  mul,
  print,
  SPLIT_BITS,
  sub,
  table,
  type Expression,
} from '../../../runtime/kernels/expression.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { KEPT_LIFTED } from '../../../runtime/device/wasm/operations/sumcheck.ts';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { FR_MODULUS } from '../../../runtime/field/params.ts';
import { describeDevices, EDGES, mod, Random } from './devices.ts';

const fraction = add(add(mul(table(0), table(3)), mul(table(2), table(1))), mul(constant(0), mul(table(1), table(3))));
const EXPRESSIONS: readonly Expression[] = [
  table(0),
  mul(table(0), table(0)),
  fraction,
  sub(mul(mul(table(0), table(1)), sub(table(2), constant(0))), table(3)),
  sub(constant(0), mul(add(add(table(0), table(1)), add(table(2), table(3))), add(table(1), table(1)))),
  mul(sub(table(0), table(1)), mul(sub(table(2), table(3)), sub(mul(table(0), table(1)), constant(1)))),
];

/** More products in one sum than are reduced at once. */
const long = Array.from({ length: 70 }, (_, i) => mul(table(i % 4), table((i + 1) % 3))).reduce<Expression>(
  (sum, product, i) => (i % 2 === 0 ? add(sum, product) : sub(sum, product)),
  table(3),
);

const valueOf = (e: Expression, tables: readonly bigint[], constants: readonly bigint[]): bigint =>
  evaluate<bigint>(e, {
    table: (i) => tables[i],
    constant: (i) => constants[i],
    add: (a, b) => mod(a + b),
    sub: (a, b) => mod(a - b),
    mul: (a, b) => mod(a * b),
  });

/** The round polynomial's value, or its coefficient of X^degree by finite differences: independent of how devices find it. */
function expectedRound(
  e: Expression,
  tables: readonly (readonly bigint[])[],
  constants: readonly bigint[],
  half: number,
  x: SumcheckPoint,
  weight: (j: number) => bigint,
): bigint {
  const at = (point: bigint) => {
    let sum = 0n;
    for (let j = 0; j < half; j++) {
      const bound = tables.map((t) => mod((t[j] ?? 0n) + point * ((t[j + half] ?? 0n) - (t[j] ?? 0n))));
      sum = mod(sum + weight(j) * valueOf(e, bound, constants));
    }
    return sum;
  };
  if (x !== 'inf') return at(BigInt(x));
  // The d-th difference of a polynomial of degree d is d! times its leading coefficient.
  const d = degree(e);
  let [difference, binomial, factorial] = [0n, 1n, 1n];
  for (let k = 0; k <= d; k++) {
    difference += ((d - k) % 2 === 0 ? 1n : -1n) * binomial * at(BigInt(k));
    binomial = (binomial * BigInt(d - k)) / BigInt(k + 1);
    if (k > 0) factorial *= BigInt(k);
  }
  return mod(difference * inverse(mod(factorial)));
}

/** 64-bit integers of which none needs more than 48 bits. */
const narrow = (random: Random, length: number): BigInt64Array =>
  BigInt64Array.from({ length }, () => random.integer(16 * (1 + random.below(3))));

function inverse(a: bigint): bigint {
  let [result, base] = [1n, a];
  for (let e = mod(-2n); e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

describeDevices('sumcheck', (device, name) => {
  it.each(EXPRESSIONS.map((e) => [print(e), e] as const))('computes rounds of %s', async (_, e) => {
    const random = new Random(degree(e));
    const constants = random.frs(2);
    // Every set of points is a shader of its own, slow to compile on a software GPU: all of them for one expression only.
    const few = name.startsWith('webgpu') && e !== fraction;
    const points: readonly SumcheckPoint[] = few ? [0, 'inf', -2] : [0, 1, 2, 'inf', 3, -2, 17];
    for (const variables of [1, 2, 5]) {
      const half = 2 ** (variables - 1);
      const lengths = [2 * half, Math.max(1, 2 * half - 3), half, 1];
      const tables = lengths.map((n) => random.frs(n));
      const innerBits = Math.floor((variables - 1) / 2);
      const [inner, outer, flat] = [random.frs(2 ** innerBits), random.frs(half / 2 ** innerBits), random.frs(half)];
      const cases = [
        { weights: undefined, weight: () => 1n },
        { weights: { inner, innerBits }, weight: (j: number) => inner[j % 2 ** innerBits] },
        { weights: { outer: flat, innerBits: 0 }, weight: (j: number) => flat[j] },
        { weights: { outer, innerBits }, weight: (j: number) => outer[j >> innerBits] },
        {
          weights: { outer, inner, innerBits },
          weight: (j: number) => outer[j >> innerBits] * inner[j % 2 ** innerBits],
        },
        { weights: { outer: flat.slice(0, -1), innerBits: 0 }, weight: (j: number) => (j < half - 1 ? flat[j] : 0n) },
      ];
      for (const { weights, weight } of cases)
        await device().scope(async () => {
          const vectors = tables.map((t) => device().frVector(t));
          const uploaded = weights && {
            innerBits: weights.innerBits,
            ...('outer' in weights ? { outer: device().frVector(weights.outer!) } : {}),
            ...('inner' in weights ? { inner: device().frVector(weights.inner!) } : {}),
          };
          const out = await device().round(device().prepare(e), vectors, constants, variables, points, uploaded);
          expect(out).toEqual(points.map((x) => expectedRound(e, tables, constants, half, x, weight)));
        });
    }
  });

  it('computes long rounds', async () => {
    const random = new Random(11);
    const variables = 11;
    const tables = [2048, 2047, 1025, 1500].map((n) => random.frs(n));
    const [outer, inner] = [random.frs(16), random.frs(64)];
    await device().scope(async () => {
      const out = await device().round(
        device().prepare(fraction),
        tables.map((t) => device().frVector(t)),
        [7n],
        variables,
        [0, 'inf'],
        { outer: device().frVector(outer), inner: device().frVector(inner), innerBits: 6 },
      );
      const weight = (j: number) => outer[j >> 6] * inner[j & 63];
      expect(out).toEqual([0, 'inf' as const].map((x) => expectedRound(fraction, tables, [7n], 1024, x, weight)));
    });
  });

  it('maps expressions over tables of different lengths', async () => {
    const random = new Random(12);
    for (const e of [...EXPRESSIONS, long]) {
      const tables = [9, 4, 1, 12].map((n) => random.frs(n));
      const constants = random.frs(2);
      await device().scope(async () => {
        const vectors = tables.map((t) => device().frVector(t));
        const out = device().map(device().prepare(e), vectors, constants, 13);
        const expected = Array.from({ length: 13 }, (_, i) =>
          valueOf(
            e,
            tables.map((t) => t[i] ?? 0n),
            constants,
          ),
        );
        expect(await device().readFr(out)).toEqual(expected);
      });
    }
  });

  it('takes tables of integers for what they stand for', async () => {
    const random = new Random(17);
    const variables = 4;
    const half = 2 ** (variables - 1);
    const ends = (bits: number) => [0n, 1n, -1n, -(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
    const entries = (bits: number, n: number) => {
      const edges = ends(bits);
      return Array.from({ length: n }, (_, i) => (i < 10 ? edges[(3 * i) % 5] : random.integer(bits)));
    };
    const field = [...EDGES, ...random.frs(3)];
    const points: readonly SumcheckPoint[] = [0, 'inf', -2];
    for (const [make, bits] of [
      [(v: readonly bigint[]) => Int16Array.from(v, Number), 16],
      [(v: readonly bigint[]) => Int32Array.from(v, Number), 32],
      [(v: readonly bigint[]) => BigInt64Array.from(v), 64],
    ] as const) {
      const [a, b] = [entries(bits, 2 * half), entries(16, half + 3)];
      const tables = [a, field, b, entries(bits, half)];
      const weights = random.frs(half);
      await device().scope(async () => {
        const vectors = [
          device().intVector(make(a)),
          device().frVector(field),
          device().intVector(Int16Array.from(b, Number)),
          device().intVector(make(tables[3])),
        ];
        const kernel = device().prepare(fraction);
        const outer = device().frVector(weights);
        const out = await device().round(kernel, vectors, [7n], variables, points, { outer, innerBits: 0 });
        expect(out).toEqual(points.map((x) => expectedRound(fraction, tables, [7n], half, x, (j) => weights[j])));
        const mapped = device().map(kernel, vectors, [7n], 2 * half);
        const at = (i: number) => tables.map((t) => mod(t[i] ?? 0n));
        expect(await device().readFr(mapped)).toEqual(
          Array.from({ length: 2 * half }, (_, i) => valueOf(fraction, at(i), [7n])),
        );
        const x = random.fr();
        for (const [k, folded] of device().fold(vectors, variables, x).entries())
          expect(await device().readFr(folded)).toEqual(
            Array.from({ length: half }, (_, j) =>
              mod((tables[k][j] ?? 0n) + x * ((tables[k][j + half] ?? 0n) - (tables[k][j] ?? 0n))),
            ),
          );
      });
    }
  });

  it('computes rounds and folds of products of integers, however wide', async () => {
    const random = new Random(20);
    const variables = 3;
    const half = 2 ** (variables - 1);
    const product = (...tables: number[]) => tables.map(table).reduce(mul);
    // Every product is a shader of its own: few of them on a software GPU.
    const all = [product(0), product(0, 1), product(0, 0, 1), product(2, 1, 0), product(0, 3, 1, 3)];
    const products = name.startsWith('webgpu') ? all.slice(1, 2) : all;
    const points: readonly SumcheckPoint[] = name.startsWith('webgpu') ? [0, 'inf', -2] : [0, 'inf', 1, -1, 2, -2, 3];
    // Of 8 bytes, as wide as a kernel takes them as they are, and a little more.
    const kinds = [
      (v: bigint) => Int16Array.of(Number(BigInt.asIntN(16, v))),
      (v: bigint) => Int32Array.of(Number(BigInt.asIntN(32, v))),
      ...[17, 34, 49, 50, 51, 64].map((bits) => (v: bigint) => BigInt64Array.of(BigInt.asIntN(bits, v))),
    ];
    const edges = [16, 32, 17, 34, 49, 50, 51, 64].flatMap((b) => [-(1n << BigInt(b - 1)), (1n << BigInt(b - 1)) - 1n]);
    const entry = (i: number): bigint => (i % 3 === 0 ? edges[random.below(edges.length)] : random.integer(64));
    const made = (kind: (typeof kinds)[number], length: number): Int16Array | Int32Array | BigInt64Array => {
      const parts = Array.from({ length }, (_, i) => kind(entry(i)));
      if (parts[0] instanceof Int16Array) return Int16Array.from(parts, ([v]) => Number(v));
      if (parts[0] instanceof Int32Array) return Int32Array.from(parts, ([v]) => Number(v));
      return BigInt64Array.from(parts, ([v]) => BigInt(v));
    };
    for (const [k, kind] of (name.startsWith('webgpu') ? kinds.slice(1, 2) : kinds).entries())
      for (const e of products) {
        const given = [made(kind, 2 * half), made(kinds[0], half + 3), made(kinds[k % 2], half - 1)];
        const field = random.frs(2 * half - 1);
        const tables = [...given.map((t) => Array.from(t as ArrayLike<number | bigint>, BigInt)), field];
        const weights = random.frs(half);
        await device().scope(async () => {
          const vectors = [...given.map((t) => device().intVector(t)), device().frVector(field)];
          const outer = device().frVector(weights);
          const out = await device().round(device().prepare(e), vectors, [], variables, points, {
            outer,
            innerBits: 0,
          });
          expect(out).toEqual(points.map((x) => expectedRound(e, tables, [], half, x, (j) => weights[j])));
          const x = random.fr();
          for (const [i, folded] of device().fold(vectors, variables, x).entries())
            expect(await device().readFr(folded)).toEqual(
              Array.from({ length: Math.min(half, tables[i].length) }, (_, j) =>
                mod(tables[i][j] + x * ((tables[i][j + half] ?? 0n) - tables[i][j])),
              ),
            );
        });
      }
  });

  it('takes tables given by positions', async () => {
    const random = new Random(18);
    const variables = 5;
    const half = 2 ** (variables - 1);
    const [entries, others] = [random.frs(7), random.frs(3)];
    const positions = (n: number, of: number) => Int32Array.from({ length: n }, () => random.below(of));
    const [a, b, c] = [positions(2 * half, 7), positions(half + 3, 7), positions(half - 2, 3)];
    const field = random.frs(2 * half - 1);
    const pick = (from: readonly bigint[], at: Int32Array) => Array.from(at, (i) => from[i]);
    const tables = [pick(entries, a), field, pick(entries, b), pick(others, c)];
    const weights = random.frs(half);
    await device().scope(async () => {
      const [own, second] = [device().frVector(entries), device().frVector(others)];
      // A part of a longer list of positions.
      const longer = device().intVector(Int32Array.of(0, ...a, 5));
      const given = [
        indexed(own, device().slice(longer, 1, a.length)),
        device().frVector(field),
        indexed(own, device().intVector(b)),
        indexed(second, device().intVector(c)),
      ];
      const kernel = device().prepare(fraction);
      const outer = device().frVector(weights);
      for (const points of [[0], [0, 'inf', -2]] as const) {
        const out = await device().round(kernel, given, [7n], variables, points, { outer, innerBits: 0 });
        expect(out).toEqual(points.map((x) => expectedRound(fraction, tables, [7n], half, x, (j) => weights[j])));
      }
      const at = (i: number) => tables.map((t) => t[i] ?? 0n);
      expect(await device().readFr(device().map(kernel, given, [7n], 2 * half))).toEqual(
        Array.from({ length: 2 * half }, (_, i) => valueOf(fraction, at(i), [7n])),
      );
      const x = random.fr();
      for (const [k, folded] of device().fold(given, variables, x).entries())
        expect(await device().readFr(folded)).toEqual(
          Array.from({ length: Math.min(half, tables[k].length) }, (_, j) =>
            mod(tables[k][j] + x * ((tables[k][j + half] ?? 0n) - tables[k][j])),
          ),
        );
      const short = device().intVector(Int16Array.of(1));
      expect(() => device().map(kernel, [indexed(own, short), ...given.slice(1)], [7n], 1)).toThrow(/2 bytes/);
    });
  });

  it('takes tables given by positions of two elements each', async () => {
    const random = new Random(21);
    const lows = 2 ** SPLIT_BITS;
    const [variables, half] = [4, 8];
    const entries = random.frs(lows + 3);
    const positions = Int32Array.from({ length: half + 3 }, () => random.below(3 * lows));
    const picked = Array.from(positions, (i) => mod(entries[i % lows] + entries[lows + Math.floor(i / lows)]));
    const field = random.frs(2 * half - 1);
    const e = mul(table(0), table(1));
    await device().scope(async () => {
      const given = [
        indexed(device().frVector(entries), device().intVector(positions), true),
        device().frVector(field),
      ];
      const kernel = device().prepare(e);
      const out = await device().round(kernel, given, [], variables, [0, 'inf']);
      const expected = [0, 'inf' as const].map((x) => expectedRound(e, [picked, field], [], half, x, () => 1n));
      expect(out).toEqual(expected);
      expect(await device().readFr(device().map(kernel, given, [], 2 * half))).toEqual(
        Array.from({ length: 2 * half }, (_, i) => mod((picked[i] ?? 0n) * (field[i] ?? 0n))),
      );
      const x = random.fr();
      expect(await device().readFr(device().fold(given, variables, x)[0])).toEqual(
        Array.from({ length: half }, (_, j) => mod(picked[j] + x * ((picked[j + half] ?? 0n) - picked[j]))),
      );
    });
  });

  it('maps into stretches of a space', async () => {
    const random = new Random(19);
    const linear = sub(
      add(table(0), mul(constant(0), sub(table(1), table(0)))),
      mul(add(table(2), table(1)), constant(1)),
    );
    for (const e of [fraction, linear, constant(1)]) {
      const [tables, constants] = [[40, 33, 40, 7].map((n) => random.frs(n)), random.frs(2)];
      await device().scope(async () => {
        const space = device().space(40);
        const vectors = tables.map((t) => device().frVector(t));
        // Into the second part first; what is made in a scope of its own stays.
        for (const [start, length] of [
          [17, 23],
          [0, 17],
        ])
          await device().scope(async () => {
            const parts = vectors.map((v) =>
              device().slice(v, Math.min(start, v.length), Math.max(0, Math.min(length, v.length - start))),
            );
            const into = device().slice(space, start, length);
            expect(device().map(device().prepare(e), parts, constants, length, into)).toBe(into);
          });
        const at = (i: number) => tables.map((t) => t[i] ?? 0n);
        expect(await device().readFr(space)).toEqual(
          Array.from({ length: 40 }, (_, i) => valueOf(e, at(i), constants)),
        );
        expect(() => device().map(device().prepare(e), vectors, constants, 39, space)).toThrow(/39 entries into/);
      });
    }
  });

  it('folds tables of every length', async () => {
    const random = new Random(13);
    for (const variables of [1, 2, 4]) {
      const half = 2 ** (variables - 1);
      for (const x of [0n, 1n, random.fr()])
        await device().scope(async () => {
          const tables = Array.from({ length: 2 * half }, (_, i) => random.frs(i + 1));
          const folded = device().fold(
            tables.map((t) => device().frVector(t)),
            variables,
            x,
          );
          for (const [i, t] of tables.entries()) {
            const expected = Array.from({ length: Math.min(half, t.length) }, (_, j) =>
              mod(t[j] + x * ((t[j + half] ?? 0n) - t[j])),
            );
            expect(await device().readFr(folded[i])).toEqual(expected);
          }
        });
    }
  });

  it('takes inner products over the common length', async () => {
    const random = new Random(14);
    for (const [n, m] of [
      [1, 1],
      [7, 9],
      [64, 64],
      [1000, 999],
    ] as const) {
      const [a, b] = [random.frs(n), random.frs(m)];
      const expected = mod(a.slice(0, m).reduce((sum, x, i) => (i < m ? sum + x * b[i] : sum), 0n));
      await device().scope(async () =>
        expect(await device().inner(device().frVector(a), device().frVector(b))).toBe(expected),
      );
    }
  });

  it('contracts integers and field elements', async () => {
    const random = new Random(15);
    for (const shape of [
      [1, 1, 1],
      [3, 5, 7],
      [1, 37, 1],
      [2, 17, 1],
      [1, 3, 9],
      [1, 2100, 2],
      [1, 70, 131],
      [2, 33, 64],
      [5, 263, 3],
      [19, 8, 1],
    ] as const) {
      const [outer, reduce, inner] = shape;
      const weights = random.frs(reduce + 1);
      const size = outer * reduce * inner;
      for (const values of [
        random.int16(size),
        random.int32(size),
        random.int64(size),
        narrow(random, size),
        random.int32(size).map((v) => v >> 12),
        random.frs(size),
      ]) {
        const expected = Array.from({ length: outer * inner }, (_, t) => {
          let sum = 0n;
          for (let d = 0; d < reduce; d++)
            sum += weights[d] * BigInt(values[(Math.floor(t / inner) * reduce + d) * inner + (t % inner)]);
          return mod(sum);
        });
        await device().scope(async () => {
          const v = Array.isArray(values) ? device().frVector(values) : device().intVector(values);
          expect(await device().readFr(device().contract(v, shape, device().frVector(weights)))).toEqual(expected);
        });
      }
    }
  });

  it('combines rows of a matrix, wherever they are', async () => {
    const random = new Random(16);
    for (const [available, columns, rows] of [
      [1, 1, [0]],
      [5, 3, [4, 0, 4]],
      [90, 70, [3, 4, 5, 6, 40, 89]],
      [90, 16, Array.from({ length: 90 }, (_, i) => i)],
      [200, 32, Array.from({ length: 100 }, (_, i) => 2 * i + 1)],
      [3, 8, []],
    ] as const) {
      const size = available * columns;
      const weights = random.frs(rows.length + 2);
      for (const values of [
        random.int16(size),
        random.int32(size),
        random.int64(size),
        random.int32(size).map((v) => v >> 12),
        random.frs(size),
      ]) {
        const expected = Array.from({ length: columns }, (_, j) =>
          mod(rows.reduce((sum, row, k) => sum + weights[k] * BigInt(values[row * columns + j]), 0n)),
        );
        await device().scope(async () => {
          const v = Array.isArray(values) ? device().frVector(values) : device().intVector(values);
          const combined = device().combineRows(v, columns, Int32Array.from(rows), device().frVector(weights));
          expect(await device().readFr(combined)).toEqual(expected);
        });
      }
    }
    // Two stretches of many rows.
    await device().scope(async () => {
      const columns = 64;
      const rows = Int32Array.from({ length: 4200 }, (_, k) => (k < 4000 ? k : k + 5));
      const values = Int16Array.from({ length: 4210 * columns }, (_, i) => (i * 7919) % 32768);
      const weights = Array.from(rows, (row) => BigInt(row + 1));
      const expected = Array.from({ length: columns }, (_, j) =>
        mod(BigInt(rows.reduce((sum, row) => sum + (row + 1) * values[row * columns + j], 0))),
      );
      const v = device().intVector(values);
      const combined = device().combineRows(v, columns, rows, device().frVector(weights));
      expect(await device().readFr(combined)).toEqual(expected);
    });
    await device().scope(async () => {
      const v = device().intVector(new Int16Array(12));
      const weights = device().frVector([1n, 2n]);
      expect(() => device().combineRows(v, 4, Int32Array.of(0, 3), weights)).toThrow(/row 3 of a matrix of 3 rows/);
      expect(() => device().combineRows(v, 4, Int32Array.of(-1), weights)).toThrow(/row -1/);
      expect(() => device().combineRows(v, 4, Int32Array.of(0, 1, 2), weights)).toThrow(/2 weights for 3 rows/);
    });
  });

  it('contracts integers at the ends of what their bits hold, by weights of the largest digits', async () => {
    // What balanced digits of 51 bits cannot exceed, as the integer that stands for the weight.
    const digits = [0n, 1n, 2n, 3n].reduce((sum, i) => sum + (1n << (51n * i + 50n)), 0n);
    const fromMontgomery = inverse(mod(1n << 255n));
    for (const weight of [
      mod(digits * fromMontgomery),
      mod(-digits * fromMontgomery),
      FR_MODULUS >> 1n,
      FR_MODULUS - 1n,
    ])
      for (const bits of [16, 17, 19, 20, 21, 22, 23, 32])
        for (const value of [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1])
          for (const [outer, reduce, inner] of [
            [1, 2100, 16],
            [2, 2100, 1],
          ] as const)
            await device().scope(async () => {
              const size = outer * reduce * inner;
              const v = device().intVector((bits === 16 ? new Int16Array(size) : new Int32Array(size)).fill(value));
              const weights = device().frVector(Array.from({ length: reduce }, () => weight));
              const expected = mod(BigInt(value) * BigInt(reduce) * weight);
              const got = await device().readFr(device().contract(v, [outer, reduce, inner], weights));
              expect(got.filter((x) => x !== expected)).toEqual([]);
            });
  });

  it('contracts parts of a vector whose entries are wider elsewhere', async () => {
    const values = Int32Array.from({ length: 96 }, (_, i) => (i < 32 ? i - 16 : i < 64 ? 2 ** 30 : -(2 ** 19)));
    await device().scope(async () => {
      const v = device().intVector(values);
      const weights = device().frVector(Array.from({ length: 32 }, () => 3n));
      for (const [first, expected] of [
        [0, -48n],
        [32, 96n * 2n ** 30n],
        [64, -96n * 2n ** 19n],
        [0, -48n],
      ] as const) {
        const sum = device().contract(device().slice(v, first, 32), [1, 32, 1], weights);
        expect(await device().readFr(sum)).toEqual([mod(expected)]);
      }
    });
  });

  it('refuses shapes that do not fit', async () => {
    await device().scope(async () => {
      const v = device().frVector([1n, 2n, 3n, 4n]);
      expect(() => device().contract(v, [1, 3, 1], v)).toThrow(RangeError);
      expect(() => device().contract(v, [1, 4, 1], device().slice(v, 0, 3))).toThrow(/3 weights/);
      expect(() => device().fold([v], 1, 1n)).toThrow(/more than 2\^1/);
      expect(() => device().fold([v], 0, 1n)).toThrow(/no variable left/);
      expect(() => device().map(device().prepare(table(1)), [v], [], 4)).toThrow(/reads 2 tables/);
      await expect(device().round(device().prepare(constant(0)), [v], [], 2, [0])).rejects.toThrow(/1 constants/);
    });
  });
});

it('takes leading coefficients of expressions of mixed degree', () => {
  expect(print(leading(add(mul(table(0), table(1)), table(2))))).toBe('t0 * t1');
  expect(print(leading(sub(constant(0), table(0))))).toBe('((t0 - t0) - t0)');
  expect(degree(leading(fraction))).toBe(2);
});

test('the reference device maps into spaces of any length', async () => {
  const device = createReferenceDevice();
  await device.scope(async () => {
    const length = 150_000;
    const space = device.space(length);
    device.map(device.prepare(constant(0)), [], [7n], length, space);
    expect(await device.readFr(device.slice(space, length - 1, 1))).toEqual([7n]);
  });
});

test('the wasm device takes long tables of integers as it takes field elements, and keeps none of these', async () => {
  const device = await createWasmDevice({ threads: 1 });
  await device.scope(async () => {
    const bits = Math.log2(KEPT_LIFTED) + 1;
    // Ends early, in both halves of which a stretch of the kernels does.
    const length = KEPT_LIFTED + 70_001;
    const integers = device.intVector(Int16Array.from({ length }, (_, i) => ((i * 7919) % 65536) - 32768));
    const product = device.prepare(mul(table(0), table(0)));
    const before = device.memory().used;
    const sums = await device.round(product, [integers], [], bits, [0, 'inf']);
    expect(device.memory().used).toBe(before);
    const [folded] = device.fold([integers], bits, 12345678901234567890n);
    const elements = device.lift(integers);
    expect(sums).toEqual(await device.round(product, [elements], [], bits, [0, 'inf']));
    const [expected] = device.fold([elements], bits, 12345678901234567890n);
    expect(folded.length).toBe(expected.length);
    const ones = device.map(device.prepare(constant(0)), [], [1n], folded.length);
    const weights = device.eq(Array.from({ length: bits - 1 }, (_, i) => BigInt(3 * i + 5)));
    for (const by of [ones, weights]) expect(await device.inner(folded, by)).toBe(await device.inner(expected, by));
  });
  await device.close();
});
