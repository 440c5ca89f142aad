/**
 * G1 on bigints: the specification of point formats and sums, on @noble/curves.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { pippenger } from '@noble/curves/abstract/curve.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { FQ_MODULUS } from '../field/params.ts';
import { Fq } from '../field/spec.ts';
import { AFFINE_BYTES, FLAG_COMPRESSED, FLAG_INFINITY, FLAG_LARGER_Y, G1_B, POINT_BYTES } from './params.ts';

export const Point = bls12_381.G1.Point;
export type Point = InstanceType<typeof Point>;

/** Why 48 bytes are no point of G1. */
export type PointFault = 'encoding' | 'curve' | 'subgroup';

/** The fields of a compressed point before any arithmetic; undefined where the encoding is not canonical. */
export function parseCompressed(bytes: Uint8Array): { infinity: boolean; larger: boolean; x: bigint } | undefined {
  const flags = bytes[0];
  const infinity = (flags & FLAG_INFINITY) !== 0;
  const larger = (flags & FLAG_LARGER_Y) !== 0;
  // A copy even of a Buffer, whose slice is a view.
  const payload = new Uint8Array(bytes);
  payload[0] &= 0x1f;
  const x = bytesToNumberBE(payload);
  if ((flags & FLAG_COMPRESSED) === 0 || x >= FQ_MODULUS) return undefined;
  if (infinity && (larger || x !== 0n)) return undefined;
  return { infinity, larger, x };
}

/** Decodes a compressed point, with every check; a string says what is wrong. */
export function decompress(bytes: Uint8Array): Point | PointFault {
  const parsed = parseCompressed(bytes);
  if (parsed === undefined) return 'encoding';
  if (parsed.infinity) return Point.ZERO;
  const { x, larger } = parsed;
  const square = Fq.add(Fq.mul(Fq.sqr(x), x), G1_B);
  const root = Fq.pow(square, (FQ_MODULUS + 1n) / 4n);
  if (Fq.sqr(root) !== square) return 'curve';
  const isLarger = root > (FQ_MODULUS - 1n) / 2n;
  const point = Point.fromAffine({ x, y: isLarger === larger ? root : Fq.neg(root) });
  return point.isTorsionFree() ? point : 'subgroup';
}

/** 48 bytes, the inverse of `decompress`. */
export function compress(point: Point): Uint8Array {
  const { x, y } = point.is0() ? { x: 0n, y: 0n } : point.toAffine();
  return compressAffine(x, y);
}

/** As `compress`, from coordinates; (0, 0) stands for the point at infinity. */
export function compressAffine(x: bigint, y: bigint): Uint8Array {
  const bytes = numberToBytesBE(x, POINT_BYTES);
  bytes[0] |= FLAG_COMPRESSED;
  if (x === 0n && y === 0n) bytes[0] |= FLAG_INFINITY;
  else if (y > (FQ_MODULUS - 1n) / 2n) bytes[0] |= FLAG_LARGER_Y;
  return bytes;
}

/** 96 bytes: x and y big-endian, zero for infinity. */
export function toAffineBytes(point: Point): Uint8Array {
  const bytes = new Uint8Array(AFFINE_BYTES);
  if (point.is0()) return bytes;
  const { x, y } = point.toAffine();
  bytes.set(numberToBytesBE(x, POINT_BYTES), 0);
  bytes.set(numberToBytesBE(y, POINT_BYTES), POINT_BYTES);
  return bytes;
}

/** Inverse of `toAffineBytes` for bytes known to be right: nothing is checked. */
export function fromAffineBytes(bytes: Uint8Array): Point {
  const x = bytesToNumberBE(bytes.subarray(0, POINT_BYTES));
  const y = bytesToNumberBE(bytes.subarray(POINT_BYTES, AFFINE_BYTES));
  return x === 0n && y === 0n ? Point.ZERO : Point.fromAffine({ x, y });
}

/** sum of scalars[i] * points[i], scalars in [0, r). */
export function sumOfProducts(points: readonly Point[], scalars: readonly bigint[]): Point {
  const used = points.map((point, i) => ({ point, scalar: scalars[i] })).filter(({ scalar }) => scalar !== 0n);
  if (used.length === 0) return Point.ZERO;
  if (used.length < 8) return used.reduce((sum, u) => sum.add(u.point.multiplyUnsafe(u.scalar)), Point.ZERO);
  return pippenger(
    Point,
    used.map((u) => u.point),
    used.map((u) => u.scalar),
  );
}
