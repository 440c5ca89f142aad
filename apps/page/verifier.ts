/**
 * The verifier and the device it runs on in one module, for pages that import it without a bundler.
 *
 * @example
 * import { createVerifier, createWasmDevice } from './verifier.js';
 *
 * @module
 */
export { createVerifier } from '../../runtime/verifier/index.ts';
export { createWasmDevice } from '../../runtime/device/wasm/index.ts';
