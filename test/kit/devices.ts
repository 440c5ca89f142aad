/** The device that tests run on unless they are about devices: one thread, so that test files can share a machine. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GeneratorCache } from '../../runtime/curve/generators.ts';
import type { Device } from '../../runtime/device/device.ts';
import { createWasmDevice } from '../../runtime/device/wasm/index.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', '.cache', 'generators');

/** For all test files: hashing thousands of generators takes seconds. What is read is compared with a digest. */
const generators: GeneratorCache = {
  load: (name) => readFile(join(DIRECTORY, name)).catch(() => undefined),
  store: async (name, bytes) => {
    await mkdir(DIRECTORY, { recursive: true });
    const staged = join(DIRECTORY, `${name}.${process.pid}`);
    await writeFile(staged, bytes);
    await rename(staged, join(DIRECTORY, name));
  },
};

export const testDevice = (): Promise<Device> => createWasmDevice({ threads: 1, generators });
