/** Field operations on the device, in every form of their text, against bigints. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Gpu } from '../../../runtime/device/webgpu/gpu.ts';
import { MIB } from '../../../runtime/device/webgpu/limits.ts';
import { Params } from '../../../runtime/device/webgpu/memory/params.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { inverse } from '../../../runtime/field/spec.ts';
import { forEach } from '../../../runtime/kernels/wgsl/vectors/elementwise.ts';
import { wgslField, wordsOf, type FieldVariant, type WgslField } from '../../../runtime/kernels/wgsl/field/field.ts';
import { LIMB_WIDTHS } from '../../../runtime/kernels/wgsl/field/limbs.ts';
import { SMALL_BOUND } from '../../../runtime/kernels/wgsl/field/small.ts';
import { softwareAdapter } from '../../support/gpu.ts';
import { Random } from '../device/devices.ts';

const variants: readonly FieldVariant[] = LIMB_WIDTHS.flatMap((width) =>
  (['rolled', 'unrolled'] as const).map((rows) => ({ width, rows })),
);
const usual: FieldVariant = { width: 13, rows: 'rolled' };

/** Elements where limbs are full, empty, or carry: Montgomery representatives, as kernels see them. */
function elements({ plan }: WgslField, random: Random): bigint[] {
  const p = plan.modulus;
  const edges = [0n, 1n, 2n, p - 1n, p - 2n, (p - 1n) / 2n, (p + 1n) / 2n, plan.R % p, (p >> 32n) << 32n];
  for (let bit = 12; 1n << BigInt(bit) < p; bit += 13) edges.push((1n << BigInt(bit)) - 1n, 1n << BigInt(bit));
  const wide = () => Array.from({ length: 7 }, () => random.word()).reduce((a, w) => (a << 64n) | w, 0n);
  return [...edges, ...Array.from({ length: 24 }, () => wide() % p)];
}

const bytesOf = (values: readonly bigint[], words: number): Uint8Array =>
  new Uint8Array(Uint32Array.from(values.flatMap((v) => wordsOf(v, words).map(Number))).buffer);

function valuesOf(bytes: Uint8Array, words: number): bigint[] {
  const all = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return Array.from({ length: all.length / words }, (_, i) =>
    Array.from(all.subarray(i * words, (i + 1) * words)).reduceRight((v, w) => (v << 32n) | BigInt(w), 0n),
  );
}

