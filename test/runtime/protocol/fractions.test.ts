/** The prover's fraction tree against the definition of its sumchecks, whatever memory it has. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../../runtime/device/webgpu/index.ts';
import { SPLIT_BITS } from '../../../runtime/kernels/expression.ts';
import { add, bitsFor, inv, mul, reduce, sub } from '../../../runtime/protocol/scalar.ts';
import { fractionProver, type FractionOptions } from '../../../runtime/prover/lookup/fraction-tree.ts';
import { Held } from '../../../runtime/prover/held.ts';
import { treeBudget } from '../../../runtime/prover/lookup/tree-storage.ts';
import type { Leaves } from '../../../runtime/prover/lookup/leaves.ts';
import { softwareAdapter } from '../../support/gpu.ts';
import { Random } from '../device/devices.ts';

interface Challenges {
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly lambda: (layer: number) => bigint;
  readonly child: (layer: number) => bigint;
  readonly round: (layer: number, round: number) => bigint;
}

function challengesOf(seed: number): Challenges {
  const of = (...at: number[]): bigint => new Random(at.reduce((s, k) => 101 * s + k + 1, seed)).fr();
  return {
    alpha: of(1),
    beta: of(2),
    lambda: (j) => of(3, j),
    child: (j) => of(4, j),
    round: (j, i) => of(5, j, i),
  };
}

/** Everything that the prover sends, layer by layer, with the points that follow. */
async function messages(device: Device, leaves: Leaves, c: Challenges, options: FractionOptions): Promise<bigint[]> {
  const held = new Held(device);
  try {
    return await device.scope(async () => {
      const prover = fractionProver(device, () => leaves, held, options);
      const out = [await prover.build(c.alpha, c.beta)];
      let point: bigint[] = [];
      for (let j = 0; j < leaves.depth; j++) {
        const layer = await prover.layer(j, point, c.lambda(j));
        const x = point.map((_, i) => c.round(j, i));
        for (const own of x) {
          out.push(...(await layer.round([0, 'inf'])));
          await layer.bind(own);
        }
        out.push(...(await layer.children()));
        point = [c.child(j), ...x];
      }
      return out;
    });
  } finally {
    held.releaseAll();
  }
}

/** The same by definition. */
function expected({ depth, numerators, denominators, ...index }: Leaves, c: Challenges): bigint[] {
  const { values, ids, seconds } = denominators;
  const q = Array.from(values as readonly bigint[], (v, i) =>
    reduce(c.alpha - BigInt(v) - c.beta * BigInt(ids[i]) - c.beta * c.beta * BigInt(seconds?.[i] ?? 0)),
  );
  const lows = 2 ** SPLIT_BITS;
  const below = (at: number): bigint =>
    index.split === true ? reduce(q[Math.floor(at / lows)] - BigInt(at % lows)) : q[at];
  const count = index.numeratorIndex.length;
  const leaf = (i: number): [bigint, bigint] =>
    i < count ? [reduce(BigInt(numerators[index.numeratorIndex[i]])), below(index.denominatorIndex[i])] : [0n, 1n];
  const layers = [Array.from({ length: 2 ** depth }, (_, i) => leaf(i))];
  while (layers[0].length > 1) {
    const [below, half] = [layers[0], layers[0].length / 2];
    layers.unshift(
      Array.from({ length: half }, (_, i) => {
        const [[p0, q0], [p1, q1]] = [below[i], below[i + half]];
        return [add(mul(p0, q1), mul(p1, q0)), mul(q0, q1)];
      }),
    );
  }
  const out = [layers[0][0][1]];
  let point: bigint[] = [];
  for (let j = 0; j < depth; j++) {
    const [size, lambda] = [2 ** j, c.lambda(j)];
    const of = (k: 0 | 1, first: number): bigint[] => layers[j + 1].slice(first, first + size).map((f) => f[k]);
    let tables = [of(0, 0), of(0, size), of(1, 0), of(1, size)];
    const summand = ([p0, p1, q0, q1]: readonly bigint[]): bigint => reduce(p0 * q1 + p1 * q0 + lambda * q0 * q1);
    for (let i = 0; i < j; i++) {
      const half = 2 ** (j - i - 1);
      const at = (x: bigint): bigint => {
        let sum = 0n;
        for (let k = 0; k < half; k++) {
          let weight = 1n;
          for (let b = 0; b < j - i - 1; b++) {
            const bit = (k >> (j - i - 2 - b)) & 1;
            weight = mul(weight, bit === 1 ? point[i + 1 + b] : sub(1n, point[i + 1 + b]));
          }
          sum += weight * summand(tables.map((t) => reduce(t[k] + x * (t[k + half] - t[k]))));
        }
        return reduce(sum);
      };
      // The second difference of a polynomial of degree 2 is twice its leading coefficient.
      const twice = reduce(at(2n) - 2n * at(1n) + at(0n));
      out.push(at(0n), mul(twice, inv(2n)));
      const x = c.round(j, i);
      tables = tables.map((t) => Array.from({ length: half }, (_, k) => reduce(t[k] + x * (t[k + half] - t[k]))));
    }
    out.push(...tables.map((t) => t[0]));
    point = [c.child(j), ...point.map((_, i) => c.round(j, i))];
  }
  return out;
}

