/**
 * Limbs of a prime field in WGSL, which has 32-bit integers only, and a Montgomery product whose accumulators provably
 * never wrap. Limbs are narrow enough that sums of their products fit 32 bits, and carries are deferred as long as the
 * exact worst case allows (Mitscha-Baude, "montgomery", ZPrize 2022; Koc, Acar, Kaliski 1996 for the interleaving).
 */
import { inverse } from '../../../field/spec.ts';

/** How a product is built: rows of `width`-bit limbs with deferred carries, or 32-bit limbs as 16-bit halves. */
export type LimbWidth = 12 | 13 | 14 | 15 | 32;

export const LIMB_WIDTHS: readonly LimbWidth[] = [12, 13, 14, 15, 32];

export interface LimbPlan {
  readonly modulus: bigint;
  readonly width: LimbWidth;
  /** Number of limbs. R = 2^(width * count) is the Montgomery factor, and 2 * modulus < R. */
  readonly count: number;
  readonly R: bigint;
  /** Rows of a product between two carry passes; `count` where none is needed. */
  readonly period: number;
  /** -1 / modulus mod 2^width: the quotient digit is the low limb times this. */
  readonly mu: bigint;
  /** The modulus in limbs, lowest first. */
  readonly limbs: readonly bigint[];
  /** The largest value that any accumulator can take. */
  readonly worst: bigint;
}

const WORD = 1n << 32n;

/** @throws RangeError where an accumulator could reach 2^32 whatever the period */
export function planLimbs(modulus: bigint, width: LimbWidth): LimbPlan {
  const bits = modulus.toString(2).length;
  // One bit to spare, so that a product of reduced factors is below 2 * modulus and one subtraction reduces it.
  const count = Math.ceil((bits + 1) / width);
  const R = 1n << BigInt(width * count);
  const mu = (1n << BigInt(width)) - inverse(modulus, 1n << BigInt(width));
  const limbs = toLimbs(modulus, width, count);
  const base = { modulus, width, count, R, mu, limbs };
  // Full words: every step carries, nothing accumulates.
  if (width === 32) return { ...base, period: count, worst: WORD - 1n };
  for (let period = count; period >= 1; period--) {
    const worst = worstAccumulator(base, period);
    if (worst < WORD) return { ...base, period, worst };
  }
  throw new RangeError(`products of ${width}-bit limbs of a ${bits}-bit field do not fit 32 bits`);
}

export const toLimbs = (value: bigint, width: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(width * i)) & ((1n << BigInt(width)) - 1n));

/**
 * The largest accumulator of a product of factors in [0, modulus), followed through the rows as upper bounds: exact for
 * the sums, with every limb at its largest. The same steps as `field.ts` emits.
 */
export function worstAccumulator(
  { modulus, width, count, limbs }: Pick<LimbPlan, 'modulus' | 'width' | 'count' | 'limbs'>,
  period: number,
): bigint {
  const mask = (1n << BigInt(width)) - 1n;
  const factor = limbs.map((_, i) => (i === count - 1 ? modulus >> BigInt(width * i) : mask));
  const t = limbs.map(() => 0n);
  let worst = 0n;
  const see = (v: bigint): bigint => {
    if (v > worst) worst = v;
    return v;
  };
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) t[j] = see(t[j] + factor[i] * factor[j] + mask * limbs[j]);
    const carry = t[0] >> BigInt(width);
    for (let j = 0; j < count - 1; j++) t[j] = t[j + 1];
    t[count - 1] = 0n;
    t[0] = see(t[0] + carry);
    if ((i + 1) % period === 0 || i === count - 1)
      for (let j = 0; j < count - 1; j++) {
        t[j + 1] = see(t[j + 1] + (t[j] >> BigInt(width)));
        if (t[j] > mask) t[j] = mask;
      }
  }
  return worst;
}
