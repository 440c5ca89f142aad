/** What can go wrong on a GPU, typed: nothing here is a fault of the caller's numbers. */

export type GpuErrorKind =
  /** The adapter lacks something the device needs. */
  | 'limits'
  /** The device was lost: driver reset, another process, destruction. */
  | 'lost'
  /** More memory than the adapter or the budget has. */
  | 'memory'
  /** A generated shader was refused. */
  | 'shader'
  /** A call was refused by the WebGPU implementation. */
  | 'validation'
  /** What the GPU computed cannot be right. */
  | 'result';

export class GpuError extends Error {
  override readonly name = 'GpuError';
  readonly kind: GpuErrorKind;
  /** The kernel that was being made or had run last, where one was. */
  readonly kernel: string | undefined;
  /** What a person can do about it. */
  readonly remedy: string;

  constructor(kind: GpuErrorKind, message: string, remedy: string, kernel?: string) {
    super(message);
    this.kind = kind;
    this.kernel = kernel;
    this.remedy = remedy;
  }
}

export const onCpu = 'use the wasm device instead (--device wasm)';
