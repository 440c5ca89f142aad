import { describe, expect, it } from 'vitest';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { inverse, modulo } from '../../../runtime/field/spec.ts';
import { i32, type I32 } from '../../../runtime/kernels/wasm/emit/code.ts';
import { Constants } from '../../../runtime/kernels/wasm/emit/constants.ts';
import { hasFusedMultiplyAdd } from '../../../runtime/kernels/wasm/core.ts';
import { balancedDigits } from '../../../runtime/kernels/wasm/field/digits.ts';
import { Field, WIDE_TERMS, type Pair } from '../../../runtime/kernels/wasm/field/field.ts';
import { emitInverse } from '../../../runtime/kernels/wasm/field/inverse.ts';
import { CONSTANTS, CONSTANTS_BYTES, ScratchPlan } from '../../../runtime/kernels/wasm/emit/layout.ts';
import { ModuleBuilder, type Code } from '../../../runtime/kernels/wasm/emit/module.ts';
import { multiplesAt } from '../../../runtime/kernels/wasm/vectors/scalar.ts';
import { Random } from '../device/devices.ts';

const [X, Y, Z, OUT, WIDE, MULTIPLES, SCRATCH] = [65536, 69632, 73728, 77824, 81920, 86016, 131072] as const;
const MEMORY = { shared: false, maximumPages: 16 } as const;

/** A module with the operations under test on pairs at X, Y and Z. */
function build(p: bigint, w: number, n: number, fused: boolean) {
  const constants = new Constants(CONSTANTS, CONSTANTS_BYTES, fused);
  const field = new Field(p, w, n, constants);
  const m = new ModuleBuilder();
  const define = (name: string, body: (c: Code, x: Pair, y: Pair, z: Pair) => Pair) =>
    m.function({ name, params: [] }, (c) =>
      field.store(c, OUT, body(c, field.load(c, X), field.load(c, Y), field.load(c, Z))),
    );
  define('mul', (c, x, y) => field.mul(c, x, y, { normal: true }));
  define('square', (c, x) => field.mul(c, x, x, { normal: true }));
  define('squareOfDifference', (c, x, y) => {
    const d = field.sub(c, x, y);
    return field.mul(c, d, d, { normal: true });
  });
  define('mulSub', (c, x, y, z) => field.mul(c, field.sub(c, x, y), z, { normal: true, minus: field.add(c, x, x) }));
  define('threeProducts', (c, x, y, z) =>
    field.sumOfProducts(
      c,
      [
        [x, y],
        [field.add(c, y, z), x],
        [z, z],
      ],
      { normal: true },
    ),
  );
  const multiples = multiplesAt(field, at(MULTIPLES));
  define('multiples', (c, x, y, z) =>
    field.sumOfMultiples(
      c,
      [
        { a: field.sub(c, x, y), multiples },
        { a: z, multiples },
      ],
      field.add(c, x, x),
    ),
  );
  define('multiple', (c, x) => field.sumOfMultiples(c, [{ a: x, multiples }]));
  define('normalize', (c, x, y, z) => field.normalize(c, field.sub(c, field.add(c, x, y), field.scale(c, z, 3))));
  define('halves', (c, x) => field.joinHalves(c, field.splitHalves(c, x)));
  m.function({ name: 'addProduct', params: [] }, (c) =>
    field.addProduct(c, wide(), field.sub(c, field.load(c, X), field.load(c, Z)), field.load(c, Y)),
  );
  m.function({ name: 'reduceWide', params: [] }, (c) => field.store(c, OUT, field.reduceWide(c, wide())));
  emitInverse(m, 'inverse', field, new ScratchPlan());
  const memory = new WebAssembly.Memory({ initial: 4, maximum: MEMORY.maximumPages });
  const module = new WebAssembly.Module(m.bytes(MEMORY));
  const instance = new WebAssembly.Instance(module, { env: { memory, scratch: SCRATCH } });
  constants.flush(memory.buffer);
  const f64 = new Float64Array(memory.buffer);
  const write = (address: number, values: readonly [bigint, bigint]) =>
    values.forEach((v, lane) =>
      balancedDigits(v, w, n).forEach((digit, i) => {
        f64[address / 8 + 2 * i + lane] = Number(digit);
      }),
    );
  /** Reads a result, checking that it is normal. */
  const read = (lane: number): bigint => {
    const digits = Array.from({ length: n }, (_, i) => f64[OUT / 8 + 2 * i + lane]);
    for (const digit of digits) if (!Number.isInteger(digit)) throw new Error(`digit ${digit}`);
    for (const digit of digits.slice(0, -1)) if (Math.abs(digit) > 2 ** (w - 1)) throw new Error(`digit ${digit}`);
    const v = digits.reduceRight((sum, digit) => (sum << BigInt(w)) + BigInt(digit), 0n);
    const limit = p / 2n + (p >> 12n);
    if (v > limit || v < -limit) throw new Error(`${v} is not normal`);
    return v;
  };
  const run = instance.exports as Record<string, (...args: readonly number[]) => void>;
  return { field, f64, memory, write, read, run };
}

