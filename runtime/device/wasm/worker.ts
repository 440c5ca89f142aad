/**
 * Entry point of a worker thread, in Node and in browsers.
 */
import { Engine } from './engine.ts';
import { serve } from './pool.ts';

export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  readonly core: WebAssembly.Module;
  readonly thread: number;
}

function run(start: WorkerStart, ready: () => void): void {
  serve(new Engine(start.memory, start.core, start.thread), start.memory, ready);
}

if (typeof process !== 'undefined' && typeof process.versions?.node === 'string') {
  const threads = process.getBuiltinModule('node:worker_threads');
  const port = threads.parentPort;
  if (port !== null) run(threads.workerData as WorkerStart, () => port.postMessage('ready'));
} else self.onmessage = (event: MessageEvent<WorkerStart>) => run(event.data, () => self.postMessage('ready'));
