/** The device a command runs on. */
import type { Device } from '../runtime/device/device.ts';
import { didYouMean, type Arguments } from './arguments.ts';
import { generatorCache } from './cache.ts';
import { CliError } from './errors.ts';

const names = ['wasm', 'reference'];

/** Runs `body` on the device that the arguments ask for, and closes it. An explicit device is never replaced by another. */
export async function withDevice<T>(args: Arguments, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await createDevice(args);
  try {
    return await body(device);
  } finally {
    await device.close();
  }
}

async function createDevice(args: Arguments): Promise<Device> {
  const name = args.value('device') ?? 'wasm';
  const threads = args.integer('threads', 1, 64);
  const generators = args.flag('no-cache') ? undefined : generatorCache();
  if (name === 'wasm') {
    const { createWasmDevice } = await import('../runtime/device/wasm/index.ts');
    return createWasmDevice({ threads, generators });
  }
  if (name !== 'reference')
    throw new CliError(`there is no device "${name}"`, didYouMean(name, names) ?? `use ${names.join(' or ')}`);
  if (threads !== undefined) throw new CliError('the reference device has one thread', 'leave --threads out');
  const { createReferenceDevice } = await import('../runtime/device/reference.ts');
  return createReferenceDevice({ generators });
}
