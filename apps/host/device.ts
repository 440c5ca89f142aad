/** Opening a device by its name, with what this machine keeps for it between runs. */
import type { GeneratorCache } from '../../runtime/curve/generators.ts';
import type { Device } from '../../runtime/device/device.ts';
import { calibrationCache, generatorCache } from './cache.ts';

/** `auto`: a GPU that is hardware and answers, else `wasm`. */
export const DEVICES = ['wasm', 'webgpu', 'auto', 'reference'] as const;
export type DeviceName = (typeof DEVICES)[number];

export interface DeviceOptions {
  /** Of the WASM device, also as the host of a GPU; default: one per core. */
  readonly threads?: number | undefined;
  /** Bytes of GPU memory at most. */
  readonly gpuMemory?: number | undefined;
  /** Whether to read and write the cache directory. */
  readonly cached: boolean;
  /** Hears how much of the generators is made, where they have to be. */
  readonly hashing?: (done: number, of: number) => void;
  /** Hears what `auto` took, and why it is no GPU. */
  readonly took?: (device: Device, because: Error | undefined) => void;
}

/** A device to be closed by the caller. One that is named is never replaced by another. @throws HostError, GpuError */
export async function openDevice(name: DeviceName, options: DeviceOptions): Promise<Device> {
  const { threads, cached, hashing } = options;
  const generators: GeneratorCache = {
    load: () => Promise.resolve(undefined),
    store: () => Promise.resolve(),
    ...(cached ? generatorCache() : undefined),
    ...(hashing ? { hashing } : undefined),
  };
  if (name === 'reference') {
    const { createReferenceDevice } = await import('../../runtime/device/reference.ts');
    return createReferenceDevice({ generators });
  }
  const wasm = async () =>
    (await import('../../runtime/device/wasm/index.ts')).createWasmDevice({ threads, generators });
  if (name === 'wasm') return wasm();
  const gpu = await import('./gpu.ts');
  const gpuOptions = {
    host: wasm,
    memory: options.gpuMemory,
    generators,
    calibration: cached ? calibrationCache() : undefined,
  };
  if (name === 'webgpu') return gpu.openGpu(gpuOptions);
  const found = await gpu.tryGpu(gpuOptions);
  const device = found instanceof Error ? await wasm() : found;
  options.took?.(device, found instanceof Error ? found : undefined);
  return device;
}
