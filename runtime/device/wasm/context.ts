/**
 * The main thread's side of a WASM device: memory, threads, program kernels, temporary blocks.
 */
import { buildCore, type Core } from '../../kernels/wasm/core.ts';
import { FR_SIZE, SCRATCH, SCRATCH_BYTES } from '../../kernels/wasm/emit/layout.ts';
import { FR_MODULUS } from '../../field/params.ts';
import { checkFr } from '../../field/spec.ts';
import { Engine, TASK, type Exports } from './engine.ts';
import type { Views } from './memory.ts';
import { createMemory, Heap } from './memory.ts';
import { Pool } from './pool.ts';

/** Below this many nanoseconds of work a task stays on one thread. */
const WORTH_FORKING = 60_000;

/** Bytes for small temporary blocks: most calls need a few, and the heap's bookkeeping takes longer than what they do. */
const STACK_BYTES = 2 ** 16;
/** What vector loads may read ahead. */
const SPARE = 128;

export class Context {
  readonly engine: Engine;
  readonly views: Views;
  readonly heap: Heap;
  readonly pool: Pool;
  readonly core: Core;
  readonly #index: ReadonlyMap<string, number>;
  /** The next small temporary block's address, and where there is no room for one any more. */
  #top: number;
  readonly #stackEnd: number;
  readonly #modules = new Map<
    string,
    { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer>; parts: number }
  >();

  constructor(threads: number, fused: boolean) {
    const state = createMemory(threads > 1, threads);
    this.core = buildCore(state, fused);
    const module = new WebAssembly.Module(this.core.bytes);
    this.engine = new Engine(state.memory, module, 0);
    this.core.constants.flush(state.memory.buffer);
    this.views = this.engine.views;
    this.#top = SCRATCH + threads * SCRATCH_BYTES;
    this.#stackEnd = this.#top + STACK_BYTES;
    this.heap = new Heap(this.views, this.#stackEnd, state.maximumPages);
    this.pool = new Pool(this.engine, threads, { memory: state.memory, core: module });
    this.#index = new Map(Object.keys(this.engine.core).map((name, i) => [name, i]));
  }

  get exports(): Exports {
    return this.engine.core;
  }

  /** How many threads a task of about `nanoseconds` gets. */
  parts(nanoseconds: number): number {
    return nanoseconds < WORTH_FORKING ? 1 : this.pool.available;
  }

  /**
   * Runs a core kernel (target, ...args, from, to) over [0, total), which costs about `cost` nanoseconds each. With `stride`, each part has a target of
   * its own, `stride` bytes apart; their number is returned.
   */
  launch(name: string, total: number, cost: number, target: number, args: readonly number[], stride = 0): number {
    const parts = this.parts(total * cost);
    this.pool.run(TASK.kernel, parts, [0, this.#index.get(name)!, total, stride, target, ...args]);
    return parts;
  }

  /** As `launch`, for the one function of a program module, made by `build` when first used. */
  launchModule(
    key: string,
    build: () => Uint8Array<ArrayBuffer>,
    total: number,
    cost: number,
    args: readonly number[],
    stride = 0,
  ): number {
    const parts = this.parts(total * cost);
    const module = this.#module(key, build);
    if (parts > module.parts) {
      this.temporary(module.bytes.length, (address) => {
        this.views.u8.set(module.bytes, address);
        this.pool.run(TASK.module, parts, [module.id, address, module.bytes.length]);
      });
      module.parts = parts;
    }
    this.pool.run(TASK.kernel, parts, [module.id, 0, total, stride, ...args]);
    return parts;
  }

  #module(key: string, build: () => Uint8Array<ArrayBuffer>) {
    let module = this.#modules.get(key);
    if (module === undefined) {
      module = { id: this.#modules.size + 1, bytes: build(), parts: 1 };
      this.#modules.set(key, module);
      this.engine.load(module.id, module.bytes);
      this.core.constants.flush(this.views.memory.buffer);
    }
    return module;
  }

  /** A block for the time of `body`, which returns when it has done all: such blocks end in the reverse order of their beginnings. */
  temporary<T>(bytes: number, body: (address: number) => T): T {
    const top = this.#top;
    const end = top + 64 * Math.ceil((bytes + SPARE) / 64);
    if (end <= this.#stackEnd) {
      this.#top = end;
      try {
        return body(top);
      } finally {
        this.#top = top;
      }
    }
    const address = this.heap.allocate(bytes);
    try {
      return body(address);
    } finally {
      this.heap.free(address);
    }
  }

  /** Writes field elements. @throws RangeError unless all are in [0, r). */
  writeFr(address: number, values: readonly bigint[]): void {
    const chunk = 4096;
    this.temporary(32 * Math.min(chunk, values.length), (words) => {
      for (let start = 0; start < values.length; start += chunk) {
        const count = Math.min(chunk, values.length - start);
        const u64 = this.views.u64;
        for (let i = 0; i < count; i++) {
          const value = values[start + i];
          if (value < 0n || value >= FR_MODULUS) checkFr(value, `entry ${start + i}`);
          writeWords(u64, words / 8 + 4 * i, value, 4);
        }
        this.exports.frFromWords(address + start * FR_SIZE, words, 0, count);
      }
    });
  }

  /** Field elements in memory for the time of `body`. */
  withFr<T>(values: readonly bigint[], body: (address: number) => T): T {
    return this.temporary(values.length * FR_SIZE, (address) => {
      this.writeFr(address, values);
      return body(address);
    });
  }

  readFr(address: number, count: number): bigint[] {
    return this.temporary(32 * count, (words) => {
      this.exports.frToWords(words, address, 0, count);
      const u64 = this.views.u64;
      return Array.from({ length: count }, (_, i) => readWords(u64, words / 8 + 4 * i, 4));
    });
  }
}

/** Stores the low `count` words of a non-negative integer. */
export function writeWords(u64: BigUint64Array, at: number, value: bigint, count: number): void {
  for (let j = 0; j < count; j++) {
    u64[at + j] = value;
    value >>= 64n;
  }
}

export function readWords(u64: BigUint64Array, at: number, count: number): bigint {
  let value = 0n;
  for (let j = count - 1; j >= 0; j--) value = (value << 64n) | u64[at + j];
  return value;
}
