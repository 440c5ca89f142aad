/**
 * Where things lie in linear memory: a zero page part, constants, control block, then per thread scratch, then the heap.
 */

/** Always zero: the element 0, and what lanes beyond the end of a table read. */
export const ZERO = 64;
export const CONSTANTS = 512;
export const CONSTANTS_BYTES = 64 * 1024;
/** Words shared by the threads: see device/wasm/pool.ts. */
export const CONTROL = CONSTANTS + CONSTANTS_BYTES;
export const CONTROL_BYTES = 4096;
/** Scratch memory of thread i starts at SCRATCH + i * SCRATCH_BYTES. */
export const SCRATCH = CONTROL + CONTROL_BYTES;
export const SCRATCH_BYTES = 32 * 1024;

/** Limbs of the fields; see `Field` for what they must satisfy. Fr: 5 x 51 bits, Fq: 8 x 50 bits. */
export const FR_LIMBS = { w: 51, n: 5 } as const;
export const FQ_LIMBS = { w: 50, n: 8 } as const;

/** Bytes of an element of Fr, and of an affine point, in vectors. */
export const FR_SIZE = 8 * FR_LIMBS.n;
export const POINT_SIZE = 2 * 8 * FQ_LIMBS.n;

/** A job of a batch of additions: addresses of two points and of their sum, and its kind. */
export const JOB_BYTES = 16;
/** What a job turns out to be, in its fourth word; 0 when it is made, or `double` where the points are known to be the same. */
export const JOB_KIND = { add: 0, copyFirst: 1, copySecond: 2, infinity: 3, double: 4 } as const;
/** Jobs come in multiples of this. */
export const JOB_GROUP = 4;
/** Bytes of working memory that a batch takes for each job. */
export const JOB_WORK = 2 * 8 * FQ_LIMBS.n;

/** Hands out the fixed addresses, relative to the scratch base, that generated functions keep their pairs at. */
export class ScratchPlan {
  #used: number;

  /** @param used bytes that others have taken. */
  constructor(used = 0) {
    this.#used = used;
  }

  /** A plan for a further module, which may use what is left here, as may others: nothing is kept between calls. */
  fork(): ScratchPlan {
    return new ScratchPlan(this.#used);
  }

  allocate(bytes: number): number {
    const at = this.#used;
    this.#used += (bytes + 15) & ~15;
    if (this.#used > SCRATCH_BYTES)
      throw new Error(`scratch memory: ${this.#used} bytes are more than ${SCRATCH_BYTES}`);
    return at;
  }
}
