/** A GPU for tests of single kernels: SwiftShader, with its memory and dispatch in reach. */
import type { TestContext } from 'vitest';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { Gpu } from '../../../runtime/device/webgpu/gpu.ts';
import type { KernelSource } from '../../../runtime/device/webgpu/pipelines.ts';
import { MIB } from '../../../runtime/device/webgpu/limits.ts';
import { Store } from '../../../runtime/device/webgpu/memory/store.ts';
import { TUNED_FOR_GPUS } from '../../../runtime/device/webgpu/tuning.ts';
import { Scopes } from '../../../runtime/device/scopes.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { wgslField, type FieldVariant } from '../../../runtime/kernels/wgsl/field/field.ts';
import { softwareAdapter } from '../../support/gpu.ts';

export interface Rig {
  readonly gpu: Gpu;
  readonly store: Store;
  /** What a kernel makes of `words` in place: `threads` invocations, p[0] = (threads, arena, quad, extra). */
  run(kernel: KernelSource, words: Uint32Array, threads: number, extra?: number): Promise<Uint32Array>;
  close(): Promise<void>;
}

const QUICK: FieldVariant = { width: 13, rows: 'rolled' };

/** Skips the test where the machine has no such GPU. */
export async function createRig(
  context: Pick<TestContext, 'skip'>,
  variants: { readonly fr?: FieldVariant; readonly fq?: FieldVariant } = {},
): Promise<Rig> {
  const adapter = await softwareAdapter();
  if (!adapter) context.skip('no software GPU on this machine');
  const device = await adapter.requestDevice();
  const fields = {
    fr: wgslField('fr', FR_MODULUS, variants.fr ?? QUICK),
    fq: wgslField('fq', FQ_MODULUS, variants.fq ?? QUICK),
  };
  const gpu = new Gpu(device, fields, { arena: 64 * MIB, arenas: 2, budget: 128 * MIB });
  const host = await createWasmDevice({ threads: 1 });
  const store = new Store(gpu, host, new Scopes((v) => v.free()), {
    hostBelow: 0,
    segmentBytes: 2 ** 16,
    tuning: TUNED_FOR_GPUS,
  });
  return {
    gpu,
    store,
    async run(kernel, words, threads, extra = 0) {
      const block = gpu.allocate(words.byteLength);
      gpu.upload(block, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      const params = store.params().quad(threads, block.arena, block.quad, extra);
      gpu.dispatch(kernel, params.finish(), threads);
      const bytes = await gpu.read(block, 0, words.byteLength);
      gpu.free(block);
      return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    },
    async close() {
      gpu.destroy();
      await host.close();
    },
  };
}

export function putWords(words: Uint32Array, at: number, value: bigint, count: number): void {
  for (let k = 0; k < count; k++) words[at + k] = Number((value >> BigInt(32 * k)) & 0xffffffffn);
}

export function getWords(words: Uint32Array, at: number, count: number): bigint {
  let value = 0n;
  for (let k = count - 1; k >= 0; k--) value = (value << 32n) | BigInt(words[at + k]);
  return value;
}
