/** The leaves of a fraction tree, before the challenges and on the device. */
import { indexed, type Device, type FrVector, type IndexedTable, type IntVector } from '../../device/device.ts';
import { constant, mul, SPLIT_BITS, sub, table } from '../../kernels/expression.ts';
import { mul as times, reduce, sub as minus } from '../../protocol/scalar.ts';

/** Integers; a dishonest prover's may be any field elements. */
export type LeafEntries = Int32Array | readonly bigint[];

/**
 * Leaves numerator / (alpha - beta id - value - beta^2 second). Few of them differ: the numerators and the denominators
 * that there are come once, and each leaf has their positions. Leaves from `numeratorIndex.length` on are absent, 0 / 1.
 */
export interface Leaves {
  readonly depth: number;
  readonly numerators: LeafEntries;
  readonly denominators: {
    readonly values: LeafEntries;
    readonly ids: Int16Array;
    readonly seconds?: LeafEntries;
  };
  /** One position for each leaf, of which there are 2^depth at most. */
  readonly numeratorIndex: Int32Array;
  readonly denominatorIndex: Int32Array;
  /** Whether a denominator's position is 2^SPLIT_BITS times that of an entry, plus what its value is above that entry's, below 2^SPLIT_BITS. */
  readonly split?: boolean;
}

/** Different denominators, as they come up. */
export class Denominators {
  #values = new Int32Array(2 ** 12);
  #ids = new Int16Array(2 ** 12);
  #seconds = new Int32Array(2 ** 12);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The position of a new entry. */
  add(value: number, id: number, second = 0): number {
    const at = this.#count++;
    if (at === this.#values.length) this.#grow();
    this.#values[at] = value;
    this.#ids[at] = id;
    this.#seconds[at] = second;
    return at;
  }

  #grow(): void {
    const larger = <T extends Int16Array | Int32Array>(of: T, out: T): T => {
      out.set(of);
      return out;
    };
    const size = 2 * this.#values.length;
    this.#values = larger(this.#values, new Int32Array(size));
    this.#ids = larger(this.#ids, new Int16Array(size));
    this.#seconds = larger(this.#seconds, new Int32Array(size));
  }

  second(position: number): number {
    return this.#seconds[position];
  }

  take(paired: boolean): Leaves['denominators'] {
    const [values, ids] = [this.#values.subarray(0, this.#count), this.#ids.subarray(0, this.#count)];
    return paired ? { values, ids, seconds: this.#seconds.subarray(0, this.#count) } : { values, ids };
  }
}

/** Leaves of which it is known whether they have the same numerator: a power of two, and enough for calls of their own. */
const BLOCK = 2 ** 13;

/** Numerators, and denominators less 1, so that absent leaves are 0 in both. */
export interface DeviceLeaves {
  readonly depth: number;
  /** Entries [start, start + length), as far as there are leaves. */
  stretch(start: number, length: number): { readonly p: IndexedTable; readonly q: IndexedTable };
  readonly block: number;
  /** The numerator of the `block` leaves from a multiple of it on, if they have the same: mostly 1, and 0 of absent ones. */
  numerator(start: number): bigint | undefined;
}

/** alpha - 1 - beta id - value, and the same less beta^2 second, over the tables value, id, second. */
const rangeLeaf = sub(sub(constant(0), mul(constant(1), table(1))), table(0));
const pairLeaf = sub(rangeLeaf, mul(constant(2), table(2)));

export function uploadLeaves(device: Device, leaves: Leaves, alpha: bigint, beta: bigint, block = BLOCK): DeviceLeaves {
  const { depth, numerators, denominators, numeratorIndex, denominatorIndex } = leaves;
  const { values, ids, seconds } = denominators;
  const onDevice = (v: LeafEntries | Int16Array): FrVector | IntVector =>
    v instanceof Int32Array || v instanceof Int16Array ? device.intVector(v) : device.frVector(v);
  const lifted = (v: FrVector | IntVector): FrVector => (v.kind === 'fr' ? v : device.lift(v));
  const p = lifted(onDevice(numerators));
  const split = leaves.split === true;
  const lows = split ? 2 ** SPLIT_BITS : 0;
  // What values are above an entry's makes denominators smaller; the entries follow.
  const q = device.space(lows + values.length);
  const below = Int16Array.from({ length: lows }, (_, i) => -i);
  if (split) device.map(device.prepare(table(0)), [device.intVector(below)], [], lows, device.slice(q, 0, lows));
  device.map(
    device.prepare(seconds ? pairLeaf : rangeLeaf),
    [values, ids, ...(seconds ? [seconds] : [])].map(onDevice),
    [minus(alpha, 1n), beta, ...(seconds ? [times(beta, beta)] : [])],
    values.length,
    device.slice(q, lows, values.length),
  );
  const [atP, atQ] = [device.intVector(numeratorIndex), device.intVector(denominatorIndex)];
  const common = commonNumerators(leaves, block);
  return {
    depth,
    block,
    numerator: (start) => (start >= atP.length ? 0n : common[start / block]),
    stretch(start, length) {
      const from = Math.min(start, atP.length);
      const count = Math.min(length, atP.length - from);
      const part = (index: IntVector): IntVector => device.slice(index, from, count);
      return { p: indexed(p, part(atP)), q: indexed(q, part(atQ), split) };
    },
  };
}

/** Of each block of leaves. */
function commonNumerators({ numerators, numeratorIndex }: Leaves, block: number): (bigint | undefined)[] {
  const out: (bigint | undefined)[] = [];
  for (let start = 0; start < numeratorIndex.length; start += block) {
    const first = numeratorIndex[start];
    const end = start + block;
    let same = start;
    while (same < end && numeratorIndex[same] === first) same++;
    out.push(same === end ? reduce(BigInt(numerators[first])) : undefined);
  }
  return out;
}
