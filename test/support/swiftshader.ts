/**
 * SwiftShader, a GPU in software: Vulkan on the CPU, for machines without a GPU and for tests that have to be the same
 * everywhere. It comes from a development package, needs no installation and no rights. Slow: a way to check, not to measure.
 *
 * The Vulkan loader is found by its library's name, and drivers by an environment variable. For a process to be started both are
 * environment variables (`softwareEnvironment`). A process that runs already cannot change where libraries are looked for, so
 * it loads the loader itself (`useSoftwareGpu`); who asks for the library of that name later gets the one that is there.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { runsHere, unpacked } from './unpack.ts';

/** Do not unload: for dlopen of glibc, beside the flags that `node:os` names. */
const RTLD_NODELETE = 0x1000;

/** Where libvk_swiftshader.so, libvulkan.so.1 and vk_swiftshader_icd.json are. @throws Error where they cannot run */
export async function swiftShader(): Promise<string> {
  if (!runsHere)
    throw new Error(`SwiftShader is there for Linux on x64, not for ${process.platform} on ${process.arch}`);
  return unpacked('swiftshader', ['swiftshader.tar.br']);
}

const driver = (folder: string): Readonly<Record<string, string>> => {
  const file = join(folder, 'vk_swiftshader_icd.json');
  // The second is what loaders before 1.3.207 read.
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
};

/** For a process to be started: with these variables, SwiftShader is its one GPU. @throws Error as `swiftShader` */
export async function softwareEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = await swiftShader();
  const others = process.env['LD_LIBRARY_PATH'];
  return { ...driver(folder), LD_LIBRARY_PATH: others ? `${folder}:${others}` : folder };
}

/**
 * Makes SwiftShader the one GPU of this process and of those it starts. To be called before the first adapter is asked for.
 *
 * @throws Error as `swiftShader`, and in a worker thread, whose environment variables are a copy
 */
export async function useSoftwareGpu(): Promise<void> {
  if (!isMainThread) throw new Error('a worker thread cannot choose the GPU driver of its process');
  const folder = await swiftShader();
  Object.assign(process.env, await softwareEnvironment());
  const loader = join(folder, 'libvulkan.so.1');
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // It is loaded, and no add-on of Node's: that is what the error says then.
    if (!/did not self-register/.test(String(error))) throw error;
  }
}
