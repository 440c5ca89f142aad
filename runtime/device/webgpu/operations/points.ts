/**
 * Operations of the WebGPU device on points. Sums of many multiples run on the GPU; square roots, subgroup checks and what
 * is too small to be worth a trip, on the host's device.
 */
import { normalizeZ } from '@noble/curves/abstract/curve.js';
import { AFFINE_BYTES, POINT_BYTES } from '../../../curve/params.ts';
import { blindingGenerator, generatorBytes, type GeneratorCache } from '../../../curve/generators.ts';
import { compress, fromAffineBytes, Point, toAffineBytes } from '../../../curve/spec.ts';
import { enterCoordinates } from '../../../kernels/wgsl/curve/buckets.ts';
import { scalarBits } from '../../../kernels/wgsl/curve/digits.ts';
import type { CommitRow, Device, PointVector } from '../../device.ts';
import * as check from '../../shapes.ts';
import type { Block } from '../memory/arena.ts';
import { MIB } from '../limits.ts';
import type { PointRange, Sum, Term } from './plan.ts';
import type { Store } from '../memory/store.ts';
import { sumAll, type SumOptions } from './sums.ts';
import { entryBytes } from '../memory/vectors.ts';

type PointOperations = Pick<Device, 'decodePoints' | 'generators' | 'msm' | 'prepareGenerators' | 'commit'>;

/** Scratch memory for sums, unless that is more than a quarter of what a binding can have. */
const SCRATCH = 1024 * MIB;

/** A vector of points of this device. */
class GpuPoints implements PointVector {
  readonly kind = 'points';
  readonly length: number;
  readonly #host: () => PointVector | Promise<PointVector>;
  readonly #ranges: () => readonly (PointRange & { readonly length: number })[];
  readonly #release: () => void;
  #freed = false;

  constructor(
    length: number,
    places: {
      /** The same on the host's device. */
      host(): PointVector | Promise<PointVector>;
      /** In GPU memory, one range after the other. */
      ranges(): readonly (PointRange & { readonly length: number })[];
      release(): void;
    },
  ) {
    this.length = length;
    this.#host = places.host;
    this.#ranges = places.ranges;
    this.#release = places.release;
  }

  host(): PointVector | Promise<PointVector> {
    this.#check();
    return this.#host();
  }

  ranges(): readonly (PointRange & { readonly length: number })[] {
    this.#check();
    return this.#ranges();
  }

