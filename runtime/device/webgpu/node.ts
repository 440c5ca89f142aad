/**
 * Adapters in Node: npm's `webgpu`, which is Dawn, the implementation that Chromium has. It is an optional peer dependency, and
 * this is the one file that loads it: browsers have `navigator.gpu`.
 *
 * @example
 * import { requestNodeAdapter } from 'zkl/devices/node';
 *
 * const adapter = await requestNodeAdapter();
 * if (adapter) device = await createWebGpuDevice({ adapter, host: await createWasmDevice() });
 *
 * @module
 */
import { ZklError } from '../../../compiler/ir/errors.ts';
import { isSoftware } from './adapters.ts';

/** The package `webgpu` is not there, or does not load. */
export class NodeGpuError extends ZklError {
  /** `missing`: not installed. `broken`: installed, and its library does not load on this system. */
  readonly kind: 'missing' | 'broken';

  constructor(kind: NodeGpuError['kind'], message: string, options?: ErrorOptions) {
    const remedy = kind === 'missing' ? 'npm install webgpu' : undefined;
    super('NodeGpuError', 'ZKL_NODE_GPU', message, { remedy, ...options });
    this.kind = kind;
  }
}

type Create = (options: string[]) => GPU;

async function loadDawn(): Promise<Create> {
  try {
    return (await import('webgpu')).create;
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes("'webgpu'"))
      throw new NodeGpuError('missing', 'the package "webgpu" is not installed', { cause });
    throw new NodeGpuError('broken', `the package "webgpu" does not load: ${message.split('\n')[0]}`, { cause });
  }
}

/** Kept as long as the process: adapters and devices end with the object that they come from. */
let gpu: GPU | undefined;

export interface NodeAdapterOptions {
  /** Whether an adapter that computes on the CPU will do where no GPU answers; default false. */
  readonly software?: boolean;
}

/**
 * The fastest GPU that answers, or `undefined`. An adapter gives one device, so each call asks anew. Drivers are looked for when this is
 * first called; without any, Dawn itself says on stderr that Vulkan is missing.
 *
 * @throws NodeGpuError where the package `webgpu` is not installed or does not load
 */
export async function requestNodeAdapter({ software = false }: NodeAdapterOptions = {}): Promise<
  GPUAdapter | undefined
> {
  gpu ??= (await loadDawn())([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  return adapter && (software || !isSoftware(adapter.info)) ? adapter : undefined;
}

/** An adapter and the programming interface that it is driven through: vulkan, metal, d3d12, ... */
export interface NodeAdapter {
  readonly backend: string;
  readonly name: string;
  readonly adapter: GPUAdapter;
}

/** Every adapter that answers, GPUs and software. @throws NodeGpuError */
export async function listNodeAdapters(): Promise<NodeAdapter[]> {
  const create = await loadDawn();
  const found: NodeAdapter[] = [];
  for (const { backend, name } of await adapterNames(create)) {
    const adapter = await create([`backend=${backend}`, `adapter=${name}`]).requestAdapter();
    if (adapter) found.push({ backend, name, adapter });
  }
  return found;
}

/** Dawn lists the adapters it has in the message that refuses one that it has not. */
async function adapterNames(create: Create): Promise<{ readonly backend: string; readonly name: string }[]> {
  const nobody = '?';
  try {
    await create([`adapter=${nobody}`]).requestAdapter();
    return [];
  } catch (error) {
    const lines = [...String(error).matchAll(/^ \* backend: '(.*)', name: '(.*)'$/gm)];
    if (lines.length === 0) throw error;
    const seen = new Map(lines.map(([line, backend, name]) => [line, { backend, name }]));
    return [...seen.values()].filter(({ backend }) => backend !== 'null');
  }
}
