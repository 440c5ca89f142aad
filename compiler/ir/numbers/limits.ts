/**
 * How large numbers may be, each bound once with what it follows from: for the compiler, the reader of bundles and the
 * protocol. Sizes of programs and arrays are limits of the reader (`compiler/bundle/limits.ts`).
 *
 * Proofs are about elements of a field, the scalars of BLS12-381, of order r = 2^254.857...; programs are about integers.
 * An equation in the field is one over the integers because its sides are too small to differ by a multiple of r:
 *
 *   |a - b| < 2^254 < r and a = b in the field  =>  a = b
 */

/** log2 of r, rounded down: a challenge guesses a root of a polynomial of degree d with probability d / r. */
export const FIELD_BITS = 254.857;

/** Integers that differ by less than 2^254 are equal if they agree in the field. */
const EXACT_BITS = Math.floor(FIELD_BITS);

/** 2^shift times an entry of a table stays below 2^253, half of what may be compared: the other half is what is looked up. */
export const LOOKED_UP_BITS = EXACT_BITS - 1;

/**
 * Sums of an equation stay below 2^252: what is looked up is such a sum and an offset, which together are below 2^253, and
 * less an entry below 2^254. Outputs and zeros are compared with less.
 */
export const SUM_BITS = LOOKED_UP_BITS - 1;

/**
 * Signed integers that a program speaks of have at most 250 bits. Nothing wraps for want of this bound (that sums stay
 * below 2^252 is added up for every equation, `magnitude.ts`): it leaves equations room for sums of four such integers,
 * and refuses by its name what would be refused as a sum.
 */
export const INTEGER_BITS = SUM_BITS - 2;

/** Bits of a limb of a wide number. Tables of 1 to 16 bits have less than 2^17 entries together: a program may use them all. */
export const LIMB_BITS = 16;

/**
 * The widest range that is looked up at once. All entries of a table are leaves of the lookups' tree, used or not, of 80 bytes
 * each while it is made: 80 MB for 2^20, more than the limbs that a wider table would save are worth.
 */
export const RANGE_TABLE_BITS = 20;

/** A table of a function has one entry for every number of at most 17 bits, and one more: a domain `in [a, b]` has both ends. */
export const FUNCTION_TABLE_BITS = 17;

/** Numbers of a checkpoint: three limbs, and exact in a double. */
export const COMMITTED_BITS = 3 * LIMB_BITS;
