/** An adapter that gives no device is an error of the device's, with a remedy. */
import { expect, test } from 'vitest';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../../runtime/device/webgpu/index.ts';
import { softwareAdapter } from '../../support/gpu.ts';

const adapter = await softwareAdapter();

test.skipIf(!adapter)('an adapter gives one device, and says so when asked for a second', async () => {
  const create = async () => createWebGpuDevice({ adapter: adapter!, host: await createWasmDevice({ threads: 1 }) });
  const device = await create();
  expect(device.name).toMatch(/^webgpu \(google swiftshader .*\(software\)\)$/);
  await expect(create()).rejects.toMatchObject({
    name: 'GpuError',
    kind: 'lost',
    message: expect.stringMatching(/swiftshader.* gives no device: /) as string,
    remedy: expect.stringContaining('--device wasm') as string,
  });
  await device.close();
});
