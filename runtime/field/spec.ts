/**
 * The fields as bigints: what every generated kernel is compared with, and where its constants come from.
 * @noble/curves does the arithmetic; only what it lacks is written here.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { FR_MODULUS } from './params.ts';

export const Fr = bls12_381.fields.Fr;
export const Fq = bls12_381.fields.Fp;

/** n modulo `modulus`, in [0, modulus), for n of either sign. */
export function modulo(n: bigint, modulus: bigint): bigint {
  const remainder = n % modulus;
  return remainder < 0n ? remainder + modulus : remainder;
}

/** A signed integer as an element of Fr: n or r - |n|. */
export const toFr = (n: bigint | number): bigint => modulo(BigInt(n), FR_MODULUS);

/** @throws RangeError unless 0 <= value < r. */
export function checkFr(value: bigint, what: string): bigint {
  if (value < 0n || value >= FR_MODULUS) throw new RangeError(`${what} is not a field element in [0, r): ${value}`);
  return value;
}

/** Inverse of a modulo an odd or even m coprime to it, by the extended Euclidean algorithm. @throws RangeError if none exists. */
export function inverse(a: bigint, m: bigint): bigint {
  let [r0, r1, t0, t1] = [m, modulo(a, m), 0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1];
  }
  if (r0 !== 1n) throw new RangeError(`no inverse: gcd is ${r0}`);
  return modulo(t0, m);
}
