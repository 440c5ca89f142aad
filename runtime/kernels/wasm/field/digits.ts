/**
 * Numbers as digits in radix 2^w, and the multiples of a modulus that Montgomery reduction adds.
 */
import { inverse, modulo } from '../../../field/spec.ts';

/** Digits of v in radix 2^w, balanced; the last takes the rest. */
export function balancedDigits(v: bigint, w: number, n: number): bigint[] {
  const digits: bigint[] = [];
  for (let i = 0; i < n - 1; i++) {
    const digit = BigInt.asIntN(w, v);
    digits.push(digit);
    v = (v - digit) >> BigInt(w);
  }
  return [...digits, v];
}

/** Columns start .. start + size - 1, and the digits of (k p + 1) / 2^(w size) for k = -1/p mod 2^(w size). */
export interface ReductionBlock {
  readonly start: number;
  readonly size: number;
  readonly digits: readonly number[];
}

/**
 * Reducing a column waits for the one before; a block of columns is reduced at once with M = k p, M = -1 mod 2^(w size), since its quotient digits are then
 * the residues themselves. What is added, below 2^(w (start + size)) M / R, must not exceed p/2; only the block before the last column comes near.
 */
export function reductionBlocks(p: bigint, w: number, n: number): ReductionBlock[] {
  const blocks: ReductionBlock[] = [];
  for (let start = 0; start < n - 1;) {
    const size = Math.max(1, Math.floor((n - 1 - start) / 2));
    const base = 1n << BigInt(w * size);
    const k = modulo(-inverse(p, base), base);
    blocks.push({ start, size, digits: balancedDigits((k * p + 1n) / base, w, n).map(Number) });
    start += size;
  }
  return blocks;
}
