/**
 * Ranges. A lookup shows that a number is in [0, 2^w), where there is a table of that width or two lookups make up for it
 * (`limbs.ts`). A wider number is a sum of limbs, each looked up:
 *
 *   v = l_0 + 2^s_1 l_1 + ... + 2^s_k l_k,   0 <= l_i < 2^w_i,   s_(i+1) = s_i + w_i   =>   0 <= v < 2^(s_k + w_k)
 *
 * A value that is committed has all its limbs committed and is defined as their sum (`establish`): v is in the range
 * because the sum is. One that follows from others (`bounded`) has its low limbs committed; the highest is what is left,
 * (v - l_0 - ...) / 2^s_k in the field, which is below 2^w_k only if the division leaves no rest over the integers: both
 * v - l_0 - ... and 2^s_k times an entry of the table are too small to wrap. Or the lowest follows (`boundedFromTop`). A
 * value that leaves as a commitment is committed itself, and bounded like one that follows (`establishOutput`).
 *
 * Cost for an entry: a leaf for each limb, and a committed value for each but one of what is bounded.
 */
import type { Span } from '../../../grammar/span.ts';
import type { Range, TensorType, Term } from '../../ir/tensor/program.ts';
import type { Builder, Hint, Limb } from '../builder.ts';
import { bitLength, constant, entry, term, times } from '../expressions.ts';
import type { CommittedClass } from '../sources.ts';

/** What a gadget says something about, and how equations speak of it. */
export interface Target {
  readonly id: number;
  /** The tensor itself, or its limbs where it is too wide to look up at once. */
  readonly terms: readonly Term[];
}

/** The integers of a type of fixed-point numbers. */
export const fixedRange = (t: TensorType | undefined): Range | undefined =>
  t?.kind === 'fixed' ? signedRange(t.bits) : undefined;

/** Integers of so many bits, sign included. */
export const signedRange = (bits: number): Range => ({
  lo: -(2n ** BigInt(bits - 1)),
  hi: 2n ** BigInt(bits - 1) - 1n,
});

/** Commits a limb of what is called `name`, and states its range. */
export function commitLimb(
  b: Builder,
  name: string,
  shape: readonly number[],
  { shift, width }: Limb,
  span: Span,
  hint?: Hint,
): number {
  const id = b.witness(`${name} bits ${shift}`, shape, { lo: 0n, hi: 2n ** BigInt(width) - 1n }, span, hint);
  b.inRange(id, width);
  return id;
}

/**
 * Commits the tensor `id` and shows that its entries are in `range`, or in the range up to the next power of two. `state`
 * says what else holds and how the prover finds the value; limbs are found after it.
 */
export function establish<T>(b: Builder, id: number, { lo, hi }: Range, state: (target: Target) => T): T {
  const { name, shape, span } = b.tensors[id];
  const limbs = b.limbs(bitLength(hi - lo), shape, true);
  if (limbs.length === 1) {
    b.commit(id);
    b.inRange(id, limbs[0].width, -lo);
    return state(whole(b, id));
  }
  const tensors = limbs.map((l) => commitLimb(b, name, shape, l, span));
  const terms = [
    ...limbs.map(({ shift }, k) => term(2n ** BigInt(shift), entry(tensors[k], shape.length))),
    ...constant(lo),
  ];
  b.define(id, terms);
  const made = state({ id, terms });
  for (const [k, { shift, width }] of limbs.entries())
    b.hint(tensors[k], { kind: 'limb', of: id, from: lo, sign: 1, shift, bits: width });
  return made;
}

/** A tensor that equations speak of as it is. */
export const whole = (b: Builder, id: number): Target => ({
  id,
  terms: [term(1n, entry(id, b.tensors[id].shape.length))],
});

/** States that `terms`, whose values the evaluation finds as the tensor `value`, are in [0, 2^bits). */
export function bounded(b: Builder, value: number, terms: readonly Term[], bits: number): void {
  const { shape, range } = b.tensors[value];
  const [...low] = b.limbs(bits, shape, false);
  const high = low.pop()!;
  if (low.length === 0) {
    b.define(value, terms);
    b.inRange(value, bits);
    return;
  }
  rangeOfRest(b, value, { terms, from: 0n, range, low, high });
}

