/** Between floating point and the integers of a type: exact, ties toward plus infinity, overflow an error. */
import type { Rational, TensorType } from '../ir/tensor/program.ts';
import { signedBits, toNumber } from '../ir/numbers/rational.ts';
import { valueError, indexAt } from './tensor.ts';
import type { IntTensor } from './tensor.ts';

/** Doubles below this, times 2^frac, are computed without a rounding of their own before the floor. */
const EXACT = 2 ** 52;

/** floor(value * 2^frac + 1/2), exactly, for a finite double. */
export function roundDouble(value: number, frac: number): bigint {
  // Multiplication by a power of two is exact unless it overflows or loses subnormal bits, which only ever round to 0.
  const scaled = value * 2 ** frac;
  if (Math.abs(scaled) >= EXACT) return BigInt(scaled);
  const below = Math.floor(scaled);
  return BigInt(below + (scaled - below >= 0.5 ? 1 : 0));
}

/**
 * Integers of a type for the numbers of a file.
 *
 * @param name of the tensor, for messages
 * @param values row-major, as many as the shape has entries
 * @throws ValueError naming the first entry that is not finite or does not fit
 */
export function quantise(
  name: string,
  shape: readonly number[],
  values: ArrayLike<number>,
  type: TensorType,
): IntTensor {
  const size = shape.reduce((n, length) => n * length, 1);
  if (values.length !== size) throw valueError(name, { kind: 'shape', expected: shape, given: [values.length] });
  const frac = type.kind === 'index' ? 0 : type.frac;
  const lo = type.kind === 'index' ? 0n : -(1n << BigInt(type.bits - 1));
  const hi = type.kind === 'index' ? BigInt(type.size) - 1n : (1n << BigInt(type.bits - 1)) - 1n;
  const integers: bigint[] = [];
  for (let k = 0; k < size; k++) {
    const value = values[k];
    const scaled = value * 2 ** frac;
    if (!Number.isFinite(scaled) || (type.kind === 'index' && !Number.isInteger(value)))
      throw valueError(name, { kind: 'number', index: indexAt(shape, k), value }, type);
    const integer = roundDouble(value, frac);
    if (integer < lo || integer > hi) {
      const index = indexAt(shape, k);
      throw valueError(name, { kind: 'number', index, value, bits: signedBits(integer) }, type);
    }
    integers.push(integer);
  }
  return { shape, values: integers };
}

/** integer * scale as the nearest double, for people to read. */
export function dequantise(tensor: IntTensor, scale: Rational): Float64Array {
  return Float64Array.from(tensor.values, (value) => toNumber({ num: value * scale.num, den: scale.den }));
}
