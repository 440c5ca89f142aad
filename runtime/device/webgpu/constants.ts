/** Flags of the WebGPU standard (W3C, sections 5.1.2 and 8.1), which Node has no globals for. */
export const BUFFER = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
} as const;
export const MAP_READ = 0x0001;
export const STAGE_COMPUTE = 0x4;
