/** How work is cut for an adapter: GPUs have many invocations at once, software has few and a compiler that is slow. */

export interface Tuning {
  /** Field products of an expression in one kernel at most. With fewer, more expressions are put together from the same kernels. */
  readonly products: number;
  /** Invocations that keep the adapter busy: where there is work for more, each does more of it. */
  readonly invocations: number;
  /** Larger sums of points are the host's: see `Store.sumsOnHost`. */
  readonly scalars: number;
}

export const TUNED_FOR_GPUS: Tuning = { products: 8, invocations: 2 ** 16, scalars: Infinity };
/** Measured on SwiftShader: a kernel of 8 products compiles in a second, one of 2 in a fifth; WASM adds points many times faster. */
export const TUNED_FOR_SOFTWARE: Tuning = { products: 2, invocations: 2 ** 8, scalars: 2 ** 11 };
