/**
 * The devices whose whole proofs are compared with those of `wasm`, and for how many programs: WebGPU in software takes
 * seconds for what `wasm` does in a tenth of one, and one to four seconds to compile each kernel, of which every program has its own.
 *
 * `ZKL_TEST_RUNS=10` tries ten times as many programs. `ZKL_TEST_GPU=1` takes the machine's GPU in place of one in software.
 */
import type { Device } from '../../../runtime/device/device.ts';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../../runtime/device/webgpu/index.ts';
import { requestNodeAdapter } from '../../../runtime/device/webgpu/node.ts';
import { softwareAdapter } from '../../support/gpu.ts';

export interface Companion {
  readonly name: string;
  /** `undefined` where the machine has no such device. */
  create(): Promise<Device | undefined>;
  /** How many random programs of each kind. */
  readonly runs: {
    /** Several blocks of the standard library side by side, at random shapes. */
    readonly blocks: number;
    /** Up to four equations. */
    readonly small: number;
    /** About twenty equations and tables. */
    readonly large: number;
  };
}

const times = Number(process.env['ZKL_TEST_RUNS'] ?? 1);
if (!Number.isInteger(times) || times < 1) throw new Error('ZKL_TEST_RUNS is how many times as many runs: 1, 2, ...');

const ownGpu = process.env['ZKL_TEST_GPU'] === '1';

async function onGpu(): Promise<Device | undefined> {
  const adapter = ownGpu ? await requestNodeAdapter({ software: false }) : await softwareAdapter();
  if (ownGpu && !adapter) throw new Error('no GPU answers: `npm run zkl -- doctor` says why');
  // Next to nothing is left to the host (in software, sums of many points), and long vectors have several segments.
  const options = { hostBelow: 16, segmentBytes: 2 ** 18 };
  return adapter && createWebGpuDevice({ adapter, host: await createWasmDevice({ threads: 1 }), ...options });
}

const runs = (blocks: number, small: number, large: number): Companion['runs'] => ({
  blocks: times * blocks,
  small: times * small,
  large: times * large,
});

export const companions: readonly Companion[] = [
  { name: 'reference', create: async () => createReferenceDevice(), runs: runs(1, 10, 3) },
  { name: 'webgpu', create: onGpu, runs: runs(1, 2, 1) },
];
