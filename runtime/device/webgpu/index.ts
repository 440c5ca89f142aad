/**
 * The device on a GPU through WebGPU: kernels are WGSL, generated for the program. A device of the CPU does what is too
 * small to be worth a trip: the last rounds of a sumcheck, short vectors, decoding of points.
 */
import { requireDevice, requireObject } from '../../../compiler/ir/arguments.ts';
import type { GeneratorCache } from '../../curve/generators.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../field/params.ts';
import { wgslField } from '../../kernels/wgsl/field/field.ts';
import type { Device } from '../device.ts';
import type { HostDevice } from '../host.ts';
import { Scopes } from '../scopes.ts';
import { adapterName, isSoftware } from './adapters.ts';
import { chooseVariants, type VariantCache, type Variants } from './calibrate.ts';
import { GpuError, ON_CPU } from './errors.ts';
import { Gpu } from './gpu.ts';
import { MIB, requireLimits, WANTED } from './limits.ts';
import { pointOperations } from './operations/points.ts';
import { scalarOperations } from './operations/scalars.ts';
import { Store } from './memory/store.ts';
import { TUNED_FOR_GPUS, TUNED_FOR_SOFTWARE, type Tuning } from './tuning.ts';

export type { VariantCache, Variants } from './calibrate.ts';
export { GpuError, type GpuErrorKind } from './errors.ts';

export interface WebGpuDeviceOptions {
  /** From `navigator.gpu`, or from the npm package `webgpu` in Node. */
  readonly adapter: GPUAdapter;
  /** The CPU's part; closed with this device. */
  readonly host: HostDevice;
  /** Bytes of GPU memory at most; default: what the adapter allows. */
  readonly memory?: number | undefined;
  /** Where to keep generators between runs. */
  readonly generators?: GeneratorCache | undefined;
  /** Where to keep what was measured of an adapter. */
  readonly calibration?: VariantCache | undefined;
  /** Vectors of fewer entries are worked on by `host`; default 2^12. For tests. */
  readonly hostBelow?: number | undefined;
  /** Bytes of a tensor's stretch in one binding at most, a power of two; default 2^27. For tests. */
  readonly segmentBytes?: number | undefined;
  /** How field products are written; default: what is fastest on the adapter, measured at its first use. */
  readonly variants?: Variants | undefined;
  /** How work is cut; default: by whether the adapter computes in software. For tests. */
  readonly tuning?: Tuning | undefined;
}

/** Arenas that kernels have room for from the start. */
const ARENAS = 8;

/** @throws GpuError; ArgumentError where there is no adapter or no host */
export async function createWebGpuDevice(options: WebGpuDeviceOptions): Promise<Device> {
  requireObject('options', options, '{ adapter, host, ... }');
  const { adapter, host } = options;
  requireObject('options.adapter', adapter, 'a GPUAdapter, which is null where no GPU answers');
  requireDevice('options.host', host, 'contract');
  requireLimits(adapter);
  const requiredLimits = Object.fromEntries(WANTED.map((limit) => [limit, adapter.limits[limit]]));
  const device = await openDevice(adapter, requiredLimits);
  const { limits } = device;
  const arena = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, 2 ** 32 - 256);
  const arenas = limits.maxStorageBuffersPerShaderStage - 1;
  const variants = options.variants ?? (await chooseVariants(device, adapter.info, options.calibration));
  const gpu = new Gpu(
    device,
    { fr: wgslField('fr', FR_MODULUS, variants.fr), fq: wgslField('fq', FQ_MODULUS, variants.fq) },
    { arena: Math.floor(arena / 256) * 256, arenas, budget: options.memory ?? Infinity },
    isSoftware(adapter.info) ? 1 : ARENAS,
  );
  const scopes = new Scopes<{ free(): void }>((v) => v.free());
  const own = <V extends { free(): void }>(v: V): V => {
    scopes.own(v);
    return v;
  };
  const store = new Store(gpu, host, scopes, {
    hostBelow: options.hostBelow ?? 2 ** 12,
    segmentBytes: options.segmentBytes ?? Math.min(128 * MIB, 2 ** Math.floor(Math.log2(arena))),
    tuning: options.tuning ?? (isSoftware(adapter.info) ? TUNED_FOR_SOFTWARE : TUNED_FOR_GPUS),
  });
  return {
    name: `webgpu (${adapterName(adapter.info)})`,
    // The host's turns: its scopes are opened along with those of this device.
    exclusive: (body) => host.exclusive(body),
    scope: (body) => host.scope(() => scopes.scope(body)),
    keep: (body) => both(host, scopes, body),
    ...scalarOperations(store),
    ...pointOperations(store, own, options.generators),
    memory: () => ({ limit: gpu.memory.limit, ...gpu.memory.usage, element: 32 }),
    close: async () => {
      gpu.destroy();
      await host.close();
    },
  };
}

/** An adapter gives one device, and none where its driver fails or is out of memory. */
async function openDevice(adapter: GPUAdapter, requiredLimits: Record<string, number>): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice({ requiredLimits });
  } catch (error) {
    throw new GpuError(
      'lost',
      `${adapterName(adapter.info)} gives no device: ${error instanceof Error ? error.message : String(error)}`,
      `close other users of the GPU and try again, or ${ON_CPU}`,
    );
  }
}

async function both<T>(
  host: Device,
  scopes: Scopes<{ free(): void }>,
  body: () => Promise<T>,
): Promise<{ readonly value: T; release(): void }> {
  const outer = await host.keep(() => scopes.keep(body));
  return {
    value: outer.value.value,
    release() {
      outer.value.release();
      outer.release();
    },
  };
}
