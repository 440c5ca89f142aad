import { expect, it, vi } from 'vitest';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  BLINDING_TAG,
  blindingGenerator,
  GENERATOR_TAG,
  generatorBytes,
  hashGenerator,
} from '../../../runtime/curve/generators.ts';
import { AFFINE_BYTES, BETA, BLS_X } from '../../../runtime/curve/params.ts';
import {
  compress,
  decompress,
  fromAffineBytes,
  Point,
  sumOfProducts,
  toAffineBytes,
} from '../../../runtime/curve/spec.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { hex } from '../device/devices.ts';

it('has the curve’s numbers', () => {
  expect(FR_MODULUS).toBe(BLS_X ** 4n - BLS_X ** 2n + 1n);
  expect(FQ_MODULUS).toBe(((BLS_X + 1n) ** 2n * FR_MODULUS) / 3n - BLS_X);
  expect((BETA * BETA * BETA) % FQ_MODULUS).toBe(1n);
  const { x, y } = Point.BASE.toAffine();
  const phi = Point.fromAffine({ x: (x * BETA) % FQ_MODULUS, y });
  expect(phi.equals(Point.BASE.multiplyUnsafe(BLS_X ** 2n).negate())).toBe(true);
});

it('hashes generators with the suite of RFC 9380', async () => {
  const bytes = await generatorBytes(3);
  for (let i = 0; i < 3; i++) {
    const message = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, i);
    const point = bls12_381.G1.hashToCurve(message, { DST: GENERATOR_TAG });
    expect(hex(bytes.subarray(i * AFFINE_BYTES, (i + 1) * AFFINE_BYTES))).toBe(hex(toAffineBytes(point)));
  }
  const h = bls12_381.G1.hashToCurve(new Uint8Array(), { DST: BLINDING_TAG });
  expect(hex(blindingGenerator())).toBe(hex(toAffineBytes(h)));
  // Pinned: other generators would make every commitment ever published invalid.
  expect(hex(compress(fromAffineBytes(hashGenerator(0))))).toBe(PINNED_FIRST);
  expect(hex(compress(h))).toBe(PINNED_BLINDING);
});

const PINNED_FIRST = 'a17c4fff4d5bff5e083bc4288b351092340db4a031c020a96b864ee10f261f9fa104d708d17b0f0be2f46d7e4eb898ec';
const PINNED_BLINDING =
  '974eba96521ef0f13531fdf639cbb07d65b97737503473cf7e3f10e5deaa5be92d759ac0f548661d3144943d81244791';

it('stores generators, and believes a cache only with the right digest', async () => {
  const stored = new Map<string, Uint8Array>();
  let loads = 0;
  const cache = {
    load: async (name: string) => {
      loads++;
      return stored.get(name);
    },
    store: async (name: string, bytes: Uint8Array) => void stored.set(name, bytes.slice()),
  };
  // The first 65 are known by now in this process; 66 need a larger set.
  const first = (await generatorBytes(66, cache)).slice();
  expect(loads).toBe(1);
  expect([...stored.values()].map((bytes) => bytes.length)).toEqual([129 * AFFINE_BYTES]);
  expect(hex(first.subarray(65 * AFFINE_BYTES))).toBe(hex(hashGenerator(65)));

  const [name, good] = [...stored][0];
  expect(hex(sha256(good))).toBe('887175d65869325b04614013d80605b78614d77de7974ab0e95619321356780f');
  const forged = good.slice();
  forged.set(good.subarray(0, AFFINE_BYTES), AFFINE_BYTES);
  for (const bytes of [forged, good.subarray(1), new Uint8Array()]) {
    stored.set(name, bytes);
    // A fresh copy of the module has nothing in memory.
    vi.resetModules();
    const fresh = await import('../../../runtime/curve/generators.ts');
    expect(hex(await fresh.generatorBytes(66, cache))).toBe(hex(first));
    expect(hex(stored.get(name)!)).toBe(hex(good));
  }
});

it('gives everybody as many as were asked for, however late caches answer', async () => {
  const all = (await generatorBytes(129)).slice();
  for (const answer of [all.slice(0, 65 * AFFINE_BYTES), undefined]) {
    vi.resetModules();
    const fresh = await import('../../../runtime/curve/generators.ts');
    let load!: (bytes: Uint8Array | undefined) => void;
    let stored!: () => void;
    const few = fresh.generatorBytes(3, {
      load: () => new Promise((resolve) => (load = resolve)),
      store: async () => undefined,
    });
    let storing!: () => void;
    const made = new Promise<void>((resolve) => (storing = resolve));
    const many = fresh.generatorBytes(66, {
      load: async () => undefined,
      store: () => new Promise((resolve) => ((stored = resolve), storing())),
    });
    // The larger set is there, and being stored, when the smaller one comes out of its cache.
    await made;
    load(answer);
    expect(hex(await few)).toBe(hex(all.subarray(0, 3 * AFFINE_BYTES)));
    stored();
    expect(hex(await many)).toBe(hex(all.subarray(0, 66 * AFFINE_BYTES)));
  }
});

it('says now and then how many generators are hashed', async () => {
  vi.resetModules();
  const fresh = await import('../../../runtime/curve/generators.ts');
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 20));
  const heard: [number, number][] = [];
  const hashing = (made: number, of: number): void => void heard.push([made, of]);
  const cache = { load: () => Promise.resolve(undefined), store: () => Promise.resolve(), hashing };
  try {
    await fresh.generatorBytes(9, cache);
  } finally {
    clock.mockRestore();
  }
  expect(heard.length).toBeGreaterThan(10);
  expect(heard.map(([made]) => made)).toEqual(heard.map(([made]) => made).toSorted((a, b) => a - b));
  expect(heard.every(([made, of]) => made > 0 && made <= of && of === 65)).toBe(true);
});

it('compresses and decompresses', () => {
  for (const point of [Point.ZERO, Point.BASE, Point.BASE.negate(), Point.BASE.multiply(77n)]) {
    const decoded = decompress(compress(point));
    expect(decoded).toBeInstanceOf(Point);
    expect((decoded as Point).equals(point)).toBe(true);
    expect(fromAffineBytes(toAffineBytes(point)).equals(point)).toBe(true);
    if (!point.is0()) expect(hex(compress(point))).toBe(point.toHex(true));
  }
  // The standard encoding of the standard generator and of infinity.
  expect(hex(compress(Point.BASE)).slice(0, 16)).toBe('97f1d3a73197d794');
  expect(hex(compress(Point.ZERO))).toBe(`c0${'00'.repeat(47)}`);
});

it('sums products for few and many points', () => {
  for (const n of [0, 1, 7, 8, 20]) {
    const points = Array.from({ length: n }, (_, i) => Point.BASE.multiply(BigInt(i + 1)));
    const scalars = Array.from({ length: n }, (_, i) => BigInt((i * 7919) % 13));
    const log = scalars.reduce((sum, s, i) => sum + s * BigInt(i + 1), 0n);
    const expected = log === 0n ? Point.ZERO : Point.BASE.multiply(log);
    expect(sumOfProducts(points, scalars).equals(expected)).toBe(true);
  }
});
