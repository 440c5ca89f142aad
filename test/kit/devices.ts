/** The device that tests run on unless they are about devices: one thread, so that test files can share a machine. */
import type { Device } from '../../runtime/device/device.ts';
import { createWasmDevice } from '../../runtime/device/wasm/index.ts';

export const testDevice = (): Promise<Device> => createWasmDevice({ threads: 1 });
