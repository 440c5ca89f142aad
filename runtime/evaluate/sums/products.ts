/** Batches of matrix products: the part of an evaluation that may run on a device. */
import type { Device } from '../../device/device.ts';
import { boundOf, isExact, isSmallFactor, type Factor } from './factors.ts';
import { multiplyOnDevice } from './device.ts';
import { multiplyOnHost } from './host.ts';
import { positions } from './loops.ts';

/**
 * out[b, o, i] = the sum over d of left[b, o, d] * right[b, d, i], row-major. Entries are where the factors have them for these
 * positions, relative to their base.
 */
export interface MatrixProduct {
  readonly left: Factor;
  readonly right: Factor;
  readonly shape: readonly [batch: number, outer: number, reduce: number, inner: number];
  readonly leftAt: readonly [batch: Int32Array, outer: Int32Array, reduce: Int32Array];
  readonly rightAt: readonly [batch: Int32Array, reduce: Int32Array, inner: Int32Array];
  /** Of the sums of the products' magnitudes; undefined for reals. */
  readonly bound: bigint | undefined;
}

/** Entries of a product: doubles where those are exact. */
export type Product = Float64Array | BigInt64Array;

/**
 * An evaluation that asks for matrix products and goes on with what they are. Who drives it decides where they are made, and
 * waits for them if that takes waiting.
 */
export type Evaluation<T> = Generator<MatrixProduct, T, Product>;

/** Products below which neither a device nor blocks are worth the way, altogether and for each batch. */
const WORTH = { all: 2 ** 15, batch: 16 };

/** What the indices of a product of two factors are. */
export interface Groups {
  readonly batch: readonly number[];
  /** Of the first factor alone, and of the second. */
  readonly own: readonly [readonly number[], readonly number[]];
  readonly reduce: readonly number[];
}

export const isWorth = ({ batch, own, reduce }: Groups, lengths: readonly number[]): boolean => {
  const size = (ids: readonly number[]): number => ids.reduce((n, id) => n * lengths[id], 1);
  const [batches, each] = [size(batch), size(own[0]) * size(own[1]) * size(reduce)];
  return reduce.length > 0 && batches * each >= WORTH.all && each >= WORTH.batch;
};

/** The product, and the order of indices that it comes in. */
export function matrixProduct(
  factors: readonly [Factor, Factor],
  { batch, own, reduce }: Groups,
  lengths: readonly number[],
): { readonly product: MatrixProduct; readonly order: readonly number[] } {
  const size = (ids: readonly number[]): number => ids.reduce((n, id) => n * lengths[id], 1);
  // Devices and hosts are quickest where the right factor is the larger one.
  const first = size(own[0]) <= size(own[1]) ? 0 : 1;
  const [left, right] = [factors[first], factors[1 - first]];
  const [outer, inner] = [own[first], own[1 - first]];
  const at = (f: Factor, ids: readonly number[]): Int32Array =>
    positions(
      ids.map((id) => lengths[id]),
      ids.map((id) => f.steps[id]),
    );
  return {
    product: {
      left,
      right,
      shape: [size(batch), size(outer), size(reduce), size(inner)],
      leftAt: [at(left, batch), at(left, outer), at(left, reduce)],
      rightAt: [at(right, batch), at(right, reduce), at(right, inner)],
      bound: boundOf(factors, size(reduce)),
    },
    order: [...batch, ...outer, ...inner],
  };
}

/** Where products are made. */
export interface Place {
  /** Whether products whose sums have this bound can be made there at once. */
  takes(factors: readonly Factor[], bound: bigint | undefined): boolean;
}

const ownThread: Place = { takes: (factors, bound) => isExact(bound) && factors.every(isSmallFactor) };

const anyDevice: Place = {
  takes: (factors, bound) =>
    bound === undefined || (bound < 2n ** 63n && factors.every(({ values }) => !Array.isArray(values))),
};

/** Makes all products on this thread. */
export function onHost<T>(evaluate: (place: Place) => Evaluation<T>): T {
  const evaluation = evaluate(ownThread);
  let next = evaluation.next();
  while (next.done !== true) next = evaluation.next(multiplyOnHost(next.value));
  return next.value;
}

/** Makes all products on the device, which has to be the caller's for the time. */
export async function onDevice<T>(device: Device, evaluate: (place: Place) => Evaluation<T>): Promise<T> {
  const evaluation = evaluate(anyDevice);
  let next = evaluation.next();
  while (next.done !== true) next = evaluation.next(await multiplyOnDevice(device, next.value));
  return next.value;
}