/** Leaves of which many are the same, and stretches have the numerator 1. */
function drawLeaves(count: number, seed: number): Leaves {
  const random = new Random(seed);
  const entries = 1 + random.below(9);
  const run = 1 + random.below(12);
  const numerators = Int32Array.from([0, 1, ...Array.from({ length: 4 }, () => Number(random.integer(32)))]);
  const denominators = {
    values: random.int32(entries),
    ids: random.int16(entries),
    ...(random.below(2) === 0 ? { seconds: random.int32(entries) } : {}),
  };
  let own = 1;
  const split = random.below(2) === 0;
  const lows = split ? 2 ** SPLIT_BITS : 1;
  return {
    depth: bitsFor(count),
    split,
    numerators,
    denominators,
    numeratorIndex: Int32Array.from({ length: count }, (_, i) =>
      i % run === 0 && random.below(2) === 0
        ? (own = random.below(numerators.length))
        : random.below(9) === 0
          ? 0
          : own,
    ),
    denominatorIndex: Int32Array.from({ length: count }, () => random.below(entries) * lows + random.below(lows)),
  };
}

const FEW: readonly FractionOptions[] = [{}, { memory: 1, block: 1 }, { memory: 4000, block: 2 }, { block: 4 }];

const devices: readonly (readonly [string, () => Promise<Device | undefined>, number])[] = [
  ['reference', async () => createReferenceDevice(), 40],
  ['wasm', () => createWasmDevice({ threads: 1 }), 40],
  [
    'webgpu',
    async () => {
      const adapter = await softwareAdapter();
      const host = await createWasmDevice({ threads: 1 });
      return adapter && createWebGpuDevice({ adapter, host, hostBelow: 4, segmentBytes: 2 ** 9 });
    },
    2,
  ],
];

describe.each(devices)('the fraction tree: %s', (_name, create, most) => {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await create();
  });
  afterAll(() => device?.close());

  it('sends what the definition says, in any memory, from 1 leaf up', async (context) => {
    context.skip(device === undefined, 'no such device on this machine');
    for (let count = 1; count <= most; count++) {
      const [leaves, challenges] = [drawLeaves(count, count), challengesOf(count)];
      const definition = expected(leaves, challenges);
      for (const options of most > 2 ? FEW : FEW.slice(0, 2))
        expect(await messages(device!, leaves, challenges, options)).toEqual(definition);
    }
  });

  it('sends the same in any memory, whatever the leaves', async (context) => {
    context.skip(device === undefined, 'no such device on this machine');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 15 * most }), fc.nat(1e6), async (count, seed) => {
        const [leaves, challenges] = [drawLeaves(count, seed), challengesOf(seed)];
        const whole = await messages(device!, leaves, challenges, {});
        const memory = 1 + (seed % 60_000);
        for (const options of [
          { memory, block: 1 },
          { memory, block: 16 },
        ])
          expect(await messages(device!, leaves, challenges, options)).toEqual(whole);
      }),
      { seed: 6, numRuns: most > 2 ? 12 : 2 },
    );
  });

  it('leaves nothing on the device', async (context) => {
    context.skip(device === undefined, 'no such device on this machine');
    const before = device!.memory().used;
    await messages(device!, drawLeaves(most, 1), challengesOf(1), { memory: 1 });
    expect(device!.memory().used).toBe(before);
  });
});

describe('the budget of a tree', () => {
  it('keeps what fits, and of the smallest memory a little', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 2 ** 33 }), (depth, bytes) => {
        const { layer, fold, stretch } = treeBudget(bytes, 40, depth);
        expect(layer).toBeLessThan(Math.max(1, depth));
        if (layer > 0) expect(5.5 * 40 * 2 ** layer).toBeLessThanOrEqual(bytes);
        if (fold > 0) expect(6 * 40 * 2 ** fold).toBeLessThanOrEqual(bytes);
        expect(stretch).toBeLessThanOrEqual(Math.max(0, layer - 4));
      }),
    );
    expect(treeBudget(Infinity, 32, 24)).toMatchObject({ layer: 23, fold: 24 });
  });
});
