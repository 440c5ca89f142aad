/** What the device asks of an adapter. */
import { GpuError, ON_CPU } from './errors.ts';

export const MIB = 2 ** 20;

/** Least values; all are below what WebGPU guarantees by default. */
export const NEEDED = {
  maxStorageBufferBindingSize: 64 * MIB,
  maxBufferSize: 64 * MIB,
  maxUniformBufferBindingSize: 16 * 1024,
  maxStorageBuffersPerShaderStage: 3,
  maxComputeWorkgroupSizeX: 64,
  maxComputeInvocationsPerWorkgroup: 64,
  maxComputeWorkgroupStorageSize: 4096,
  maxComputeWorkgroupsPerDimension: 65535,
} as const;

/** Raised to what the adapter has: more of them means larger tensors, nothing else. */
export const WANTED = ['maxStorageBufferBindingSize', 'maxBufferSize', 'maxStorageBuffersPerShaderStage'] as const;

export interface Shortfall {
  readonly limit: keyof typeof NEEDED;
  readonly needed: number;
  readonly has: number;
}

type Limits = Readonly<Record<keyof typeof NEEDED, number>>;

/** The limits an adapter falls short of. */
export const shortfalls = (limits: Limits): Shortfall[] =>
  (Object.keys(NEEDED) as (keyof typeof NEEDED)[])
    .map((limit) => ({ limit, needed: NEEDED[limit], has: limits[limit] }))
    .filter(({ needed, has }) => has < needed);

/** @throws GpuError naming every limit that the adapter lacks */
export function requireLimits(adapter: { readonly limits: Limits }): void {
  const missing = shortfalls(adapter.limits);
  if (missing.length > 0)
    throw new GpuError(
      'limits',
      `this adapter falls short of ${missing.map((m) => `${m.limit} ${m.needed} (has ${m.has})`).join(', ')}`,
      `choose another adapter, or ${ON_CPU}`,
    );
}
