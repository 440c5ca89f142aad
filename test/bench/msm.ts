/** Multi-scalar multiplications of many points, with the sum known beforehand. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { compress, Point } from '../../runtime/curve/spec.ts';
import { FR_MODULUS } from '../../runtime/field/params.ts';
import type { Device, FrVector } from '../../runtime/device/device.ts';
import { repeat } from './repeat.ts';

/** Compressed points G, 2 G, 3 G, ... */
export function multiplesOfBase(count: number): Uint8Array {
  const { Fp } = bls12_381.fields;
  const { x, y } = Point.BASE.toAffine();
  const out = new Uint8Array(48 * count);
  const write = (i: number, px: bigint, py: bigint): void => {
    let rest = px;
    for (let k = 47; k >= 0; k--, rest >>= 8n) out[48 * i + k] = Number(rest & 255n);
    out[48 * i] |= 0x80 | (2n * py > Fp.ORDER ? 0x20 : 0);
  };
  // Blocks of the first multiples, moved on together by one point: an inversion for a block.
  const size = Math.min(count, 4096);
  const block: { x: bigint; y: bigint }[] = [];
  let point = Point.BASE;
  for (let i = 0; i < size; i++) {
    block.push(point.toAffine());
    point = point.add(Point.BASE);
  }
  let at = 0;
  const step = Point.BASE.multiply(BigInt(size)).toAffine();
  for (let first = 0; first < count; first += size) {
    if (first > 0) {
      const inverses = Fp.invertBatch(block.map((p) => Fp.sub(step.x, p.x)));
      block.forEach((p, i) => {
        // The one that is the step itself is doubled.
        const slope =
          p.x === step.x ? Fp.div(Fp.mul(3n, Fp.sqr(p.x)), Fp.mul(2n, p.y)) : Fp.mul(Fp.sub(step.y, p.y), inverses[i]);
        const px = Fp.sub(Fp.sub(Fp.sqr(slope), p.x), step.x);
        block[i] = { x: px, y: Fp.sub(Fp.mul(slope, Fp.sub(p.x, px)), p.y) };
      });
    }
    for (const p of block.slice(0, count - first)) write(at++, p.x, p.y);
  }
  if (out[0] !== (0x80 | (2n * y > Fp.ORDER ? 0x20 : 0)) + Number(x >> 376n))
    throw new Error('the first point is wrong');
  return out;
}

export type ScalarKind = '8-bit' | '16-bit' | '255-bit';
export const scalarKinds: readonly ScalarKind[] = ['8-bit', '16-bit', '255-bit'];

/** Words without pattern, the same in every run: xorshift32. */
function words(seed: number): () => number {
  let s = seed | 1;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

/** A vector of scalars on a device, and its sum of k times scalar k. Small ones are signed. */
function scalarsOf(
  device: Device,
  kind: ScalarKind,
  count: number,
): { readonly vector: FrVector; readonly log: bigint } {
  const word = words(count + kind.length);
  if (kind === '255-bit') {
    const values = Array.from({ length: count }, () => {
      let v = 0n;
      for (let k = 0; k < 8; k++) v = (v << 32n) | BigInt(word());
      return v % FR_MODULUS;
    });
    const log = values.reduce((s, v, i) => s + v * BigInt(i + 1), 0n);
    return { vector: device.frVector(values), log };
  }
  const shift = kind === '8-bit' ? 24 : 16;
  const values = Int16Array.from({ length: count }, () => (word() | 0) >> shift);
  let log = 0n;
  // Exact in doubles for a stretch.
  for (let from = 0; from < count; from += 1024) {
    let part = 0;
    for (let i = from; i < Math.min(count, from + 1024); i++) part += values[i] * (i + 1);
    log += BigInt(part);
  }
  return { vector: device.lift(device.intVector(values)), log };
}

/** Milliseconds of `runs` sums by kind of scalars. @throws Error if one is wrong */
export async function msmTimes(
  device: Device,
  encoded: Uint8Array,
  runs: number,
): Promise<ReadonlyMap<ScalarKind, number[]>> {
  const count = encoded.length / 48;
  const out = new Map<ScalarKind, number[]>();
  await device.scope(async () => {
    const points = await device.decodePoints(encoded);
    if (!('kind' in points)) throw new Error('a device refuses good points');
    for (const kind of scalarKinds)
      await device.scope(async () => {
        const { vector, log } = scalarsOf(device, kind, count);
        const expected = compress(Point.BASE.multiply(((log % FR_MODULUS) + FR_MODULUS) % FR_MODULUS));
        const run = async (): Promise<number> => {
          const since = performance.now();
          const sum = await device.msm([{ points, scalars: vector }]);
          const time = performance.now() - since;
          if (sum.some((b, i) => b !== expected[i]))
            throw new Error(`a sum of ${count} points with ${kind} scalars on ${device.name} is wrong`);
          return time;
        };
        out.set(kind, await repeat(runs, run));
      });
  });
  return out;
}
