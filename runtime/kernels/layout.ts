/**
 * Where things lie in linear memory: a zero page part, constants, control block, then per thread scratch, then the heap.
 */

/** Always zero: the element 0, and what lanes beyond the end of a table read. */
export const ZERO = 64;
export const ZERO_BYTES = 448;
export const CONSTANTS = 512;
export const CONSTANTS_BYTES = 24 * 1024;
/** Words shared by the threads: see device/wasm/pool.ts. */
export const CONTROL = CONSTANTS + CONSTANTS_BYTES;
export const CONTROL_BYTES = 4096;
/** Scratch memory of thread i starts at SCRATCH + i * SCRATCH_BYTES. */
export const SCRATCH = CONTROL + CONTROL_BYTES;
export const SCRATCH_BYTES = 32 * 1024;

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
