/** A WebGPU adapter for tests, on every Linux machine on x64: npm's `webgpu` on SwiftShader. */
import { runsHere } from './unpack.ts';
import { useSoftwareGpu } from './swiftshader.ts';

let gpu: GPU | undefined;

/**
 * A new adapter (each gives one device) that computes on the CPU, in this process and without any preparation. Where there
 * can be none (not Linux on x64) it is `undefined`, and a line on stderr says so; whatever else goes wrong is an error.
 * Only in a process's main thread, where vitest runs tests here (`pool: 'forks'`).
 *
 * Nothing is added to globalThis: there is no `navigator.gpu`, `GPUBufferUsage` or `GPUMapMode`.
 *
 * @example
 * const adapter = await softwareAdapter();
 * describe.skipIf(!adapter)('on a software GPU', () => { ... });
 */
export async function softwareAdapter(options: GPURequestAdapterOptions = {}): Promise<GPUAdapter | undefined> {
  if (!runsHere) {
    console.warn(`SKIPPED: there is no SwiftShader for ${process.platform} on ${process.arch} to test WebGPU with`);
    return undefined;
  }
  if (!gpu) {
    await useSoftwareGpu();
    const { create } = await import('webgpu');
    gpu = create([]);
  }
  const adapter = await gpu.requestAdapter(options);
  if (!adapter) throw new Error('SwiftShader is unpacked, but no WebGPU adapter answers');
  return adapter;
}
