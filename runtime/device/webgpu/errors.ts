/** What can go wrong on a GPU, typed: nothing here is a fault of the caller's numbers. */
import { ZklError } from '../../../compiler/ir/errors.ts';

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

export class GpuError extends ZklError {
  readonly kind: GpuErrorKind;
  /** The kernel that was being made or had run last, where one was. */
  readonly kernel: string | undefined;
  /** What a person can do about it. */
  declare readonly remedy: string;

  constructor(kind: GpuErrorKind, message: string, remedy: string, kernel?: string) {
    super('GpuError', 'ZKL_GPU', message, { remedy });
    this.kind = kind;
    this.kernel = kernel;
  }
}

export const ON_CPU = 'use the wasm device instead (--device wasm)';
