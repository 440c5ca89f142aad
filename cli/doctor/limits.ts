/** What the WebGPU device takes from an adapter. */

export interface Need {
  readonly limit: string;
  /** Below this the device is not created. */
  readonly least: number;
  /** With less it works, and splits vectors more often. */
  readonly wanted?: number;
}

const MIB = 2 ** 20;

export const needs: readonly Need[] = [
  { limit: 'maxStorageBufferBindingSize', least: 64 * MIB, wanted: 1024 * MIB },
  { limit: 'maxBufferSize', least: 64 * MIB, wanted: 1024 * MIB },
  { limit: 'maxStorageBuffersPerShaderStage', least: 3, wanted: 8 },
  { limit: 'maxUniformBufferBindingSize', least: 16_384 },
  { limit: 'maxComputeWorkgroupSizeX', least: 64 },
  { limit: 'maxComputeInvocationsPerWorkgroup', least: 64 },
  { limit: 'maxComputeWorkgroupStorageSize', least: 4096 },
  { limit: 'maxComputeWorkgroupsPerDimension', least: 65_535 },
];
