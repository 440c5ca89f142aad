/**
 * A browser tab as far as the library can tell, in a worker thread: nothing that only Node has, ES modules only, web
 * workers. Packages resolve on the page, as with an import map, but not in its workers, where import maps do not reach.
 */
import { isBuiltin, registerHooks } from 'node:module';
import { parentPort, Worker as Thread, workerData } from 'node:worker_threads';

export interface TabInput {
  /** Whether pages may share memory: cross-origin isolation. */
  readonly isolated: boolean;
  /** Default: the device's own. */
  readonly threads?: number;
  readonly bundle: Uint8Array;
  readonly commitment: Uint8Array;
  readonly proofs: readonly Uint8Array[];
}

export interface TabOutput {
  readonly device: string;
  readonly registered: boolean;
  /** For each proof why it was rejected, or 'accepted'. */
  readonly verdicts: readonly string[];
}

/** What a web worker of the tab starts with. */
interface WorkerInput {
  readonly entry: string;
}

const input = workerData as TabInput | WorkerInput;
const isWorker = 'entry' in input;

for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate'])
  Reflect.deleteProperty(globalThis, name);

registerHooks({
  resolve(specifier, context, next) {
    const isPackage = !/^(\.|file:)/.test(specifier);
    if (isBuiltin(specifier) || (isWorker && isPackage))
      throw new Error(`${context.parentURL} imports ${specifier}, which a ${isWorker ? 'worker' : 'page'} has not`);
    return next(specifier, context);
  },
  load(url, context, next) {
    const loaded = next(url, context);
    if (!loaded.format?.startsWith('module')) throw new Error(`${url} is no ES module but ${loaded.format}`);
    return loaded;
  },
});

/** As much of the web's Worker as there is use for. */
class WebWorker {
  readonly #thread: Thread;
  onmessage: ((event: { readonly data: unknown }) => void) | undefined;
  onerror: ((event: { readonly message: string }) => void) | undefined;

  constructor(entry: URL) {
    const source = entry.href.replace(/\.js$/, '.ts'); // nothing is built here
    this.#thread = new Thread(new URL(import.meta.url), { workerData: { entry: source } satisfies WorkerInput });
    this.#thread.on('message', (data) => this.onmessage?.({ data }));
    this.#thread.on('error', (error: Error) => this.onerror?.({ message: error.message }));
  }

  postMessage(message: unknown): void {
    this.#thread.postMessage(message);
  }

  terminate(): void {
    void this.#thread.terminate();
  }
}

if (isWorker) await runWorker(input);
else parentPort!.postMessage(await runPage(input));

async function runWorker({ entry }: WorkerInput): Promise<void> {
  const self: { postMessage(message: unknown): void; onmessage?: (event: { readonly data: unknown }) => void } = {
    postMessage: (message) => parentPort!.postMessage(message),
  };
  Object.assign(globalThis, { self });
  await import(entry);
  parentPort!.on('message', (data) => self.onmessage?.({ data }));
}

async function runPage({ isolated, threads, bundle, commitment, proofs }: TabInput): Promise<TabOutput> {
  Object.assign(globalThis, { window: globalThis, self: globalThis, crossOriginIsolated: isolated, Worker: WebWorker });
  if (!isolated) Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
  const { createVerifier } = await import('../../../runtime/verifier/index.ts');
  const { createWasmDevice } = await import('../../../runtime/device/index.ts');
  const device = await createWasmDevice({ threads, waitForThreads: true });
  const verifier = await createVerifier(bundle, { device });
  const registered = await verifier.register(commitment);
  const verdicts: string[] = [];
  for (const proof of proofs) {
    const verdict = await verifier.verify(proof);
    verdicts.push(verdict.ok ? 'accepted' : verdict.reason);
  }
  verifier.close();
  await device.close();
  return { device: device.name, registered: registered.ok, verdicts };
}
