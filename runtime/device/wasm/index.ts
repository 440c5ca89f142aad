/**
 * The default device: generated WebAssembly on one or more threads.
 */
import { kindOf, requireObject } from '../../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../../compiler/ir/errors.ts';
import type { GeneratorCache } from '../../curve/generators.ts';
import { hasFusedMultiplyAdd } from '../../kernels/wasm/core.ts';
import { FR_SIZE } from '../../kernels/wasm/emit/layout.ts';
import type { HostDevice } from '../host.ts';
import { Scopes } from '../scopes.ts';
import { Turns } from '../turns.ts';
import { Context } from './context.ts';
import { pointOperations } from './operations/points.ts';
import { multiplyReals } from './operations/reals.ts';
import { rawMemory } from './raw.ts';
import { scalarOperations } from './operations/scalars.ts';

export interface WasmDeviceOptions {
  /**
   * Threads, the calling one included; default: one for each processor where memory can be shared between threads, else 1. With 1, no
   * SharedArrayBuffer is needed.
   */
  readonly threads?: number | undefined;
  /**
   * Whether to wait until all threads run; default: only in a page, whose main thread has to be left idle for its workers
   * to load. Elsewhere the device starts alone and takes them in as they come up.
   */
  readonly waitForThreads?: boolean | undefined;
  /** Whether to use fused multiply-add (relaxed SIMD); default: where engine and processor have it. Without it, products take about four times as long. */
  readonly fused?: boolean | undefined;
  /** Tables of multiples are kept of up to this many generators, 4 KiB each; default 1024. With more columns they gain little. */
  readonly tableColumns?: number | undefined;
  /** Where to keep generators between runs. */
  readonly generators?: GeneratorCache | undefined;
}

/** @throws ArgumentError for a number of threads out of range, or above 1 where threads cannot share memory. */
export async function createWasmDevice(options: WasmDeviceOptions = {}): Promise<HostDevice> {
  requireObject('options', options, '{ threads, ... }');
  const threads = options.threads ?? defaultThreads();
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new ArgumentError('options.threads', 'a whole number from 1 to 64', kindOf(threads));
  if (threads > 1 && !canShare())
    throw new ArgumentError(
      'options.threads',
      '1 where memory cannot be shared, as in a page that is not cross-origin isolated',
      kindOf(threads),
      'serve the page with the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp", or use 1 thread',
    );
  const ctx = new Context(threads, options.fused ?? hasFusedMultiplyAdd());
  if (options.waitForThreads ?? typeof window !== 'undefined') await ctx.pool.allReady();
  const scopes = new Scopes<{ free(): void }>((v) => v.free());
  const turns = new Turns();
  return {
    name: `wasm (${threads === 1 ? '1 thread' : `${threads} threads`})`,
    exclusive: (body) => turns.exclusive(body),
    scope: (body) => scopes.scope(body),
    keep: (body) => scopes.keep(body),
    ...scalarOperations(ctx, scopes),
    ...pointOperations(ctx, scopes, options.generators, options.tableColumns),
    multiplyReals: async (left, right, shape) => multiplyReals(ctx, left, right, shape),
    raw: rawMemory(ctx),
    memory: () => ({ ...ctx.heap.usage, element: FR_SIZE }),
    close: async () => {
      turns.close();
      await ctx.pool.close();
    },
  };
}

const canShare = (): boolean => typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);

const defaultThreads = (): number => (canShare() ? Math.min(navigator.hardwareConcurrency, 16) : 1);
