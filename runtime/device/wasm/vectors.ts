/**
 * Handles of the WASM device.
 */
import type { FrVector, IntVector, PointVector } from '../device.ts';
import { FR_SIZE, POINT_SIZE } from '../../kernels/wasm/emit/layout.ts';
import type { Heap } from './memory.ts';

/** A vector at an address; a view shares the block of another. */
export class WasmVector<Kind extends 'fr' | 'int' | 'points'> {
  readonly kind: Kind;
  readonly length: number;
  readonly #address: number;
  readonly #heap: Heap | undefined;
  readonly #parent: { readonly address: number } | undefined;
  #freed = false;

  /** @param owner the heap that `address` was allocated from, or the vector that this is a view of. */
  constructor(kind: Kind, length: number, address: number, owner: Heap | { readonly address: number }) {
    this.kind = kind;
    this.length = length;
    this.#address = address;
    [this.#heap, this.#parent] = 'allocate' in owner ? [owner, undefined] : [undefined, owner];
  }

  /** @throws Error once the vector's scope is over. */
  get address(): number {
    if (this.#freed) throw new Error('this vector was freed with its scope');
    if (this.#parent !== undefined) void this.#parent.address;
    return this.#address;
  }

  free(): void {
    if (!this.#freed) this.#heap?.free(this.#address);
    this.#freed = true;
  }
}

export class WasmIntVector extends WasmVector<'int'> {
  readonly bytes: 2 | 4 | 8;
  /** The same as field elements, where a sumcheck has asked for them. */
  lifted: WasmVector<'fr'> | undefined;
  /** Bits that hold every entry with its sign, once they have been counted. */
  bits: number | undefined;
  /** The vector that this is a view of, or itself. */
  readonly whole: WasmIntVector;

  constructor(length: number, bytes: 2 | 4 | 8, address: number, owner: Heap | WasmIntVector) {
    super('int', length, address, owner);
    this.bytes = bytes;
    this.whole = owner instanceof WasmIntVector ? owner.whole : this;
  }

  override free(): void {
    super.free();
    this.lifted?.free();
  }
}

/** Address of any vector of this device. @throws TypeError for one of another device. */
export function addressOf(v: FrVector | IntVector | PointVector): number {
  if (!(v instanceof WasmVector)) throw new TypeError('this vector belongs to another device');
  return (v as WasmVector<'fr'>).address;
}

/** Bytes of one entry. */
export const entryBytes = (v: FrVector | IntVector | PointVector): number =>
  v.kind === 'int' ? v.bytes : v.kind === 'fr' ? FR_SIZE : POINT_SIZE;
