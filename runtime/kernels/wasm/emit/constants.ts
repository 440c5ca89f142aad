/**
 * Constants of generated code live in linear memory: an SSE or AVX instruction takes them from there for nothing, whereas an immediate v128 is
 * rebuilt from general registers at every use. Each constant is a pair of equal 64-bit lanes.
 */
import { doubleBits, v128, type V128 } from './code.ts';

export class Constants {
  readonly #base: number;
  readonly #capacity: number;
  /** Elements, from the end backwards. */
  readonly #runs: { readonly address: number; readonly digits: readonly number[] }[] = [];
  readonly #slots = new Map<bigint, number>();

  /** Whether generated code may use fused multiply-add. */
  readonly fused: boolean;

  /** @param base first address. @param capacity bytes set aside. */
  constructor(base: number, capacity: number, fused: boolean) {
    this.fused = fused;
    this.#base = base;
    this.#capacity = capacity;
  }

  /** How many there are. */
  get count(): number {
    return this.#slots.size;
  }

  /** Both lanes the low 64 bits of n. */
  bits(n: bigint): V128 {
    return v128.load(this.address(n));
  }

  /** Both lanes the double x. */
  double(x: number): V128 {
    return this.bits(doubleBits(x));
  }

  /** Where the pair of lanes n is kept. */
  address(n: bigint): number {
    const key = BigInt.asUintN(64, n);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#slots.size;
      if (16 * (slot + 1) > this.#capacity) throw new Error(`more than ${this.#capacity / 16} constants`);
      this.#slots.set(key, slot);
    }
    return this.#base + 16 * slot;
  }

  /** Address of consecutive doubles: an element as it lies in vectors. */
  run(digits: readonly number[]): number {
    const end = this.#runs.at(-1)?.address ?? this.#base + this.#capacity;
    const address = end - 8 * digits.length;
    this.#runs.push({ address, digits });
    return address;
  }

  /** Writes every constant used so far. */
  flush(buffer: ArrayBufferLike): void {
    if ((this.#runs.at(-1)?.address ?? Infinity) < this.#base + 16 * this.#slots.size)
      throw new Error('too many constants');
    for (const { address, digits } of this.#runs) new Float64Array(buffer, address, digits.length).set(digits);
    const words = new BigUint64Array(buffer, this.#base, 2 * this.#slots.size);
    let i = 0;
    for (const value of this.#slots.keys()) words[i++] = words[i++] = value;
  }
}
