/** Deterministic draws for tests: everything follows from a number, so that a failure can be repeated. */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import { Randomness } from '../../runtime/prover/randomness.ts';

/** 32 bytes that stand for a seed: entropy for provers and committers under test. */
export function entropyOf(seed: number): Uint8Array {
  const out = new Uint8Array(32);
  new DataView(out.buffer).setFloat64(0, seed, true);
  return out;
}

export class Draw {
  readonly #randomness: Randomness;

  /** `purpose` separates draws that share a seed. */
  constructor(purpose: string, seed: number) {
    this.#randomness = new Randomness(`testing ${purpose}`, entropyOf(seed));
  }

  /** Uniform in [0, r). */
  scalar(): bigint {
    return this.#randomness.scalar();
  }

  bytes(length: number): Uint8Array {
    return this.#randomness.bytes(length);
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Number(this.#randomness.scalar() % BigInt(bound));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  /** An integer of the range; its ends and the numbers next to 0 half of the time. */
  integer({ lo, hi }: Range): bigint {
    const special = [lo, hi, 0n, 1n, -1n].filter((v) => v >= lo && v <= hi);
    if (this.below(2) === 0) return this.pick(special);
    return lo + (this.#randomness.scalar() % (hi - lo + 1n));
  }

  integers(range: Range, count: number): bigint[] {
    return Array.from({ length: count }, () => this.integer(range));
  }

  /** At most `most` of the items, in their order. */
  sample<T>(items: readonly T[], most: number): T[] {
    if (items.length <= most) return [...items];
    const left = new Set<number>();
    while (left.size < most) left.add(this.below(items.length));
    return items.filter((_, i) => left.has(i));
  }
}
