/** What goes wrong on a GPU says what it was, and never gives a wrong number. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commit } from '../../../index.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice, GpuError, type WebGpuDeviceOptions } from '../../../runtime/device/webgpu/index.ts';
import { measureVariants, chooseVariants } from '../../../runtime/device/webgpu/calibrate.ts';
import { Gpu } from '../../../runtime/device/webgpu/gpu.ts';
import { MIB } from '../../../runtime/device/webgpu/limits.ts';
import { Memory } from '../../../runtime/device/webgpu/memory/arena.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { add, mul, table } from '../../../runtime/kernels/expression.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { wgslField } from '../../../runtime/kernels/wgsl/field/field.ts';
import { softwareAdapter } from '../../support/gpu.ts';
import { smallBundle, weights } from '../../support/small.ts';

const rolled = { width: 13, rows: 'rolled' } as const;
const fields = { fr: wgslField('fr', FR_MODULUS, rolled), fq: wgslField('fq', FQ_MODULUS, rolled) };

/** What a promise is rejected with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the device', () => {
  const closing: Device[] = [];
  let adapter: GPUAdapter;
  beforeEach(async (context) => {
    const found = await softwareAdapter();
    if (!found) context.skip('no software adapter on this machine');
    else adapter = found;
  });
  afterEach(async () => {
    for (const device of closing.splice(0)) await device.close();
  });

  /** The device, and the WebGPU device beneath it. */
  async function create(options: Partial<WebGpuDeviceOptions> = {}): Promise<{ device: Device; inner: GPUDevice }> {
    let inner: GPUDevice | undefined;
    const watched = new Proxy(adapter, {
      get(target, name) {
        if (name === 'requestDevice') return async (d: GPUDeviceDescriptor) => (inner = await target.requestDevice(d));
        return Reflect.get(target, name, target) as unknown;
      },
    });
    const host = await createWasmDevice({ threads: 1 });
    const device = await createWebGpuDevice({ adapter: watched, host, hostBelow: 0, ...options });
    closing.push(device);
    return { device, inner: inner! };
  }

  test('says which limits an adapter lacks', async () => {
    const limits = { ...limitsOf(adapter), maxStorageBuffersPerShaderStage: 2, maxUniformBufferBindingSize: 4096 };
    const poor = { limits, info: adapter.info } as unknown as GPUAdapter;
    const host = await createWasmDevice({ threads: 1 });
    const error = await failure(createWebGpuDevice({ adapter: poor, host }));
    expect(error).toBeInstanceOf(GpuError);
    expect(error).toMatchObject({ kind: 'limits' });
    expect((error as Error).message).toMatch(
      /maxUniformBufferBindingSize 16384 \(has 4096\), maxStorageBuffersPerShaderStage 3 \(has 2\)/,
    );
    await host.close();
  });

  test('works with the limits that every adapter has', async () => {
    const limits = {
      ...limitsOf(adapter),
      maxStorageBufferBindingSize: 128 * MIB,
      maxBufferSize: 256 * MIB,
      maxStorageBuffersPerShaderStage: 8,
    };
    const plain = new Proxy(adapter, {
      get(target, name) {
        if (name === 'limits') return limits;
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const host = await createWasmDevice({ threads: 1 });
    const device = await createWebGpuDevice({ adapter: plain, host, hostBelow: 0 });
    closing.push(device);
    await device.scope(async () => {
      expect(await device.inner(device.frVector([3n, 4n]), device.frVector([5n, 6n]))).toBe(39n);
    });
  });

  test('a lost device is an error that names the last kernel, in the middle of a proof as well', async () => {
    const { device, inner } = await create();
    await device.scope(async () => {
      const v = device.frVector([1n, 2n]);
      expect(await device.inner(v, v)).toBe(5n);
      inner.destroy();
      const error = await failure(device.inner(v, v));
      expect(error).toBeInstanceOf(GpuError);
      expect(error).toMatchObject({ kind: 'lost' });
      expect((error as Error).message).toMatch(/lost while `[a-z ]+` was the last kernel/);
    });
    expect(await failure(commit(smallBundle(), 'adapter', weights, { device }))).toMatchObject({ kind: 'lost' });
  });

  test('a device lost while a commitment is being made gives no commitment', async () => {
    const { device, inner } = await create();
    const made = failure(commit(smallBundle(), 'adapter', weights, { device }));
    setTimeout(() => inner.destroy(), 20);
    expect(await made).toMatchObject({ kind: 'lost' });
  });

  test('keeps its memory budget', async () => {
    const { device } = await create({ memory: MIB });
    const error = await failure(device.scope(async () => device.eq(Array.from({ length: 16 }, () => 3n))));
    expect(error).toBeInstanceOf(GpuError);
    expect(error).toMatchObject({ kind: 'memory' });
    expect((error as GpuError).message).toMatch(/2\.0 MiB of GPU memory more are needed; .* of at most 1\.0 MiB/);
    expect((error as GpuError).remedy).toMatch(/--gpu-memory/);
    // What was taken is given back.
    await device.scope(async () => {
      expect(await device.readFr(device.eq([0n, 1n]))).toEqual([0n, 1n, 0n, 0n]);
    });
  });

  test('a shader that is refused is named', async () => {
    const device = await adapter.requestDevice();
    const gpu = new Gpu(device, fields, { arena: MIB, arenas: 1, budget: MIB });
    const block = gpu.allocate(256);
    const bad = {
      name: 'nonsense',
      source: () => ({ library: [], entry: '@compute @workgroup_size(64) fn main() { let x: u32 = 1.5; }' }),
    };
    gpu.dispatch(bad, new Uint32Array(4), 1);
    const error = await failure(gpu.read(block, 0, 4));
    expect(error).toMatchObject({ kind: 'shader', kernel: 'nonsense' });
    expect((error as Error).message).toMatch(/kernel `nonsense`/);
    gpu.destroy();
  });

  test('vectors of another device, and freed ones, are refused', async () => {
    const { device } = await create();
    const other = await createWasmDevice({ threads: 1 });
    closing.push(other);
    const product = device.prepare(add(mul(table(0), table(1)), table(0)));
    await other.scope(() =>
      device.scope(async () => {
        const [mine, theirs] = [device.frVector([1n]), other.frVector([1n])];
        expect(() => device.map(product, [mine, theirs], [], 1)).toThrow(/another device/);
      }),
    );
    const escaped = await device.scope(async () => device.frVector([1n]));
    await expect(device.readFr(escaped)).rejects.toThrow(/freed with its scope/);
  });

  test('times every form of a product, and takes the fastest known', async () => {
    const device = await adapter.requestDevice();
    const candidates = [rolled, { width: 32, rows: 'rolled' }, { width: 15, rows: 'rolled' }] as const;
    const measured = await measureVariants(device, 'fr', candidates, 0.1);
    expect(measured.map((m) => m.variant)).toEqual(candidates);
    for (const m of measured) expect(m.nanoseconds).toBeGreaterThan(0);
    // On a processor nothing is measured; on a GPU what is remembered is not measured again.
    expect(await chooseVariants(device, adapter.info, undefined)).toEqual({ fr: rolled, fq: rolled });
    const keys: string[] = [];
    const cache = {
      load: async (key: string) => (keys.push(key), '15 unrolled, 32 rolled'),
      store: () => Promise.reject(new Error('measured again')),
    };
    const info = { vendor: 'v', architecture: 'a', device: 'd', description: 'x', isFallbackAdapter: false };
    const chosen = await chooseVariants(device, info as GPUAdapterInfo, cache);
    expect(chosen).toEqual({ fr: { width: 15, rows: 'unrolled' }, fq: { width: 32, rows: 'rolled' } });
    expect(keys).toHaveLength(1);
    device.destroy();
  });
});

/** An adapter's limits as a plain object. */
function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const out: Record<string, number> = {};
  for (const name in adapter.limits) out[name] = adapter.limits[name as 'maxBufferSize'];
  return out;
}

describe('memory', () => {
  test('blocks never overlap, and what is freed is joined again', () => {
    const made: number[] = [];
    const memory = new Memory({ arena: 4096, arenas: 2, budget: 8192 }, (bytes) => made.push(bytes));
    const blocks = Array.from({ length: 32 }, () => memory.allocate(200));
    expect(new Set(blocks.map((b) => `${b.arena} ${b.quad}`)).size).toBe(32);
    expect(made).toEqual([4096, 4096]);
    expect(() => memory.allocate(1)).toThrow(GpuError);
    for (const b of [...blocks.slice(8), ...blocks.slice(0, 8).reverse()]) memory.free(b);
    expect(() => memory.free(blocks[0])).toThrow(/no such block/);
    expect(memory.usage).toEqual({ used: 0, peak: 8192, reserved: 8192 });
    expect(memory.allocate(4096)).toMatchObject({ arena: 0, quad: 0 });
    expect(memory.allocate(4096)).toMatchObject({ arena: 1, quad: 0 });
  });
});