describe('field operations', () => {
  let device: GPUDevice | undefined;
  beforeAll(async () => {
    device = await (await softwareAdapter())?.requestDevice();
  });
  beforeEach((context) => context.skip(!device, 'no software adapter on this machine'));
  afterAll(() => device?.destroy());

  const gpuWith = (fr: FieldVariant, fq: FieldVariant): Gpu =>
    new Gpu(
      device!,
      { fr: wgslField('fr', FR_MODULUS, fr), fq: wgslField('fq', FQ_MODULUS, fq) },
      { arena: MIB, arenas: 1, budget: MIB },
    );

  /** Runs a body with x and y, elements number i, and `out0`, `out1`, ... to fill. */
  async function run(
    gpu: Gpu,
    field: WgslField,
    name: string,
    [xs, ys]: readonly [readonly bigint[], readonly bigint[]],
    body: readonly string[],
    outputs: number,
  ): Promise<bigint[][]> {
    const quads = field.words / 4;
    const size = 4 * field.words * xs.length;
    const blocks = [gpu.allocate(size), gpu.allocate(size), gpu.allocate(size * outputs)];
    gpu.upload(blocks[0], bytesOf(xs, field.words));
    gpu.upload(blocks[1], bytesOf(ys, field.words));
    const load = (p: string) =>
      `${field.type}(${Array.from({ length: quads }, (_, q) => `load(0u, ${p} + ${quads}u * i + ${q}u)`).join(', ')})`;
    const kernel = {
      name,
      source: () => ({
        library: [],
        entry: forEach([
          `let x = ${load('p[1].x')};`,
          `let y = ${load('p[1].y')};`,
          ...Array.from({ length: outputs }, (_, k) => `var out${k}: ${field.type};`),
          ...body,
          ...Array.from({ length: outputs }, (_, k) =>
            Array.from(
              { length: quads },
              (_, q) => `store(0u, p[1].z + ${quads}u * (${k}u * p[0].x + i) + ${q}u, out${k}.v${q});`,
            ),
          ).flat(),
        ]),
      }),
    };
    const params = new Params(gpu.fr).quad(xs.length).quad(blocks[0].quad, blocks[1].quad, blocks[2].quad);
    gpu.dispatch(kernel, params.finish(), xs.length);
    const all = valuesOf(await gpu.read(blocks[2], 0, size * outputs), field.words);
    for (const b of blocks) gpu.free(b);
    return Array.from({ length: outputs }, (_, k) => all.slice(k * xs.length, (k + 1) * xs.length));
  }

  /** Every edge with every other, and random pairs. */
  function pairs(field: WgslField): [bigint[], bigint[]] {
    const random = new Random(field.plan.width);
    const all = elements(field, random);
    const [xs, ys]: [bigint[], bigint[]] = [[], []];
    for (const [i, x] of all.entries())
      for (const y of all.slice(0, i + 1)) {
        xs.push(x);
        ys.push(y);
      }
    return [xs, ys];
  }

  test.each(variants.flatMap((v) => (['fr', 'fq'] as const).map((field) => ({ field, ...v }))))(
    '$field, $width bits, $rows',
    async ({ field: name, ...variant }) => {
      const gpu = gpuWith(name === 'fr' ? variant : usual, name === 'fq' ? variant : usual);
      const field = gpu[name];
      const { R, modulus: p } = field.plan;
      const [xs, ys] = pairs(field);
      const body = ['add', 'sub', 'mul'].map((op, k) => `out${k} = ${name}_${op}(x, y);`);
      const [sums, differences, products] = await run(gpu, field, `${name} operations`, [xs, ys], body, 3);
      const unR = inverse(R, p);
      xs.forEach((x, i) => {
        expect(sums[i]).toBe((x + ys[i]) % p);
        expect(differences[i]).toBe((x - ys[i] + p) % p);
        expect(products[i]).toBe((((x * ys[i]) % p) * unR) % p);
      });
      gpu.release();
    },
  );

  test('what surrounds a product: one, zero, Montgomery form, zero test, reduction', async () => {
    const gpu = gpuWith(usual, usual);
    for (const field of [gpu.fr, gpu.fq]) {
      const { name, words } = field;
      const { R, modulus: p } = field.plan;
      const values = elements(field, new Random(5));
      // Below 2 p for `fit`.
      const twice = values.map((v, i) => (i % 2 === 0 ? v + p : v));
      const body = [
        `out0 = ${name}_enter(x);`,
        `out1 = ${name}_leave(x);`,
        `out2 = ${name}_fit(y);`,
        `out3 = ${name}_add(${name}_one(), ${name}_zero());`,
        `if ${name}_is_zero(x) { out4.v0.x = 1u; }`,
      ];
      const out = await run(gpu, field, `${name} forms`, [values, twice], body, 5);
      const unR = inverse(R, p);
      expect(out[0]).toEqual(values.map((v) => (v * R) % p));
      expect(out[1]).toEqual(values.map((v) => (v * unR) % p));
      expect(out[2]).toEqual(values);
      expect(out[3]).toEqual(values.map(() => R % p));
      expect(out[4]).toEqual(values.map((v) => (v === 0n ? 1n : 0n)));
      expect(words).toBe(name === 'fr' ? 8 : 12);
    }
    gpu.release();
  });

  test('small integers times elements, up to the bound and no error in the quotient', async () => {
    const gpu = gpuWith(usual, usual);
    const p = FR_MODULUS;
    const random = new Random(9);
    const smalls = [0, 1, -1, 2, SMALL_BOUND, -SMALL_BOUND, SMALL_BOUND - 1, 1 - SMALL_BOUND, 32767, -32768, 65535];
    // Multiples just above and just below those of p are where a quotient is off by one.
    const near = smalls
      .filter((v) => v > 1)
      .flatMap((v) =>
        [1n, BigInt(v) / 2n, BigInt(v) - 1n].flatMap((k) => [(k * p) / BigInt(v), (k * p) / BigInt(v) + 1n]),
      );
    const all = [...elements(gpu.fr, random), ...near.map((x) => x % p)];
    const [xs, vs]: [bigint[], number[]] = [[], []];
    for (const x of all)
      for (const v of [...smalls, random.below(2 * SMALL_BOUND + 1) - SMALL_BOUND]) {
        xs.push(x);
        vs.push(v);
      }
    const ys = vs.map((v) => BigInt.asUintN(32, BigInt(v)));
    const body = ['out0 = fr_times(x, bitcast<i32>(y.v0.x));', 'out1 = fr_from_small(bitcast<i32>(y.v0.x));'];
    const [products, lifted] = await run(gpu, gpu.fr, 'small products', [xs, ys], body, 2);
    const mod = (v: bigint) => ((v % p) + p) % p;
    expect(products).toEqual(xs.map((x, i) => mod(x * BigInt(vs[i]))));
    expect(lifted).toEqual(vs.map((v) => mod(BigInt(v) * gpu.fr.plan.R)));
    gpu.release();
  });
});