const at = (address: number): I32 => i32.const(address);
const wide = (): I32 => at(WIDE);

const VARIANTS = [
  ['Fr, 5 limbs of 51 bits', FR_MODULUS, 51, 5],
  ['Fr, 6 limbs of 46 bits', FR_MODULUS, 46, 6],
  ['Fr, 6 limbs of 45 bits', FR_MODULUS, 45, 6],
  ['Fq, 8 limbs of 50 bits', FQ_MODULUS, 50, 8],
  ['Fq, 8 limbs of 49 bits', FQ_MODULUS, 49, 8],
  ['Fq, 8 limbs of 48 bits', FQ_MODULUS, 48, 8],
] as const;

describe.each(VARIANTS)('%s', (_name, p, w, n) => {
  it.each([true, false])('agrees with bigints (fused: %s)', (fused) => {
    if (fused && !hasFusedMultiplyAdd()) return;
    const { field, f64, write, read, run } = build(p, w, n, fused);
    const random = new Random(w * n);
    const W = BigInt(w);
    const extreme = (digit: bigint, top: bigint) =>
      Array.from({ length: n }, (_, i) => (i === n - 1 ? top : digit)).reduceRight((v, d) => (v << W) + d, 0n);
    const top = p >> (W * BigInt(n - 1) + 1n);
    const edges = [
      0n,
      1n,
      -1n,
      p / 2n,
      -(p / 2n),
      1n << (W - 1n),
      1n << (W * BigInt(n - 1)),
      extreme(-(1n << (W - 1n)), top),
      extreme((1n << (W - 1n)) - 1n, top - 1n),
      extreme(-(1n << (W - 1n)), -top),
    ];
    const draw = (): bigint => {
      if (random.below(3) === 0) return edges[random.below(edges.length)];
      return (
        modulo(
          [1, 2, 3, 4, 5, 6, 7].reduce((v) => (v << 64n) | random.word(), 0n),
          p,
        ) -
        p / 2n
      );
    };
    const inv = inverse(field.R, p);
    for (let round = 0; round < 400; round++) {
      const [x, y, z] = [0, 1, 2].map(() => [draw(), draw()] as const) as [P2, P2, P2];
      write(X, x);
      write(Y, y);
      write(Z, z);
      const factor = modulo(draw(), p);
      field.multiples(factor).forEach((v, i) => f64.set(field.digits(v), (MULTIPLES + i * field.bytes) / 8));
      const expected: Record<string, (x: bigint, y: bigint, z: bigint) => bigint> = {
        mul: (a, b) => a * b * inv,
        square: (a) => a * a * inv,
        squareOfDifference: (a, b) => (a - b) ** 2n * inv,
        mulSub: (a, b, c) => (a - b) * c * inv - 2n * a,
        threeProducts: (a, b, c) => (a * b + (b + c) * a + c * c) * inv,
        multiples: (a, b, c) => (a - b + c) * factor - 2n * a,
        multiple: (a) => a * factor,
        normalize: (a, b, c) => a + b - 3n * c,
        halves: (a) => a,
      };
      for (const [name, value] of Object.entries(expected)) {
        run[name]();
        for (const lane of [0, 1] as const)
          expect(modulo(read(lane), p), name).toBe(modulo(value(x[lane], y[lane], z[lane]), p));
      }
      const terms = round % 8 === 0 ? WIDE_TERMS : 1 + (round % 7);
      f64.fill(0, WIDE / 8, (WIDE + field.wideBytes) / 8);
      for (let k = 0; k < terms; k++) run['addProduct']();
      run['reduceWide']();
      for (const lane of [0, 1] as const)
        expect(modulo(read(lane), p)).toBe(modulo(BigInt(terms) * (x[lane] - z[lane]) * y[lane] * inv, p));
      if (round % 4 === 0) {
        write(X, [x[0], x[0]]);
        run['inverse'](OUT, X);
        const value = modulo(x[0], p) === 0n ? 0n : inverse(x[0], p) * field.R * field.R;
        expect(modulo(read(1), p)).toBe(modulo(value, p));
      }
    }
  });
});

type P2 = readonly [bigint, bigint];

it('refuses limbs that would not be exact', () => {
  const constants = () => new Constants(CONSTANTS, CONSTANTS_BYTES, true);
  expect(() => new Field(FR_MODULUS, 52, 5, constants())).toThrow(/not exact/);
  expect(() => new Field(FQ_MODULUS, 47, 8, constants())).toThrow(/not exact/);
  expect(() => new Field(FR_MODULUS, 50, 6, constants())).toThrow(/too little/);
  const field = new Field(FR_MODULUS, 51, 5, constants());
  new ModuleBuilder().function({ params: [] }, (c) => {
    const x = field.load(c, X);
    const sum = field.add(c, x, field.add(c, x, x));
    expect(() => field.mul(c, sum, field.add(c, x, x))).toThrow(/slack 3 and 2/);
    expect(() =>
      field.sumOfProducts(
        c,
        Array.from({ length: WIDE_TERMS + 1 }, () => [x, x] as const),
      ),
    ).toThrow(/overflow/);
  });
});
