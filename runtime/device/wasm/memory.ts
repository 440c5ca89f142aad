/**
 * Linear memory and its heap. Blocks are multiples of 64 bytes in size classes of a quarter octave, kept in free lists; fresh ones come off the end.
 */
import { SCRATCH, SCRATCH_BYTES } from '../../kernels/wasm/emit/layout.ts';

const PAGE = 65536;
/** 4 GiB, less one page so that an end address still fits 32 bits. */
const MAXIMUM_PAGES = 65535;

export interface SharedState {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly maximumPages: number;
}

/** Makes a memory, with less address space where a system refuses so much. */
export function createMemory(shared: boolean, threads: number): SharedState {
  const initial = Math.ceil((SCRATCH + threads * SCRATCH_BYTES) / PAGE) + 16;
  for (let maximum = MAXIMUM_PAGES; ; maximum = Math.floor(maximum / 2))
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared }), shared, maximumPages: maximum };
    } catch (error) {
      if (maximum < 4096) throw error;
    }
}

/** Views of the memory, renewed when it has grown. */
export class Views {
  readonly memory: WebAssembly.Memory;
  #buffer: ArrayBufferLike | undefined;
  #i32 = new Int32Array();
  #u64 = new BigUint64Array();
  #f64 = new Float64Array();
  #u8 = new Uint8Array();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  #renew(): void {
    const { buffer } = this.memory;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#i32 = new Int32Array(buffer);
    this.#u64 = new BigUint64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    this.#f64 = new Float64Array(buffer);
    this.#u8 = new Uint8Array(buffer);
  }

  get i32(): Int32Array {
    this.#renew();
    return this.#i32;
  }

  get u64(): BigUint64Array {
    this.#renew();
    return this.#u64;
  }

  get f64(): Float64Array {
    this.#renew();
    return this.#f64;
  }

  get u8(): Uint8Array {
    this.#renew();
    return this.#u8;
  }
}

/**
 * Blocks of this many units and more are cut to size and joined again, so that a few huge ones do not bind the memory, nor the rows of a
 * matrix, of which there are many.
 */
const LARGE = 2 ** 10;
const LARGE_STEP = 2 ** 6;

/** Rounds up to a size class: 64 times 4, 5, 6 or 7 times a power of two; large blocks, which are cut to size, to 4 KiB. */
function sizeClass(bytes: number): number {
  const units = Math.max(1, Math.ceil(bytes / 64));
  if (units <= 4) return units;
  if (units >= LARGE) return Math.ceil(units / LARGE_STEP) * LARGE_STEP;
  const step = 2 ** (Math.floor(Math.log2(units - 1)) - 2);
  return Math.ceil(units / step) * step;
}

/** Address space for smaller blocks alone: among large ones, each would cut a stretch in two that the next proof wants whole. */
const SMALL_BYTES = 2 ** 28;

interface Gap {
  readonly address: number;
  readonly units: number;
}

export class Heap {
  readonly views: Views;
  readonly #free = new Map<number, number[]>();
  readonly #classes = new Map<number, number>();
  /** Free stretches of large blocks, by address; no two touch. */
  #gaps: Gap[] = [];
  readonly #limit: number;
  /** In units of 64 bytes. */
  #used = 0;
  #peak = 0;
  #smallEnd: number;
  readonly #smallLimit: number;
  #end: number;

  constructor(views: Views, start: number, maximumPages: number) {
    this.views = views;
    this.#limit = maximumPages * PAGE;
    this.#smallEnd = Math.ceil(start / 64) * 64;
    this.#smallLimit = this.#smallEnd + Math.floor(Math.min(SMALL_BYTES, this.#limit / 16) / 64) * 64;
    this.#end = this.#smallLimit;
  }

  /** Bytes that there can be, are in use, and have been at most. */
  get usage(): { readonly limit: number; readonly used: number; readonly peak: number } {
    return { limit: this.#limit, used: 64 * this.#used, peak: 64 * this.#peak };
  }

  /** Address of a fresh block, with 128 bytes to spare beyond `bytes`, as vector loads may read ahead. @throws RangeError when memory is exhausted. */
  allocate(bytes: number): number {
    const units = sizeClass(bytes + 128);
    const address = units >= LARGE ? this.#large(units) : (this.#free.get(units)?.pop() ?? this.#small(units * 64));
    this.#classes.set(address, units);
    this.#used += units;
    this.#peak = Math.max(this.#peak, this.#used);
    return address;
  }

  free(address: number): void {
    const units = this.#classes.get(address);
    if (units === undefined) throw new Error(`free: no block at ${address}`);
    this.#classes.delete(address);
    this.#used -= units;
    if (units >= LARGE) return this.#join({ address, units });
    const list = this.#free.get(units);
    if (list === undefined) this.#free.set(units, [address]);
    else list.push(address);
  }

  #small(bytes: number): number {
    const address = this.#smallEnd;
    const end = address + bytes;
    if (end > this.#smallLimit) return this.#extend(bytes);
    this.#reach(end);
    this.#smallEnd = end;
    return address;
  }

  /** The smallest gap that is large enough, or what is beyond the end. */
  #large(units: number): number {
    let best = -1;
    for (const [i, gap] of this.#gaps.entries())
      if (gap.units >= units && (best < 0 || gap.units < this.#gaps[best].units)) best = i;
    if (best < 0) return this.#extend(units * 64);
    const { address, units: have } = this.#gaps[best];
    const rest = have > units ? [{ address: address + 64 * units, units: have - units }] : [];
    this.#gaps.splice(best, 1, ...rest);
    return address;
  }

  #join(block: Gap): void {
    const after = this.#gaps.findIndex((gap) => gap.address > block.address);
    const at = after < 0 ? this.#gaps.length : after;
    let { address, units } = block;
    let [from, to] = [at, at];
    const [before, next] = [this.#gaps.at(at - 1), this.#gaps.at(at)];
    if (at > 0 && before && before.address + 64 * before.units === address) {
      address = before.address;
      units += before.units;
      from--;
    }
    if (next && block.address + 64 * block.units === next.address) {
      units += next.units;
      to++;
    }
    this.#gaps.splice(from, to - from, { address, units });
    // What touches the end is beyond it again, for small blocks, too.
    if (address + 64 * units === this.#end) {
      this.#gaps.splice(from, 1);
      this.#end = address;
    }
  }

  #extend(bytes: number): number {
    const address = this.#end;
    const end = address + bytes;
    if (end > this.#limit) throw new RangeError(`the device's memory of ${this.#limit} bytes is exhausted`);
    this.#reach(end);
    this.#end = end;
    return address;
  }

  /** Grows the memory, where it ends before `end`: by an eighth at least, as growing is slow. */
  #reach(end: number): void {
    const have = this.views.memory.buffer.byteLength / PAGE;
    const missing = Math.ceil(end / PAGE) - have;
    if (missing > 0) this.views.memory.grow(Math.min(Math.max(missing, have >> 3), this.#limit / PAGE - have));
  }
}
