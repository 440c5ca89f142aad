/** What `zkl doctor` looks at. Looking and judging are apart: `findings.ts` and `gpu.ts` judge facts, whoever gathered them. */
import { existsSync, realpathSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { availableMemory } from '../../host/limits.ts';
import { dirname } from 'node:path';
import { hasFusedMultiplyAdd } from '../../../runtime/kernels/wasm/core.ts';
import { cacheDirectory, sharedBy } from '../../host/directory.ts';
import { version } from '../../host/place.ts';
import { gatherGpu, type GpuFacts } from './gpu-facts.ts';

export interface Facts {
  readonly zkl: string;
  readonly node: string;
  /** As `linux x64`. */
  readonly platform: string;
  readonly threads: number;
  /** Bytes: what this process may use at most, and what is free of it now. */
  readonly memory: { readonly total: number; readonly available: number };
  readonly sharedMemory: boolean;
  readonly wasm: { readonly simd: boolean; readonly fusedMultiplyAdd: boolean };
  /** Where zkl keeps files between runs; no directory: there is no home. */
  readonly cache: {
    readonly directory: string | undefined;
    readonly writable: boolean;
    /** Why others could write there, where they could: nothing in it is believed then. */
    readonly shared?: string | undefined;
  };
  readonly gpu: GpuFacts;
}

export async function gather(): Promise<Facts> {
  const directory = cacheDirectory();
  return {
    zkl: version(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    threads: navigator.hardwareConcurrency,
    memory: { total: Math.min(totalmem(), process.constrainedMemory() || Infinity), available: availableMemory() },
    sharedMemory: typeof SharedArrayBuffer !== 'undefined',
    wasm: { simd: hasSimd(), fusedMultiplyAdd: hasFusedMultiplyAdd() },
    cache: {
      directory,
      writable: directory !== undefined && (await isWritable(directory)),
      shared: directory !== undefined && existsSync(directory) ? sharedBy(realpathSync(directory)) : undefined,
    },
    gpu: await gatherGpu(),
  };
}

/** (module (func (result v128) i32.const 0 i8x16.splat)) */
function hasSimd(): boolean {
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
  return WebAssembly.validate(Uint8Array.from(bytes));
}

/** Whether files can be made in a directory, or the directory itself can be made. */
async function isWritable(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.W_OK);
    return true;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const parent = dirname(directory);
    return missing && parent !== directory && isWritable(parent);
  }
}
