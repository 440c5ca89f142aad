/**
 * Loops over vectors two elements at a time: lane 0 takes element i, lane 1 element i + 1, or 0 beyond the end.
 */
import { f64, f64x2, i32, i64, type F64, type I32, type Int, type Local } from './code.ts';
import type { Field, Pair } from '../field/field.ts';
import { SPLIT_BITS } from '../../expression.ts';
import { ZERO, type ScratchPlan } from './layout.ts';
import { scratchBase, type Code } from './module.ts';

export class Pairs {
  readonly field: Field;
  readonly #dump: number;

  constructor(field: Field, scratch: ScratchPlan) {
    this.field = field;
    this.#dump = scratch.allocate(field.bytes);
  }

  /** body(i) for i = from, from + 2, ... below `to`. */
  each(c: Code, from: Int, to: Int, body: (i: Local<'i32'>) => void): void {
    c.for(from, to, body, 2);
  }

  element(base: Int, i: Int): I32 {
    return i32.add(base, i32.mul(i, this.field.bytes));
  }

  /** Addresses of elements i and i + 1 of a vector of `length` elements, ZERO from there on. */
  addresses(c: Code, base: Int, i: Int, length: Int): [Local<'i32'>, Local<'i32'>] {
    return [0, 1].map((k) => {
      const at = c.let(i32.add(i, k));
      c.set(at, i32.select(this.element(base, at), ZERO, i32.lt_s(at, length)));
      return at;
    }) as [Local<'i32'>, Local<'i32'>];
  }

  /** Elements i, i + 1 of a vector. */
  read(c: Code, base: Int, i: Int, length: Int): Pair {
    const [first, second] = this.addresses(c, base, i, length);
    const pair = this.field.gather(c, first, second);
    c.release(first, second);
    return pair;
  }

  /** Elements at positions index[i], index[i + 1] of `entries`, 0 beyond the `length` positions. */
  readIndexed(c: Code, index: Int, entries: Int, i: Int, length: Int): Pair {
    const [first, second] = [0, 1].map((k) => {
      const at = c.let(i32.add(i, k));
      const inside = c.let(i32.lt_s(at, length));
      // Beyond the end there may be no memory to read.
      c.set(at, i32.load(i32.select(i32.add(index, i32.shl(at, 2)), ZERO, inside)));
      c.set(at, i32.select(this.element(entries, at), ZERO, inside));
      c.release(inside);
      return at;
    });
    const pair = this.field.gather(c, first, second);
    c.release(first, second);
    return pair;
  }

  /** As `readIndexed`, of a split table: the sum of the elements at the two parts of each position. */
  readSplit(c: Code, index: Int, entries: Int, i: Int, length: Int): Pair {
    const lows = 2 ** SPLIT_BITS;
    const places = [0, 1].map((k) => {
      const at = c.let(i32.add(i, k));
      const inside = c.let(i32.lt_s(at, length));
      c.set(at, i32.load(i32.select(i32.add(index, i32.shl(at, 2)), ZERO, inside)));
      const high = this.element(entries, i32.add(i32.shr_u(at, SPLIT_BITS), lows));
      const place = { high: c.let(i32.select(high, ZERO, inside)), low: at };
      c.set(at, i32.select(this.element(entries, i32.and(at, lows - 1)), ZERO, inside));
      c.release(inside);
      return place;
    });
    const high = this.field.gather(c, places[0].high, places[1].high);
    const low = this.field.gather(c, places[0].low, places[1].low);
    const sum = this.field.add(c, high, low);
    this.field.release(c, high, low);
    for (const place of places) c.release(place.high, place.low);
    return sum;
  }

  /** Integers i, i + 1 of a vector, of at most 2^50, as digits: not in Montgomery form. */
  readIntegers(c: Code, base: Int, bytes: 2 | 4 | 8, i: Int, length: Int): Pair {
    const [first, second] = [0, 1].map((k) => {
      const at = c.let(i32.add(i, k));
      c.set(at, i32.select(i32.add(base, i32.mul(at, bytes)), ZERO, i32.lt_s(at, length)));
      return at;
    });
    const load = (at: I32): F64 =>
      bytes === 8 ? f64.convert_i64(i64.load(at)) : f64.convert_i32(bytes === 4 ? i32.load(at) : i32.load16_s(at));
    const limb = c.let(f64x2.replaceLane(f64x2.splat(load(first)), 1, load(second)));
    c.release(first, second);
    return { limbs: [limb], slack: 1 };
  }

  /** Stores the pair at elements i and, where i + 1 < length, i + 1. */
  write(c: Code, base: Int, i: Int, length: Int, x: Pair): void {
    const first = c.let(this.element(base, i));
    const next = i32.add(first, this.field.bytes);
    const second = c.let(i32.select(next, i32.add(scratchBase, this.#dump), i32.lt_s(i32.add(i, 1), length)));
    this.field.scatter(c, first, second, x);
    c.release(first, second);
  }
}
