/**
 * What each thread runs: one instance of the core module, instances of program kernels, and the tasks that the main thread hands out.
 */
import { CONTROL, SCRATCH, SCRATCH_BYTES } from '../../kernels/wasm/emit/layout.ts';
import { sumBuckets } from './operations/buckets.ts';
import { Views } from './memory.ts';

export type Exports = Readonly<Record<string, (...args: readonly number[]) => number>>;

/** Task numbers in the control block. */
export const TASK = { kernel: 1, module: 2, buckets: 3 } as const;

/** Positions in the control block, in 32-bit words. */
export const CONTROL_WORD = {
  /** Changes with each task: a counter, and in its low bits how many threads take part. */
  signal: 0,
  /** Workers that have finished their part. */
  done: 1,
  failed: 2,
  /** Workers that have started. */
  ready: 3,
  task: 4,
  count: 5,
  /** Length of the memory in pages. */
  pages: 6,
  args: 8,
} as const;

export const CONTROL_INDEX = CONTROL / 4;

/** The part of [0, total) for thread `part`, its ends even, as vectors are processed two elements at a time. */
export function partOf(total: number, part: number, parts: number): readonly [from: number, to: number] {
  const cut = (k: number) => (k === parts ? total : 2 * Math.floor((total * k) / parts / 2));
  return [cut(part), cut(part + 1)];
}

export class Engine {
  readonly views: Views;
  readonly core: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #scratch: number;
  /** Instances by module number; names of exports in order of definition. */
  readonly #modules = new Map<number, readonly ((...args: readonly number[]) => number)[]>();

  /** @param thread 0 for the main thread. */
  constructor(memory: WebAssembly.Memory, core: WebAssembly.Module, thread: number) {
    this.#memory = memory;
    this.#scratch = SCRATCH + thread * SCRATCH_BYTES;
    this.views = new Views(memory);
    this.core = this.#instantiate(core);
    this.#modules.set(0, Object.values(this.core));
  }

  #instantiate(module: WebAssembly.Module): Exports {
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory, scratch: this.#scratch } });
    return instance.exports as Exports;
  }

  /** Compiles and instantiates a module of one function. */
  load(id: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#modules.set(id, Object.values(this.#instantiate(new WebAssembly.Module(bytes))));
  }

  /** Runs this thread's part of a task. */
  run(task: number, part: number, parts: number, args: readonly number[]): void {
    switch (task) {
      case TASK.kernel: {
        const [module, index, total, stride, target, ...rest] = args as [number, number, number, number, number];
        const [from, to] = partOf(total, part, parts);
        if (from < to || stride > 0) this.#modules.get(module)![index](target + part * stride, ...rest, from, to);
        break;
      }
      case TASK.module: {
        const [id, address, length] = args as [number, number, number];
        // Workers read addresses as signed words: beyond 2 GiB they are negative.
        const at = address >>> 0;
        if (!this.#modules.has(id)) this.load(id, this.views.u8.slice(at, at + length));
        break;
      }
      case TASK.buckets:
        sumBuckets(this, args[part]);
        break;
      default:
        throw new Error(`unknown task ${task}`);
    }
  }
}
