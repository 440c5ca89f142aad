/** The devices there are. */
export { ArgumentError, ZklError } from '../../compiler/ir/errors.ts';
export type { Device, VerifierDevice } from './device.ts';
export { createReferenceDevice } from './reference.ts';
export { createWasmDevice } from './wasm/index.ts';
export { createWebGpuDevice, GpuError } from './webgpu/index.ts';
