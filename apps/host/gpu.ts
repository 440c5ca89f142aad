/** The WebGPU device for a command: finding an adapter, and what to say where there is none. */
import type { GeneratorCache } from '../../runtime/curve/generators.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { HostDevice } from '../../runtime/device/host.ts';
import { createWebGpuDevice, GpuError, type VariantCache } from '../../runtime/device/webgpu/index.ts';
import { NodeGpuError, requestNodeAdapter } from '../../runtime/device/webgpu/node.ts';
import { CliError } from '../command/errors.ts';
import { installWebgpu } from './place.ts';
import type { Progress } from '../command/show/progress.ts';

export interface GpuOptions {
  /** Makes the device of the CPU's share. */
  readonly host: () => Promise<HostDevice>;
  /** Bytes of GPU memory at most. */
  readonly memory: number | undefined;
  readonly generators: GeneratorCache | undefined;
  readonly calibration: VariantCache | undefined;
}

/** On the GPU, or, where none answers, on an adapter in software: it was asked for. @throws CliError, GpuError */
export async function openGpu(options: GpuOptions): Promise<Device> {
  const adapter = await adapterOrNone(true);
  if (!adapter)
    throw new CliError('no WebGPU adapter answers', '`zkl doctor --device webgpu` says why; or use --device wasm');
  return create(adapter, options);
}

/** On a GPU that is hardware and answers, else on the device of `otherwise`. Says which, and why. */
export async function openGpuOr(
  otherwise: () => Promise<Device>,
  options: GpuOptions,
  progress: Progress,
): Promise<Device> {
  const found = await attempt(options);
  const device = typeof found === 'string' ? await otherwise() : found;
  progress.note(`device ${device.name}${typeof found === 'string' ? `, as ${found}` : ''}`);
  return device;
}

/** The device, or why there is none. */
async function attempt(options: GpuOptions): Promise<Device | string> {
  try {
    const adapter = await adapterOrNone(false);
    return adapter ? await create(adapter, options) : 'no GPU answers (zkl doctor says more)';
  } catch (error) {
    if (error instanceof CliError || error instanceof GpuError) return error.message;
    throw error;
  }
}

async function adapterOrNone(software: boolean): Promise<GPUAdapter | undefined> {
  try {
    return await requestNodeAdapter({ software });
  } catch (error) {
    if (!(error instanceof NodeGpuError)) throw error;
    const remedy = error.kind === 'missing' ? installWebgpu() : `install it again: ${installWebgpu()}`;
    throw new CliError(`the WebGPU device cannot be used: ${error.message}`, `${remedy}; or use --device wasm`);
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