/** A number that is looked up in limbs: as terms, less `from`, and what the highest limb is found as. */
interface Limbed {
  readonly terms: readonly Term[];
  readonly from: bigint;
  readonly range: Range;
  readonly low: readonly Limb[];
  readonly high: Limb;
}

/** Commits the low limbs of `value` - `from`, whose terms these are, and looks up what is left. */
function rangeOfRest(b: Builder, value: number, { terms, from, range, low, high }: Limbed): void {
  const { name, shape, span } = b.tensors[value];
  const known = low.map((l): Term => {
    const { shift, width } = l;
    const limb = commitLimb(b, name, shape, l, span, {
      kind: 'limb',
      of: value,
      from,
      sign: 1,
      shift,
      bits: width,
    });
    return term(-(2n ** BigInt(shift)), entry(limb, shape.length));
  });
  const rest = b.inner(`${name} from bit ${high.shift}`, shape, range, span);
  b.evaluate(rest, [term(1n, entry(value, shape.length)), ...constant(-from), ...known]);
  b.define(rest, [...terms, ...known]);
  b.inRange(rest, high.width, 0n, high.shift);
}

/**
 * The same, where most values are far below 2^bits: all limbs but the lowest are committed, which are then mostly 0 and
 * cost little, and the lowest, v - 2^s_1 l_1 - ... - 2^s_k l_k, is looked up as it is.
 */
export function boundedFromTop(b: Builder, value: number, terms: readonly Term[], bits: number): void {
  const { name, shape, span, range } = b.tensors[value];
  let shift = 0;
  // Full limbs first, so that the highest is the narrow one.
  const [lowest, ...high] = [...b.limbs(bits, shape, false)].reverse().map(({ width }): Limb => {
    shift += width;
    return { shift: shift - width, width };
  });
  if (high.length === 0) {
    b.define(value, terms);
    b.inRange(value, lowest.width);
    return;
  }
  const known = high.map((l) => {
    const hint = { kind: 'limb', of: value, from: 0n, sign: 1, shift: l.shift, bits: l.width } as const;
    return term(-(2n ** BigInt(l.shift)), entry(commitLimb(b, name, shape, l, span, hint), shape.length));
  });
  const rest = b.inner(`${name} below bit ${high[0].shift}`, shape, range, span);
  b.evaluate(rest, [term(1n, entry(value, shape.length)), ...known]);
  b.define(rest, [...terms, ...known]);
  b.inRange(rest, lowest.width);
}

/**
 * Shows that the entries of `id`, which leaves as a commitment, are in a type's range, and in no other: whoever takes it has
 * nothing else to believe that by. Committed are the value itself and its low limbs.
 */
export function establishOutput<T>(b: Builder, id: number, { lo, hi }: Range, state: (target: Target) => T): T {
  const { shape } = b.tensors[id];
  const target = whole(b, id);
  const made = state(target);
  const [...low] = b.limbs(bitLength(hi - lo), shape, false);
  const high = low.pop()!;
  if (low.length === 0) b.inRange(id, high.width, -lo);
  else
    rangeOfRest(b, id, {
      terms: [...target.terms, ...constant(-lo)],
      from: lo,
      range: { lo: 0n, hi: hi - lo },
      low,
      high,
    });
  return made;
}

/** Commits to a copy of a tensor, which leaves in its place: an equation or a table says what that is, and no lookup its type. */
export function leaveAsCopy(b: Builder, id: number, place: CommittedClass, range: Range): void {
  const { name, shape, span } = b.tensors[id];
  const copy = b.copy(id, `${name} as it leaves`, place);
  establishOutput(b, copy, range, ({ terms }) => {
    b.evaluate(copy, whole(b, id).terms);
    b.zero(`${name} leaves as it is`, shape, [...whole(b, id).terms, ...times(terms, -1n)], span);
  });
}
