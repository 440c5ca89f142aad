/** The device a command runs on. */
import type { GeneratorCache } from '../../../runtime/curve/generators.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { didYouMean, type Arguments } from '../parse/arguments.ts';
import { calibrationCache, generatorCache } from '../../host/cache.ts';
import { CliError } from '../errors.ts';
import type { Progress } from '../show/progress.ts';

const names = ['wasm', 'webgpu', 'auto', 'reference'] as const;
type Name = (typeof names)[number];

/**
 * Runs `body` on the device that the arguments ask for, and closes it. An explicit device is never replaced by another;
 * `auto` says which it took.
 */
export async function withDevice<T>(
  args: Arguments,
  progress: Progress,
  body: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await createDevice(args, progress);
  try {
    return await body(device);
  } finally {
    await device.close();
  }
}

async function createDevice(args: Arguments, progress: Progress): Promise<Device> {
  const name = chosen(args.value('device') ?? 'wasm');
  const threads = args.integer('threads', 1, 64);
  const memory = args.bytes('gpu-memory');
  const cached = !args.flag('no-cache');
  const generators: GeneratorCache = {
    load: () => Promise.resolve(undefined),
    store: () => Promise.resolve(),
    ...(cached ? generatorCache() : undefined),
    hashing: progress.part(cached ? 'generators of commitments, once on this machine' : 'generators of commitments'),
  };
  const hasGpu = name === 'webgpu' || name === 'auto';
  if (memory !== undefined && !hasGpu)
    throw new CliError(`the ${name} device has no GPU memory`, 'leave --gpu-memory out, or add --device webgpu');
  if (name === 'reference') {
    if (threads !== undefined) throw new CliError('the reference device has one thread', 'leave --threads out');
    const { createReferenceDevice } = await import('../../../runtime/device/reference.ts');
    return createReferenceDevice({ generators });
  }
  const wasm = async () =>
    (await import('../../../runtime/device/wasm/index.ts')).createWasmDevice({ threads, generators });
  if (!hasGpu) return wasm();
  const gpu = await import('../../host/gpu.ts');
  const options = { host: wasm, memory, generators, calibration: cached ? calibrationCache() : undefined };
  return name === 'webgpu' ? gpu.openGpu(options) : gpu.openGpuOr(wasm, options, progress);
}

function chosen(name: string): Name {
  const known = names.find((n) => n === name);
  if (known === undefined)
    throw new CliError(`there is no device "${name}"`, didYouMean(name, names) ?? `use ${names.join(', ')}`);
  return known;
}
