/** Numbers of BLS12-381 (Bowe 2017; draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1). Importing this costs nothing. */

/** Order r of the subgroups: modulus of the scalar field Fr (255 bits). */
export const FR_MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

/** Modulus q of the base field Fq (381 bits). */
export const FQ_MODULUS =
  0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;
