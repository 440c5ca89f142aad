/** The tables of an expression's kernel: what they are of, where they lie, and their values at a round's points. */
import { mul, print, table, tableFactors, type Expression, type SumcheckPoint } from '../../expression.ts';
import { f64x2, i32, type I32, type Local, type V128 } from '../emit/code.ts';
import type { Field, Pair } from '../field/field.ts';
import type { Code } from '../emit/module.ts';
import type { Pairs } from '../emit/pairs.ts';

/** Positions, in 32-bit words, of a round's or map's arguments: a block of memory that both sides know. */
export const ARGUMENTS = {
  target: 0,
  constants: 1,
  half: 2,
  outer: 3,
  outerLength: 4,
  inner: 5,
  innerLength: 6,
  innerBits: 7,
  one: 8,
  /** Then `TABLE_WORDS` for each table. */
  tables: 9,
} as const;

/** Address of a table's elements or positions, its length, and of the elements that positions are of. */
export const TABLE_WORDS = 3;

/** What a table of a kernel is: elements one after the other, positions of elements, or of two of which each entry is the sum, or integers. */
export type TableKind = 'fr' | 'indexed' | 'split' | 'int16' | 'int32' | 'int64';

/** Bytes of an entry of a table of integers. */
const INTEGER_BYTES = { int16: 2, int32: 4, int64: 8 } as const;

/** The factors that are tables of integers, each as often as it occurs, and the product of the others, if there are any. */
export function splitIntegers(
  e: Expression,
  kinds: readonly TableKind[],
): [integers: readonly number[], elements: Expression | undefined] {
  if (kinds.every((kind) => !(kind in INTEGER_BYTES))) return [[], e];
  const factors = tableFactors(e);
  if (factors === undefined) throw new Error(`internal error: ${print(e)} over integers`);
  const isInteger = (t: number): boolean => kinds[t] in INTEGER_BYTES;
  const others = factors.filter((t) => !isInteger(t)).map(table);
  return [factors.filter(isInteger), others.length > 0 ? others.reduce(mul) : undefined];
}

export interface Table {
  readonly kind: TableKind;
  readonly base: Local<'i32'>;
  readonly length: Local<'i32'>;
  /** Of an indexed table. */
  readonly entries: Local<'i32'> | undefined;
}

export const tablesOf = (c: Code, args: I32, kinds: readonly TableKind[]): Table[] =>
  kinds.map((kind, t) => {
    const word = (k: number) => c.let(i32.load(args, 4 * (ARGUMENTS.tables + TABLE_WORDS * t + k)));
    return {
      kind,
      base: word(0),
      length: word(1),
      entries: kind === 'indexed' || kind === 'split' ? word(2) : undefined,
    };
  });

/** Entries i, i + 1 of a table, or those `beyond` further on. */
export function readTable(c: Code, pairs: Pairs, { kind, base, length, entries }: Table, i: I32, beyond?: I32): Pair {
  const bytes = kind in INTEGER_BYTES ? INTEGER_BYTES[kind as keyof typeof INTEGER_BYTES] : undefined;
  const size = bytes ?? (entries === undefined ? pairs.field.bytes : 4);
  const from = beyond === undefined ? base : i32.add(base, i32.mul(beyond, size));
  const left = beyond === undefined ? length : i32.sub(length, beyond);
  if (bytes !== undefined) return pairs.readIntegers(c, from, bytes, i, left);
  if (entries === undefined) return pairs.read(c, from, i, left);
  return kind === 'split' ? pairs.readSplit(c, from, entries, i, left) : pairs.readIndexed(c, from, entries, i, left);
}

/** As `valueAt`, of integers. */
export function integerAt(c: Code, field: Field, [lo, hi]: readonly [Pair, Pair], x: SumcheckPoint): V128 {
  if (x === 0) return lo.limbs[0];
  if (x === 1) return hi.limbs[0];
  const times = (a: Pair, by: number): V128 => field.scale(c, a, by).limbs[0];
  return x === 'inf' ? f64x2.sub(hi.limbs[0], lo.limbs[0]) : f64x2.add(times(lo, 1 - x), times(hi, x));
}

/** A table's value at X: lo + X (hi - lo), or the slope. */
export function valueAt(c: Code, field: Field, lo: Pair, hi: Pair, x: SumcheckPoint): Pair {
  if (x === 'inf') return field.sub(c, hi, lo);
  if (x === 0) return lo;
  if (x === 1) return hi;
  if (Math.abs(x) > 3) {
    const product = field.mul(c, field.sub(c, hi, lo), field.constant(BigInt(x)), { normal: true });
    return field.add(c, lo, product);
  }
  const value = field.add(c, field.scale(c, lo, 1 - x), field.scale(c, hi, x));
  return value.slack > field.maximumSlack ? field.normalize(c, value) : value;
}
