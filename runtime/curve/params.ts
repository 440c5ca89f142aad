/** Numbers of the group G1 of BLS12-381: y^2 = x^3 + 4 over Fq, subgroup of order r. */

/** The constant b of y^2 = x^3 + b. */
export const G1_B = 4n;

/** The absolute value of the curve's parameter x, which is negative: x = -0xd201000000010000. */
export const BLS_X = 0xd201000000010000n;

/**
 * A primitive cube root of unity in Fq. phi(x, y) = (BETA x, y) acts on G1 as multiplication by -x^2 and as nothing else outside of it,
 * which makes phi(P) = -[x^2] P the subgroup test (Bowe, ePrint 2019/814; Scott, ePrint 2021/1130, section 4).
 */
export const BETA = 0x5f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffen;

/** A compressed point: 48 bytes, x big-endian, the three top bits being flags (ZCash format). */
export const POINT_BYTES = 48;

/** A point in the clear: x then y, 48 bytes big-endian each; all zero for the point at infinity. */
export const AFFINE_BYTES = 96;

/** Flags in the first byte of a compressed point. */
export const FLAG_COMPRESSED = 0x80;
export const FLAG_INFINITY = 0x40;
/** Set when y is the larger of the two roots, y > (q - 1) / 2. */
export const FLAG_LARGER_Y = 0x20;
