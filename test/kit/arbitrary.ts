/** fast-check arbitraries: shapes, fixed-point tensors, and whole random programs. */
import fc from 'fast-check';
import type { TensorType } from '../../compiler/ir/tensor/program.ts';

export interface ShapeOptions {
  readonly minAxes?: number;
  readonly maxAxes?: number;
  /** Most entries; longer axes are cut. */
  readonly maxEntries?: number;
}

/** Axis lengths where things go wrong: one, primes, powers of two, and one off them. */
export const lengths: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 31, 32, 33);

/** Shapes whose axes are `lengths`; the scalar's shape is among them. */
export const shapes = ({ minAxes = 0, maxAxes = 3, maxEntries = 600 }: ShapeOptions = {}): fc.Arbitrary<number[]> =>
  fc.array(lengths, { minLength: minAxes, maxLength: maxAxes }).map((shape) => {
    let left = maxEntries;
    return shape.map((n) => {
      const own = Math.min(n, Math.max(1, left));
      left = Math.floor(left / own);
      return own;
    });
  });

/** A `fixed<bits, frac>` type. */
export const fixedTypes = ({ maxBits = 16 }: { readonly maxBits?: number } = {}): fc.Arbitrary<
  TensorType & { kind: 'fixed' }
> =>
  fc
    .tuple(fc.integer({ min: 1, max: maxBits }), fc.integer({ min: -4, max: 20 }))
    .map(([bits, frac]) => ({ kind: 'fixed', bits, frac }));

export interface FixedTensor {
  readonly shape: readonly number[];
  readonly type: TensorType & { kind: 'fixed' };
  /** Row-major integers of the type; both ends of its range are frequent. */
  readonly values: readonly bigint[];
}

/** Fixed-point tensors with extreme entries. */
export const fixedTensors = (options: ShapeOptions & { readonly maxBits?: number } = {}): fc.Arbitrary<FixedTensor> =>
  fc.tuple(shapes(options), fixedTypes(options)).chain(([shape, type]) => {
    const [lo, hi] = [-(2n ** BigInt(type.bits - 1)), 2n ** BigInt(type.bits - 1) - 1n];
    const entry = fc.oneof(fc.constantFrom(lo, hi, 0n), fc.bigInt({ min: lo, max: hi }));
    const count = shape.reduce((n, d) => n * d, 1);
    return fc.array(entry, { minLength: count, maxLength: count }).map((values) => ({ shape, type, values }));
  });
