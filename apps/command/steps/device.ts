/** The device a command runs on. */
import { DEVICES, openDevice, type DeviceName } from '../../host/device.ts';
import { HostError } from '../../host/errors.ts';
import { didYouMean } from '../../host/suggest.ts';
import type { Device } from '../../../runtime/device/device.ts';
import type { Arguments } from '../parse/arguments.ts';
import { CliError } from '../errors.ts';
import type { Progress } from '../show/progress.ts';

/**
 * Runs `body` on the device that the arguments ask for, and closes it. An explicit device is never replaced by another;
 * `auto` says which it took.
 */
export async function withDevice<T>(
  args: Arguments,
  progress: Progress,
  body: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await createDevice(args, progress);
  try {
    return await body(device);
  } finally {
    await device.close();
  }
}

/** Runs `body` on threads of this machine, as many as `--threads` says: the device that has float64. */
export async function withThreads<T>(args: Arguments, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice('wasm', { threads: args.integer('threads', 1, 64), cached: false });
  try {
    return await body(device);
  } finally {
    await device.close();
  }
}

async function createDevice(args: Arguments, progress: Progress): Promise<Device> {
  const name = chosen(args.value('device') ?? 'wasm');
  const threads = args.integer('threads', 1, 64);
  const gpuMemory = args.bytes('gpu-memory');
  const cached = !args.flag('no-cache');
  if (gpuMemory !== undefined && name !== 'webgpu' && name !== 'auto')
    throw new CliError(`the ${name} device has no GPU memory`, 'leave --gpu-memory out, or add --device webgpu');
  if (name === 'reference' && threads !== undefined)
    throw new CliError('the reference device has one thread', 'leave --threads out');
  return openDevice(name, {
    threads,
    gpuMemory,
    cached,
    hashing: progress.part(cached ? 'generators of commitments, once on this machine' : 'generators of commitments'),
    took: (device, because) => progress.note(`device ${device.name}${because ? `, as ${reason(because)}` : ''}`),
  }).catch((error: unknown) => {
    throw inOptions(error);
  });
}

const isWithoutAdapter = (error: unknown): boolean =>
  error instanceof HostError && error.problem.kind === 'gpu' && error.problem.lacks === 'adapter';

const reason = (error: Error): string => `${error.message}${isWithoutAdapter(error) ? ' (zkl doctor says more)' : ''}`;

/** Remedies in words of the command line. */
function inOptions(error: unknown): unknown {
  if (!(error instanceof HostError) || error.problem.kind !== 'gpu') return error;
  const remedy = isWithoutAdapter(error) ? '`zkl doctor --device webgpu` says why' : error.remedy;
  return new CliError(error.message, `${remedy}; or use --device wasm`);
}

function chosen(name: string): DeviceName {
  const known = DEVICES.find((n) => n === name);
  if (known === undefined)
    throw new CliError(`there is no device "${name}"`, didYouMean(name, DEVICES) ?? `use ${DEVICES.join(', ')}`);
  return known;
}
