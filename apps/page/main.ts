/** The page: what people press, and what they see. Everything is computed by the engine, a worker. */
import type { DeviceName, Named, ProofFiles, Request, Update } from './messages.ts';
import { find, showMachine, startOutput } from './view.ts';

/** What the server names in `given.json`: files to verify when the page opens. */
interface Given {
  readonly bundle?: string;
  readonly commitments?: readonly string[];
  readonly proof?: string;
  readonly context?: string;
  readonly expected?: readonly string[];
}

const engine = new Worker(new URL('./engine.js', import.meta.url), { type: 'module' });

/** Resolves when the request has ended; `show` gets every update. One request at a time. */
function ask(request: Request, show: (update: Update) => void): Promise<void> {
  return new Promise((resolve) => {
    engine.onmessage = ({ data }: MessageEvent<Update>) => {
      show(data);
      if (data.kind === 'end') resolve();
    };
    // The script, or one that it imports, did not load or is refused: no update will come.
    engine.onerror = (event) => {
      const message = `the page's engine does not run${event.message ? `: ${event.message}` : ''}`;
      show({ kind: 'failed', message, remedy: 'Use a current browser, and serve the page whole: `zkl page` does.' });
      show({ kind: 'end' });
      resolve();
    };
    engine.postMessage(request);
  });
}

const controls = (): NodeListOf<HTMLButtonElement | HTMLFieldSetElement> =>
  document.querySelectorAll('button, #devices');

/** Runs a request with all controls disabled, its updates in `place`. */
async function run(place: string, request: () => Promise<Request>): Promise<void> {
  for (const control of controls()) control.disabled = true;
  const output = startOutput(find(place));
  try {
    await ask(await request(), output.show);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    output.show({ kind: 'failed', message, remedy: 'Check that the files are whole and that the server runs.' });
    output.show({ kind: 'end' });
  } finally {
    for (const control of controls()) control.disabled = false;
  }
}

const device = (): DeviceName => find<HTMLInputElement>('input[name=device]:checked').value as DeviceName;

async function fetched(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const fileName = (path: string): string => decodeURIComponent(path.replace(/^.*\//s, ''));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const read = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
const named = async (file: File): Promise<Named> => ({ name: file.name, bytes: await read(file) });

find('#prove').addEventListener('click', () => {
  void run('#demo-output', async () => {
    const [config, tensors] = await Promise.all([
      fetched('demo/adapter_config.json'),
      fetched('demo/adapter_model.safetensors'),
    ]);
    return { kind: 'demo', device: device(), adapter: { config: text(config), tensors } };
  });
});

const verify = (files: () => Promise<ProofFiles>): Promise<void> =>
  run('#verify-output', async () => ({ kind: 'verify', device: device(), files: await files() }));

find<HTMLFormElement>('#verify').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target as HTMLFormElement);
  const file = (name: string): File => form.get(name) as File;
  void verify(async () => ({
    bundle: await read(file('bundle')),
    commitments: await Promise.all((form.getAll('commitments') as File[]).map(named)),
    proof: await read(file('proof')),
    context: form.get('context') as string,
    expected: (form.get('expected') as string).split('\n'),
  }));
});

async function verifyGiven({ bundle, commitments = [], proof, context = '', expected = [] }: Given): Promise<void> {
  if (bundle === undefined || proof === undefined) return;
  await verify(async () => ({
    bundle: await fetched(bundle),
    commitments: await Promise.all(
      commitments.map(async (path) => ({ name: fileName(path), bytes: await fetched(path) })),
    ),
    proof: await fetched(proof),
    context,
    expected,
  }));
}

await ask({ kind: 'look' }, (update) => {
  if (update.kind === 'machine') showMachine(update.machine);
  if (update.kind === 'failed') {
    find('#wasm-note').textContent = `not available: ${update.message}. ${update.remedy}`;
    find('#webgpu-note').textContent = '';
  }
});
for (const control of controls()) control.disabled = false;
await verifyGiven(JSON.parse(text(await fetched('given.json'))) as Given);
