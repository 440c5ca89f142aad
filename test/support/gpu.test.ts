/** The software GPU that other tests run on: it answers, computes, and processes that are started find it, too. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { softwareAdapter } from './gpu.ts';
import { softwareEnvironment } from './swiftshader.ts';

const adapter = await softwareAdapter();

/** out[i] = a[i] * a[i] on the device. */
const squares = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> a: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { a[id.x] = a[id.x] * a[id.x]; }`;

describe.skipIf(!adapter)('the software GPU', () => {
  test('is SwiftShader', () => {
    expect(adapter!.info).toMatchObject({ vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: true });
  });

  test('computes', async () => {
    const device = await adapter!.requestDevice();
    const [STORAGE, COPY_SRC, COPY_DST, MAP_READ, READ] = [0x80, 0x4, 0x8, 0x1, 0x1];
    const data = Uint32Array.from({ length: 64 }, (_, i) => 65_000 + i * 1_000);
    const buffer = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST });
    const result = device.createBuffer({ size: 256, usage: MAP_READ | COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: squares }) },
    });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, result, 0, 256);
    device.queue.submit([encoder.finish()]);
    await result.mapAsync(READ);
    expect([...new Uint32Array(result.getMappedRange())]).toEqual([...data.map((x) => Math.imul(x, x))]);
    device.destroy();
  });

  test('is found by processes that are started with its environment', async () => {
    const script = `
      const { create } = await import('webgpu');
      const adapter = await create([]).requestAdapter();
      console.log(adapter?.info.architecture);`;
    const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, LD_LIBRARY_PATH: ___, ...bare } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...bare, ...(await softwareEnvironment()) },
    });
    expect(stdout).toBe('swiftshader\n');
  });

  test('is unpacked once and whole, also by several processes at once', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'zkl-cache-'));
    onTestFinished(() => rmSync(cache, { recursive: true }));
    const script = `
      import { unpacked } from ${JSON.stringify(new URL('unpack.ts', import.meta.url).href)};
      import { readdirSync } from 'node:fs';
      const folder = await unpacked('fonts', ['fonts.tar.br'], ${JSON.stringify(cache)});
      console.log(readdirSync(folder).join());`;
    const outputs = await Promise.all(
      [1, 2, 3].map(() => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])),
    );
    expect(outputs.map(({ stdout }) => stdout)).toEqual(outputs.map(() => 'fonts,fonts.conf\n'));
    const versions = readdirSync(cache);
    expect(versions.flatMap((version) => readdirSync(join(cache, version)))).toEqual(['fonts']);
  });
});
