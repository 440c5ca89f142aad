/**
 * The default device: generated WebAssembly on one or more threads.
 */
import type { GeneratorCache } from '../../curve/generators.ts';
import { hasFusedMultiplyAdd } from '../../kernels/core.ts';
import type { Device } from '../device.ts';
import { Scopes } from '../scopes.ts';
import { Context } from './context.ts';
import { pointOperations } from './points.ts';
import { scalarOperations } from './scalars.ts';

export interface WasmDeviceOptions {
  /**
   * Threads, the calling one included; default: one for each processor where memory can be shared between threads, else 1. With 1, no
   * SharedArrayBuffer is needed.
   */
  readonly threads?: number | undefined;
  /** Whether to use fused multiply-add (relaxed SIMD); default: where engine and processor have it. Without it, products take about four times as long. */
  readonly fused?: boolean | undefined;
  /** Where to keep generators between runs. */
  readonly generators?: GeneratorCache | undefined;
}

/** @throws RangeError for a number of threads out of range. */
export async function createWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  const threads = options.threads ?? defaultThreads();
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new RangeError(`the wasm device has 1 to 64 threads, not ${threads}`);
  const ctx = await Context.create(threads, options.fused ?? hasFusedMultiplyAdd());
  const scopes = new Scopes<{ free(): void }>((v) => v.free());
  return {
    name: `wasm (${threads === 1 ? '1 thread' : `${threads} threads`})`,
    scope: (body) => scopes.scope(body),
    keep: (body) => scopes.keep(body),
    ...scalarOperations(ctx, scopes),
    ...pointOperations(ctx, scopes, options.generators),
    close: () => ctx.pool.close(),
  };
}

function defaultThreads(): number {
  const sharing = typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
  return sharing ? Math.min(navigator.hardwareConcurrency, 16) : 1;
}