  free(): void {
    if (!this.#freed) this.#release();
    this.#freed = true;
  }

  #check(): void {
    if (this.#freed) throw new Error('this vector was freed with its scope');
  }
}

/** @throws TypeError for a vector of another device */
function handle(v: PointVector): GpuPoints {
  if (!(v instanceof GpuPoints)) throw new TypeError('this vector belongs to another device');
  return v;
}

export function pointOperations(
  store: Store,
  own: <V extends { free(): void }>(v: V) => V,
  cache: GeneratorCache | undefined,
): PointOperations {
  const { gpu, host } = store;
  let table: { readonly count: number; readonly block: Block } | undefined;
  let powers: Block | undefined;

  /** Affine points into GPU memory, 96 little-endian bytes each. */
  function upload(bytes: Uint8Array): Block {
    const block = gpu.allocate(bytes.length);
    gpu.upload(block, bytes);
    const coordinates = bytes.length / POINT_BYTES;
    gpu.dispatch(
      enterCoordinates,
      store.params().quad(coordinates).quad(block.arena, block.quad).finish(),
      coordinates,
    );
    return block;
  }

  async function generatorTable(count: number): Promise<{ readonly count: number; readonly block: Block }> {
    if (table !== undefined && table.count >= count) return table;
    const block = upload(littleEndian(await generatorBytes(count, cache)));
    if (table !== undefined) gpu.free(table.block);
    table = { count, block };
    return table;
  }

  /** H, 2 H, 4 H, ... */
  function blindingPowers(): PointRange {
    powers ??= upload(littleEndian(powersOf(fromAffineBytes(blindingGenerator()), scalarBits(32))));
    return { block: powers, first: 0 };
  }

  const options = (): SumOptions => ({
    powers: blindingPowers(),
    scratch: Math.min(SCRATCH, gpu.memory.arenaBytes / 4),
  });

  return {
    async decodePoints(bytes) {
      const decoded = await host.decodePoints(bytes);
      if (!('kind' in decoded)) return decoded;
      let block: Block | undefined;
      const { length } = decoded;
      return own(
        new GpuPoints(length, {
          host: () => decoded,
          ranges: () => [{ block: (block ??= upload(host.raw.pointsToBytes(decoded))), first: 0, length }],
          release: () => block && gpu.free(block),
        }),
      );
    },

    async generators(count) {
      await generatorTable(count);
      return own(
        new GpuPoints(count + 1, {
          host: () => host.generators(count),
          ranges: () => [
            { block: table!.block, first: 0, length: count },
            { ...blindingPowers(), length: 1 },
          ],
          release: () => undefined,
        }),
      );
    },

    prepareGenerators: async (count) => void (await generatorTable(count)),

    async msm(parts) {
      check.checkMsm(parts);
      const total = parts.reduce((n, { scalars }) => n + scalars.length, 0);
      if (store.sumsOnHost(total)) {
        await store.bringToHost(parts.map((p) => p.scalars));
        const there = [];
        for (const { points, scalars } of parts)
          there.push({ points: await handle(points).host(), scalars: store.hostOf(scalars) });
        return host.msm(there);
      }
      const terms = parts.flatMap(({ points, scalars }) => {
        const data = store.onGpu(scalars);
        const out: Term[] = [];
        let offset = 0;
        for (const { block, first, length } of handle(points).ranges()) {
          const n = Math.min(length, scalars.length - offset);
          if (n > 0) out.push({ data, bytes: 32, offset, length: n, points: { block, first } });
          offset += length;
        }
        return out;
      });
      const [sum] = await sumAll(store, [{ terms, blinding: 0n }], options());
      return compress(sum);
    },

    async commit(rows: readonly CommitRow[]) {
      for (const row of rows) check.checkSlice('commit', row.offset, row.length, row.vector.length);
      if (rows.length === 0) return [];
      // A field element counts for one, an integer for as many as it has digits less.
      const work = rows.reduce((n, row) => n + (row.length * entryBytes(row.vector)) / 32 + 1, 0);
      if (store.sumsOnHost(work)) {
        await store.bringToHost(rows.map((row) => row.vector));
        return host.commit(rows.map((row) => ({ ...row, vector: store.hostOf(row.vector) })));
      }
      const { block } = await generatorTable(Math.max(...rows.map((row) => row.length)));
      const sums = rows.map(({ vector, offset, length, blinding }): Sum => {
        const bytes = entryBytes(vector) as Term['bytes'];
        const points = { block, first: 0 };
        return { terms: length === 0 ? [] : [{ data: store.onGpu(vector), bytes, offset, length, points }], blinding };
      });
      return (await sumAll(store, sums, options())).map(compress);
    },
  };
}

/** Coordinates of 48 big-endian bytes with their bytes the other way round. */
function littleEndian(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let at = 0; at < out.length; at += POINT_BYTES) out.subarray(at, at + POINT_BYTES).reverse();
  return out;
}

/** The points 2^k P, k < count, 96 big-endian bytes each. */
function powersOf(point: Point, count: number): Uint8Array {
  const points: Point[] = [];
  for (let k = 0, p = point; k < count; k++, p = p.double()) points.push(p);
  const out = new Uint8Array(AFFINE_BYTES * count);
  for (const [k, p] of normalizeZ(Point, points).entries()) out.set(toAffineBytes(p), AFFINE_BYTES * k);
  return out;
}
