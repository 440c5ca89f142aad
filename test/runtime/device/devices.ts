/** The devices that the conformance suite runs on, and what its tests share. */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice, type WebGpuDeviceOptions } from '../../../runtime/device/webgpu/index.ts';
import { TUNED_FOR_GPUS, TUNED_FOR_SOFTWARE } from '../../../runtime/device/webgpu/tuning.ts';
import { softwareAdapter } from '../../support/gpu.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { FR_MODULUS } from '../../../runtime/field/params.ts';

async function onSoftwareGpu(options: Partial<WebGpuDeviceOptions>): Promise<Device | undefined> {
  const adapter = await softwareAdapter();
  return adapter && createWebGpuDevice({ adapter, host: await createWasmDevice({ threads: 1 }), ...options });
}

/** `create` gives undefined where the machine has no such device. */
export const devices: readonly (readonly [name: string, create: () => Promise<Device | undefined>])[] = [
  ['reference', async () => createReferenceDevice()],
  ['wasm, 1 thread', () => createWasmDevice({ threads: 1 })],
  ['wasm, 3 threads', () => createWasmDevice({ threads: 3, waitForThreads: true })],
  ['wasm, no fused multiply-add, no tables', () => createWasmDevice({ threads: 1, fused: false, tableColumns: 0 })],
  // Everything on the GPU, in segments of 64 elements.
  [
    'webgpu, nothing on the host',
    () => onSoftwareGpu({ hostBelow: 0, segmentBytes: 2 ** 11, tuning: { ...TUNED_FOR_SOFTWARE, scalars: Infinity } }),
  ],
  ['webgpu, short vectors on the host', () => onSoftwareGpu({ hostBelow: 1024, tuning: TUNED_FOR_GPUS })],
];

/** Runs a suite once for each device. */
export function describeDevices(title: string, suite: (device: () => Device, name: string) => void): void {
  describe.each(devices)(`${title}: %s`, (name, create) => {
    let device: Device | undefined;
    beforeAll(async () => {
      device = await create();
    });
    beforeEach((context) => context.skip(device === undefined, `no device "${name}" on this machine`));
    afterAll(() => device?.close());
    suite(() => device!, name);
  });
}

/** A small deterministic generator (xorshift64*), so that a failure can be repeated. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + 1n);
  }

  word(): bigint {
    let x = this.#state;
    x ^= x >> 12n;
    x = BigInt.asUintN(64, x ^ (x << 25n));
    x ^= x >> 27n;
    this.#state = x;
    return BigInt.asUintN(64, x * 0x2545f4914f6cdd1dn);
  }

  below(n: number): number {
    return Number(this.word() % BigInt(n));
  }

  /** Uniform in [0, r), with one in four an edge value. */
  fr(): bigint {
    if (this.below(4) === 0) return EDGES[this.below(EDGES.length)];
    return [1, 2, 3, 4, 5].reduce((v) => (v << 64n) | this.word(), 0n) % FR_MODULUS;
  }

  frs(length: number): bigint[] {
    return Array.from({ length }, () => this.fr());
  }

  /** A signed integer of `bits` bits, one in four at an end of the range. */
  integer(bits: number): bigint {
    const ends = [0n, 1n, -1n, 1n << BigInt(bits - 1), -(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
    return BigInt.asIntN(bits, this.below(4) === 0 ? ends[this.below(ends.length)] : this.word());
  }

  int16(length: number): Int16Array {
    return Int16Array.from({ length }, () => Number(this.integer(16)));
  }

  int32(length: number): Int32Array {
    return Int32Array.from({ length }, () => Number(this.integer(32)));
  }

  int64(length: number): BigInt64Array {
    return BigInt64Array.from({ length }, () => this.integer(64));
  }
}

/** Field elements where carries, signs and reductions happen. */
export const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  FR_MODULUS - 1n,
  FR_MODULUS - 2n,
  (FR_MODULUS - 1n) / 2n,
  (FR_MODULUS + 1n) / 2n,
  1n << 50n,
  1n << 51n,
  (1n << 51n) - 1n,
  1n << 204n,
  (1n << 254n) - 1n,
  (1n << 254n) + 1n,
];

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** n modulo r, for n of either sign. */
export const mod = (n: bigint): bigint => ((n % FR_MODULUS) + FR_MODULUS) % FR_MODULUS;
