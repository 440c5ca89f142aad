/** The WebGPU device in Node: finding an adapter, and what there is instead where none answers. */
import type { GeneratorCache } from '../../runtime/curve/generators.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { HostDevice } from '../../runtime/device/host.ts';
import { createWebGpuDevice, GpuError, type VariantCache } from '../../runtime/device/webgpu/index.ts';
import { NodeGpuError, requestNodeAdapter } from '../../runtime/device/webgpu/node.ts';
import { HostError } from './errors.ts';
import { installWebgpu } from './place.ts';

export interface GpuOptions {
  /** Makes the device of the CPU's share. */
  readonly host: () => Promise<HostDevice>;
  /** Bytes of GPU memory at most. */
  readonly memory: number | undefined;
  readonly generators: GeneratorCache | undefined;
  readonly calibration: VariantCache | undefined;
}

/** On the GPU, or, where none answers, on an adapter in software: it was asked for. @throws HostError, GpuError */
export async function openGpu(options: GpuOptions): Promise<Device> {
  const adapter = await adapterOrNone(true);
  if (!adapter) throw noAdapter('no WebGPU adapter answers');
  return create(adapter, options);
}

/** On a GPU that is hardware and answers, or why on none. */
export async function tryGpu(options: GpuOptions): Promise<Device | HostError | GpuError> {
  try {
    const adapter = await adapterOrNone(false);
    return adapter ? await create(adapter, options) : noAdapter('no GPU answers');
  } catch (error) {
    if (error instanceof HostError || error instanceof GpuError) return error;
    throw error;
  }
}

const noAdapter = (message: string): HostError =>
  new HostError(message, 'use the wasm device', { kind: 'gpu', lacks: 'adapter' });

async function adapterOrNone(software: boolean): Promise<GPUAdapter | undefined> {
  try {
    return await requestNodeAdapter({ software });
  } catch (error) {
    if (!(error instanceof NodeGpuError)) throw error;
    const remedy = error.kind === 'missing' ? installWebgpu() : `install it again: ${installWebgpu()}`;
    throw new HostError(`the WebGPU device cannot be used: ${error.message}`, remedy, {
      kind: 'gpu',
      lacks: 'package',
    });
  }
}

async function create(adapter: GPUAdapter, { host, ...options }: GpuOptions): Promise<Device> {
  const cpu = await host();
  try {
    return await createWebGpuDevice({ adapter, host: cpu, ...options });
  } catch (error) {
    await cpu.close();
    throw error;
  }
}
