/**
 * Fork and join over shared memory: workers wait on the control block's generation counter, the main thread does its part and waits for theirs.
 */
import { CONTROL_INDEX, CONTROL_WORD, type Engine } from './engine.ts';
import type { WorkerStart } from './worker.ts';

/** Polls before a thread goes to sleep: waking one takes longer than most tasks. */
const SPINS = 4000;

interface Stoppable {
  stop(): Promise<void>;
}

export class Pool {
  readonly #engine: Engine;
  readonly #workers: readonly Stoppable[];
  readonly threads: number;

  private constructor(engine: Engine, workers: readonly Stoppable[]) {
    this.#engine = engine;
    this.#workers = workers;
    this.threads = workers.length + 1;
  }

  /** Starts threads - 1 workers and waits until they listen. */
  static async start(engine: Engine, threads: number, start: Omit<WorkerStart, 'thread'>): Promise<Pool> {
    const workers = await Promise.all(
      Array.from({ length: threads - 1 }, (_, i) => startWorker({ ...start, thread: i + 1 })),
    );
    return new Pool(engine, workers);
  }

  /** Runs a task on `parts` threads. Must not be called again before it returns; it blocks. */
  run(task: number, parts: number, args: readonly number[]): void {
    if (parts === 1) {
      this.#engine.run(task, 0, 1, args);
      return;
    }
    const words = this.#engine.views.i32;
    const at = (word: number) => CONTROL_INDEX + word;
    words.set(args, at(CONTROL_WORD.args));
    words[at(CONTROL_WORD.task)] = task;
    words[at(CONTROL_WORD.parts)] = parts;
    words[at(CONTROL_WORD.count)] = args.length;
    Atomics.store(words, at(CONTROL_WORD.done), 0);
    Atomics.add(words, at(CONTROL_WORD.generation), 1);
    Atomics.notify(words, at(CONTROL_WORD.generation));
    try {
      this.#engine.run(task, 0, parts, args);
    } finally {
      this.#join(words);
    }
    if (Atomics.exchange(words, at(CONTROL_WORD.failed), 0) !== 0)
      throw new Error('a worker thread of the device failed');
  }

  /** Waits until every worker has finished, those without a part too. */
  #join(words: Int32Array): void {
    const at = CONTROL_INDEX + CONTROL_WORD.done;
    const workers = this.threads - 1;
    for (let spins = 0; ; spins++) {
      const done = Atomics.load(words, at);
      if (done === workers) return;
      if (spins > SPINS && mayBlock) Atomics.wait(words, at, done);
    }
  }

  async close(): Promise<void> {
    const words = this.#engine.views.i32;
    words[CONTROL_INDEX + CONTROL_WORD.task] = 0;
    Atomics.add(words, CONTROL_INDEX + CONTROL_WORD.generation, 1);
    Atomics.notify(words, CONTROL_INDEX + CONTROL_WORD.generation);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }
}

const isNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string';

/** A browser's main thread may not sleep. */
const mayBlock = isNode || typeof window === 'undefined';

async function startWorker(start: WorkerStart): Promise<Stoppable> {
  // The worker's file has this module's own extension: .ts in the repository, .js when built.
  const url = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  if (isNode) {
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(url, { workerData: start });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.unref();
    return { stop: async () => void (await worker.terminate()) };
  }
  const worker = new Worker(url, { type: 'module' });
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(start);
  });
  return { stop: async () => worker.terminate() };
}

/** What a worker does after it has said that it is ready: serves tasks until task 0. */
export function serve(engine: Engine, thread: number, memory: WebAssembly.Memory): void {
  let seen = 0;
  for (;;) {
    let words = engine.views.i32;
    const generation = CONTROL_INDEX + CONTROL_WORD.generation;
    for (let spins = 0; Atomics.load(words, generation) === seen; spins++)
      if (spins > SPINS) Atomics.wait(words, generation, seen);
    seen = Atomics.load(words, generation);
    // Another thread may have grown the memory; growing by nothing makes this one notice.
    memory.grow(0);
    words = engine.views.i32;
    const [task, parts, count] = [CONTROL_WORD.task, CONTROL_WORD.parts, CONTROL_WORD.count].map(
      (word) => words[CONTROL_INDEX + word],
    ) as [number, number, number];
    if (task === 0) return;
    const first = CONTROL_INDEX + CONTROL_WORD.args;
    try {
      if (thread < parts) engine.run(task, thread, parts, [...words.subarray(first, first + count)]);
    } catch {
      Atomics.store(words, CONTROL_INDEX + CONTROL_WORD.failed, 1);
    }
    Atomics.add(words, CONTROL_INDEX + CONTROL_WORD.done, 1);
    Atomics.notify(words, CONTROL_INDEX + CONTROL_WORD.done);
  }
}
