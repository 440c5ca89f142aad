/**
 * Handles of the WebGPU device. A vector lives in GPU memory, in the memory of the host's device, or in both; each
 * operation decides where it runs, and what it needs is copied there once.
 */
import type { FrVector, IntVector } from '../../device.ts';
import type { Block } from './arena.ts';

/** The storage of a vector: equal power-of-two stretches, so that none exceeds a binding. */
export interface Segments {
  readonly blocks: readonly Block[];
  /** log2 of the entries of a segment. */
  readonly shift: number;
}

/** A vector in GPU memory: `length` entries from `offset` of the segments. */
export interface GpuData {
  readonly segments: Segments;
  readonly offset: number;
  readonly length: number;
}

export interface HostCopy<V> {
  readonly vector: V;
  free?(): void;
}

export class GpuVector<V extends FrVector | IntVector = FrVector | IntVector> {
  readonly kind: V['kind'];
  readonly length: number;
  #gpu: GpuData | undefined;
  #ownsGpu = false;
  #host: HostCopy<V> | undefined;
  #freed = false;
  readonly #release: (segments: Segments) => void;

  constructor(kind: V['kind'], length: number, release: (segments: Segments) => void) {
    this.kind = kind;
    this.length = length;
    this.#release = release;
  }

  get gpu(): GpuData | undefined {
    this.#check();
    return this.#gpu;
  }

  get host(): V | undefined {
    this.#check();
    return this.#host?.vector;
  }

  /** @param owns whether the segments are freed with this vector; a view's are not. */
  setGpu(data: GpuData, owns: boolean): void {
    this.#gpu = data;
    this.#ownsGpu = owns;
  }

  setHost(copy: HostCopy<V>): void {
    this.#host = copy;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#host?.free?.();
    if (this.#ownsGpu && this.#gpu) this.#release(this.#gpu.segments);
  }

  #check(): void {
    if (this.#freed) throw new Error('this vector was freed with its scope');
  }
}

export class GpuIntVector extends GpuVector<IntVector> {
  readonly bytes: 2 | 4 | 8;

  constructor(length: number, bytes: 2 | 4 | 8, release: (segments: Segments) => void) {
    super('int', length, release);
    this.bytes = bytes;
  }
}

/** Bytes of one entry. */
export const entryBytes = (v: { readonly kind: 'fr' } | { readonly kind: 'int'; readonly bytes: 2 | 4 | 8 }): number =>
  v.kind === 'fr' ? 32 : v.bytes;
