/**
 * Fork and join over shared memory: workers wait for the control block's signal to change, the main thread does its part and waits for theirs.
 */
import { closedError } from '../turns.ts';
import { CONTROL_INDEX, CONTROL_WORD, type Engine } from './engine.ts';
import type { WorkerStart } from './worker.ts';

/** Polls before a thread goes to sleep: waking one takes longer than most tasks. */
const SPINS = 4000;

interface Started {
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** Bits of the signal that say how many threads take part. */
const PARTS_BITS = 7;
const at = (word: number): number => CONTROL_INDEX + word;

export class Pool {
  readonly #engine: Engine;
  readonly #workers: readonly Started[];
  #counter = 0;
  #closed = false;
  readonly threads: number;

  /** Starts threads - 1 workers, which take part as they come up. */
  constructor(engine: Engine, threads: number, start: Omit<WorkerStart, 'thread'>) {
    this.#engine = engine;
    this.threads = threads;
    this.#workers = Array.from({ length: threads - 1 }, (_, i) => startWorker({ ...start, thread: i + 1 }));
  }

  /** Resolves when all workers have started. @throws Error when one cannot. */
  async allReady(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ready));
  }

  /** Threads that can take part in a task now. */
  get available(): number {
    if (this.threads === 1) return 1;
    return 1 + Atomics.load(this.#engine.views.i32, at(CONTROL_WORD.ready));
  }

  /** Runs a task on `parts` threads, at most those available. It blocks. @throws Error once closed: nobody would answer. */
  run(task: number, parts: number, args: readonly number[]): void {
    if (this.#closed) throw closedError();
    if (parts === 1) {
      this.#engine.run(task, 0, 1, args);
      return;
    }
    const words = this.#engine.views.i32;
    words.set(args, at(CONTROL_WORD.args));
    words[at(CONTROL_WORD.task)] = task;
    words[at(CONTROL_WORD.count)] = args.length;
    words[at(CONTROL_WORD.pages)] = words.length >>> 14;
    Atomics.store(words, at(CONTROL_WORD.done), 0);
    // One word says that there is a task and who takes part: others may look at the block when it is being rewritten, and must not.
    Atomics.store(words, at(CONTROL_WORD.signal), (++this.#counter << PARTS_BITS) | parts);
    Atomics.notify(words, at(CONTROL_WORD.signal));
    try {
      this.#engine.run(task, 0, parts, args);
    } finally {
      join(words, parts - 1);
    }
    if (Atomics.exchange(words, at(CONTROL_WORD.failed), 0) !== 0)
      throw new Error('a worker thread of the device failed');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }
}

/** Waits until `workers` workers are done. */
function join(words: Int32Array, workers: number): void {
  for (let spins = 0; ; spins++) {
    const done = Atomics.load(words, at(CONTROL_WORD.done));
    if (done === workers) return;
    if (spins > SPINS && mayBlock) Atomics.wait(words, at(CONTROL_WORD.done), done);
  }
}

const isNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string';

/** A browser's main thread may not sleep. */
const mayBlock = isNode || typeof window === 'undefined';

function startWorker(start: WorkerStart): Started {
  if (isNode) {
    // Not imported, as bundlers for browsers have no such module.
    const threads = process.getBuiltinModule('node:worker_threads');
    // The worker's file has this module's own extension: .ts in the repository, .js when built.
    const url = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
    const worker = new threads.Worker(url, { workerData: start });
    // Idle workers do not keep the process alive.
    worker.unref();
    const ready = new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    ready.catch(() => undefined);
    return { ready, stop: async () => void (await worker.terminate()) };
  }
  // Written out, as bundlers look for this expression to find the worker's file.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    // There is no message when the script, or one that it imports, did not load.
    worker.onerror = (event) =>
      reject(
        new Error(`a worker thread did not start: ${event.message || 'worker.js or one of its imports did not load'}`),
      );
    worker.postMessage(start);
  });
  ready.catch(() => undefined);
  return { ready, stop: async () => worker.terminate() };
}

/** What a worker does: serves tasks for ever. `onReady` is called once it does. */
export function serve(engine: Engine, memory: WebAssembly.Memory, onReady: () => void): void {
  let pages = 0;
  let seen = Atomics.load(engine.views.i32, at(CONTROL_WORD.signal));
  const index = 1 + Atomics.add(engine.views.i32, at(CONTROL_WORD.ready), 1);
  onReady();
  for (;;) {
    let words = engine.views.i32;
    for (let spins = 0; Atomics.load(words, at(CONTROL_WORD.signal)) === seen; spins++)
      if (spins > SPINS) Atomics.wait(words, at(CONTROL_WORD.signal), seen);
    seen = Atomics.load(words, at(CONTROL_WORD.signal));
    const parts = seen & (2 ** PARTS_BITS - 1);
    if (index >= parts) continue;
    if (words[at(CONTROL_WORD.pages)] !== pages) {
      // Another thread has grown the memory; growing by nothing makes this one notice.
      memory.grow(0);
      words = engine.views.i32;
      pages = words[at(CONTROL_WORD.pages)];
    }
    const first = at(CONTROL_WORD.args);
    const args = [...words.subarray(first, first + words[at(CONTROL_WORD.count)])];
    try {
      engine.run(words[at(CONTROL_WORD.task)], index, parts, args);
    } catch {
      Atomics.store(words, at(CONTROL_WORD.failed), 1);
    }
    Atomics.add(words, at(CONTROL_WORD.done), 1);
    Atomics.notify(words, at(CONTROL_WORD.done));
  }
}
