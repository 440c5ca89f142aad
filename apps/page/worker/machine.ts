/** The devices that this browser offers, and why not more of them. */
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import type { Device } from '../../../runtime/device/device.ts';
import type { HostDevice } from '../../../runtime/device/host.ts';
import { adapterName, isSoftware } from '../../../runtime/device/webgpu/adapters.ts';
import { createWebGpuDevice } from '../../../runtime/device/webgpu/index.ts';
import { calibrationCache, generatorCache } from './cache.ts';
import type { DeviceName, Machine } from '../messages.ts';

const ISOLATION =
  'this page is not cross-origin isolated: memory cannot be shared between threads unless it is served with the headers ' +
  'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, as `zkl page` does';

export interface Machines {
  look(): Promise<Machine>;
  /** @throws Error if it is not there: it is never replaced by the other. */
  device(name: DeviceName): Promise<Device>;
  /** After a failure: the GPU's device may be lost, and is made anew when it is next asked for. */
  forgetGpu(): void;
}

export function openMachines(): Machines {
  let wasm: Promise<Wasm> | undefined;
  let webgpu: Promise<Device> | undefined;
  const openWasm = () => (wasm ??= createWasm());
  return {
    async look() {
      const { device, singleThreaded } = await openWasm();
      return { wasm: device.name, ...(singleThreaded && { singleThreaded }), gpu: await lookForGpu() };
    },
    async device(name) {
      if (name === 'wasm') return (await openWasm()).device;
      return (webgpu ??= createGpu());
    },
    forgetGpu() {
      webgpu?.then((device) => device.close()).catch(() => undefined);
      webgpu = undefined;
    },
  };
}

interface Wasm {
  readonly device: HostDevice;
  readonly singleThreaded?: string;
}

async function createGpu(): Promise<Device> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('the GPU does not answer any more');
  // Its part is small: one thread will do.
  const host = await createWasmDevice({ threads: 1 });
  return createWebGpuDevice({ adapter, host, generators: generatorCache(), calibration: calibrationCache() });
}

async function createWasm(): Promise<Wasm> {
  const generators = generatorCache();
  if (!globalThis.crossOriginIsolated)
    return { device: await createWasmDevice({ threads: 1, generators }), singleThreaded: ISOLATION };
  try {
    return { device: await createWasmDevice({ waitForThreads: true, generators }) };
  } catch (error) {
    const device = await createWasmDevice({ threads: 1, generators });
    return { device, singleThreaded: error instanceof Error ? error.message : String(error) };
  }
}

async function lookForGpu(): Promise<Machine['gpu']> {
  if (!isSecureContext) return { problem: 'WebGPU is there only for pages from https or from localhost' };
  // Absent in browsers without it, whatever the types say.
  const gpu = navigator.gpu as GPU | undefined;
  if (!gpu) return { problem: 'this browser has no WebGPU' };
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) return { problem: 'this browser has WebGPU, but no GPU that it may use' };
    return { adapter: adapterName(adapter.info), software: isSoftware(adapter.info) };
  } catch (error) {
    return { problem: `WebGPU does not answer: ${error instanceof Error ? error.message : String(error)}` };
  }
}
