/** Lists of points so long that devices check them together: each verdict is the one that a check of each gives. */
import { expect, it, vi } from 'vitest';
import { compress, Point } from '../../../runtime/curve/spec.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { Fq } from '../../../runtime/field/spec.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { multiplesOfBase } from '../../bench/points.ts';
import { describeDevices, Random } from './devices.ts';

/** Primes of the cofactor 3 (11 * 10177 * 859267 * 52437899)^2. */
const PRIMES = [3n, 11n, 10177n, 859267n, 52437899n] as const;
const COFACTOR = 3n * (11n * 10177n * 859267n * 52437899n) ** 2n;

/** Of any point of the curve, in the subgroup or not. */
function times(k: bigint, point: Point): Point {
  let out = Point.ZERO;
  for (const bit of k.toString(2)) {
    out = out.double();
    if (bit === '1') out = out.add(point);
  }
  return out;
}

/** A point of that order. */
function ofOrder(prime: bigint): Point {
  for (let x = 0n; ; x++) {
    const square = Fq.add(Fq.pow(x, 3n), 4n);
    const y = Fq.pow(square, (FQ_MODULUS + 1n) / 4n);
    if (Fq.sqr(y) !== square) continue;
    let rest = COFACTOR * FR_MODULUS;
    while (rest % prime === 0n) rest /= prime;
    let point = times(rest, Point.fromAffine({ x, y }));
    for (let next = point; !next.is0(); next = times(prime, next)) point = next;
    if (!point.is0()) return point;
  }
}

const small = new Map(PRIMES.map((prime) => [prime, ofOrder(prime)] as const));

it('points of small order are', () => {
  for (const [prime, point] of small) {
    expect(point.is0()).toBe(false);
    expect(times(prime, point).is0()).toBe(true);
    expect(point.isTorsionFree()).toBe(false);
  }
});

describeDevices('points checked together', (device, name) => {
  // Whoever checks each takes milliseconds for it. The others check as many together.
  const isSlow = name === 'reference';
  const some = isSlow ? 20 : 260;
  const many = name === 'wasm, 1 thread' ? 3000 : some;
  const all = multiplesOfBase(many);
  const pointAt = (i: number): Point => Point.fromBytes(all.subarray(48 * i, 48 * i + 48));
  const check = (bytes: Uint8Array): ReturnType<Device['decodePoints']> =>
    device().scope(() => device().decodePoints(bytes));
  const changed = (count: number, changes: Readonly<Record<number, Point | Uint8Array>>): Uint8Array => {
    const bytes = all.slice(0, 48 * count);
    for (const [at, point] of Object.entries(changes))
      bytes.set(point instanceof Uint8Array ? point : compress(point), 48 * Number(at));
    return bytes;
  };
  const outside = (bad: number) => ({ bad, reason: 'subgroup' });

  it('are accepted where all are inside, whatever meets', async () => {
    for (const count of [some, many])
      expect(await check(all.slice(0, 48 * count))).toMatchObject({ kind: 'points', length: count });
    const [point, negative] = [compress(pointAt(5)), compress(pointAt(5).negate())];
    const repeat = (...list: readonly Uint8Array[]): Uint8Array =>
      Uint8Array.from(Array.from({ length: some }, (_, i) => [...list[i % list.length]]).flat());
    const infinity = compress(Point.ZERO);
    for (const list of [[point], [point, negative], [infinity], [infinity, point, negative, point]])
      expect(await check(repeat(...list))).toMatchObject({ kind: 'points', length: some });
  });

  it.each(PRIMES)('one of order %i, by itself or added to another, is found wherever it is', async (prime) => {
    if (many === some && prime > 11n) return;
    const point = small.get(prime)!;
    const random = new Random(Number(prime % 1000n));
    const at = random.below(many);
    expect(await check(changed(many, { [at]: point }))).toEqual(outside(at));
    expect(await check(changed(many, { [at]: pointAt(at).add(point) }))).toEqual(outside(at));
    if (prime === 3n)
      for (const end of [0, many - 1])
        expect(await check(changed(many, { [end]: pointAt(end).add(point) }))).toEqual(outside(end));
  });

  it('those that cancel each other are found, the first first', async () => {
    for (const prime of PRIMES.slice(0, 2)) {
      const t = small.get(prime)!;
      const [first, second] = [some >> 2, some - 3];
      const two = { [first]: pointAt(first).add(t), [second]: pointAt(second).subtract(t) };
      expect(await check(changed(some, two))).toEqual(outside(first));
      const same = Object.fromEntries(Array.from({ length: some - first }, (_, i) => [first + i, t]));
      expect(await check(changed(some, same))).toEqual(outside(first));
    }
  });

  // One sum with random weights would let one of order 3 pass a third of the time.
  it.skipIf(many === some)('one of order 3 is found every time', async () => {
    for (let i = 0; i < 20; i++)
      expect(await check(changed(some, { [7 * i]: small.get(3n)! }))).toEqual(outside(7 * i));
  });

  it.skipIf(many === some)('at least 128 independent sums are checked, each of them', async () => {
    const at = some - 1;
    const bytes = changed(some, { [at]: small.get(10177n)! });
    // Draws are 0 but for one bit of the bad point's, in one round: it is in one sum, or in none.
    let [drawn, chosen, bit] = [0, 0, 0];
    const draws = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const part = array as unknown as Uint8Array;
      const integers = new DataView(part.fill(0).buffer, part.byteOffset, part.length);
      const own = 2 * (some * chosen + at) - drawn;
      if (own >= 0 && own < part.length) integers.setInt16(own, 1 << bit, true);
      drawn += part.length;
      return array;
    });
    const isFound = async (): Promise<boolean> => {
      drawn = 0;
      const verdict = await check(bytes);
      if ('bad' in verdict) expect(verdict).toEqual(outside(at));
      return 'bad' in verdict;
    };
    try {
      while (await isFound()) bit++;
      const [rounds, width] = [drawn / (2 * some), bit];
      expect(rounds * width).toBeGreaterThanOrEqual(128);
      for (chosen = 1; chosen < rounds; chosen++)
        for (bit = chosen % width; bit < width; bit += chosen + 1 < rounds ? width : 1)
          expect(await isFound(), `bit ${bit} of round ${chosen}`).toBe(true);
    } finally {
      draws.mockRestore();
    }
  });

  it('what is no point at all is told apart, and what comes first is said', async () => {
    const t = small.get(3n)!;
    const none = new Uint8Array(48);
    const [first, second] = [some >> 1, some - 2];
    expect(await check(changed(some, { [first]: t, [second]: none }))).toEqual(outside(first));
    expect(await check(changed(some, { [first]: none, [second]: t }))).toEqual({ bad: first, reason: 'encoding' });
    expect(await check(changed(some, { [first]: none }))).toEqual({ bad: first, reason: 'encoding' });
  });

  it.skipIf(many === some)('are the same points as one by one', async () => {
    const bytes = all.slice(0, 48 * some);
    await device().scope(async () => {
      const points = await device().decodePoints(bytes);
      if ('bad' in points) throw new Error(points.reason);
      const at = some - 7;
      const scalars = Array.from({ length: some }, (_, i) => (i === at ? 1n : 0n));
      expect(await device().msm([{ points, scalars: device().frVector(scalars) }])).toEqual(
        bytes.slice(48 * at, 48 * at + 48),
      );
    });
  });
});
