/**
 * Elementwise and reducing kernels on vectors of Fr. Ranges [from, to) are in elements; parts of a range may run on different threads.
 */
import { f64, f64x2, i32, i64, v128, type F64, type I32, type Int, type Local } from '../emit/code.ts';
import { WIDE_TERMS, type Field, type Pair } from '../field/field.ts';
import { ZERO, type ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Code, type ModuleBuilder } from '../emit/module.ts';
import type { Pairs } from '../emit/pairs.ts';

/** sum over i in [from, to), step by step, of products that `terms` loads: normal, in locals. */
export function sumOfProducts(
  c: Code,
  pairs: Pairs,
  scratch: { readonly wide: number; readonly sum: number },
  from: Int,
  to: Int,
  step: number,
  terms: (i: I32) => readonly [Pair, Pair],
): Pair {
  const { field } = pairs;
  const wide = c.let(i32.add(scratchBase, scratch.wide));
  const sum = c.let(i32.add(scratchBase, scratch.sum));
  const count = c.let(i32.const(0));
  const flush = () => {
    const reduced = field.reduceWide(c, wide);
    const before = field.load(c, sum);
    const total = field.normalize(c, field.add(c, before, reduced));
    field.store(c, sum, total);
    c.fill(wide, 0, field.wideBytes);
    c.set(count, i32.const(0));
    field.release(c, reduced, before, total);
  };
  c.fill(wide, 0, field.wideBytes);
  c.fill(sum, 0, field.pairBytes);
  c.for(
    from,
    to,
    (i) => {
      const [a, b] = terms(i);
      field.addProduct(c, wide, a, b);
      field.release(c, a, b);
      c.inc(count);
      c.if(i32.eq(count, WIDE_TERMS), flush);
    },
    step,
  );
  flush();
  const out = field.load(c, sum);
  c.release(wide, sum, count);
  return out;
}

export function emitScalarKernels(m: ModuleBuilder, pairs: Pairs, scratch: ScratchPlan): void {
  const { field } = pairs;
  const sums = { wide: scratch.allocate(field.wideBytes), sum: scratch.allocate(field.pairBytes) };

  // lift: bytes is 2, 4 or 8; an element is its two lowest digits times R^2 / R.
  const digitsOf = scratch.allocate(32);
  m.function({ name: 'lift', params: ['i32', 'i32', 'i32', 'i32', 'i32'] }, (c, target, source, bytes, from, to) => {
    const value = c.local('i64');
    pairs.each(c, from, to, (i) => {
      for (const lane of [0, 1]) {
        const index = lane === 0 ? i : i32.add(i, i32.lt_s(i32.add(i, 1), to));
        const address = c.let(i32.add(source, i32.mul(index, bytes)));
        loadInteger(c, value, address, bytes);
        // Rounded to nearest, without overflow at the ends of the range.
        const high = i64.add(i64.shr_s(value, BigInt(field.w)), i64.and(i64.shr_u(value, BigInt(field.w - 1)), 1n));
        c.store64(scratchBase, f64.convert_i64(high), digitsOf + 16 + 8 * lane);
        c.store64(scratchBase, f64.convert_i64(i64.sub(value, i64.shl(high, BigInt(field.w)))), digitsOf + 8 * lane);
        c.release(address);
      }
      const limbs = [0, 1].map((k) => c.let(v128.load(scratchBase, digitsOf + 16 * k)));
      const x = { limbs, slack: 1 };
      const y = field.mul(c, x, field.constant(field.R), { normal: true });
      pairs.write(c, target, i, to, y);
      field.release(c, x, y);
    });
  });

  // One level of an eq table: target[i + size] = target[i] x, target[i] -= that, for i < both; target[i] *= 1 - x for both <= i < size.
  m.function(
    { name: 'eqLevel', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, size, both, x, from, to) => {
      const point = c.let(x);
      pairs.each(c, from, to, (i) => {
        const t = pairs.read(c, target, i, to);
        const factor = field.splat(c, point);
        const high = field.mul(c, t, factor);
        const difference = field.sub(c, t, high);
        const rest = field.normalize(c, difference);
        pairs.write(c, target, i, to, rest);
        c.if(i32.lt_s(i, both), () => pairs.write(c, i32.add(target, i32.mul(size, field.bytes)), i, both, high));
        field.release(c, t, factor, high, difference, rest);
      });
    },
  );

  // fold: target[j] = lo + x (hi - lo), lo = source[j], hi = source[j + half] (0 from length on); x: the address of its multiples.
  m.function(
    { name: 'fold', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, length, half, x, from, to) => {
      const multiples = multiplesAt(field, x);
      const upper = c.let(pairs.element(source, half));
      const rest = c.let(i32.sub(length, half));
      pairs.each(c, from, to, (j) => {
        const lo = pairs.read(c, source, j, length);
        const hi = pairs.read(c, upper, j, rest);
        const slope = field.sub(c, hi, lo);
        const minus = negative(c, pairs, lo);
        const out = field.sumOfMultiples(c, [{ a: slope, multiples }], minus);
        pairs.write(c, target, j, to, out);
        field.release(c, lo, hi, slope, minus, out);
      });
    },
  );

  // foldIntegers: as fold, of integers of at most 2^49; x: the addresses of the residues of 2^w x and 2^w.
  m.function(
    { name: 'foldIntegers', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, bytes, length, half, x, from, to) => {
      const value = c.local('i64');
      const integer = (at: I32): F64 => {
        const address = c.let(i32.select(i32.add(source, i32.mul(at, bytes)), ZERO, i32.lt_s(at, length)));
        loadInteger(c, value, address, bytes);
        c.release(address);
        return f64.convert_i64(value);
      };
      const both = (first: I32): Pair => {
        const limb = c.let(f64x2.splat(integer(first)));
        c.set(limb, f64x2.replaceLane(limb, 1, integer(i32.add(first, 1))));
        return { limbs: [limb], slack: 1 };
      };
      const [multiple, unit] = [0, 1].map((k) => [field.splat(c, x, k * field.bytes)]);
      pairs.each(c, from, to, (j) => {
        const lo = both(j);
        const hi = both(i32.add(j, half));
        const slope = { ...field.sub(c, hi, lo), slack: 1 };
        const terms = [
          { a: slope, multiples: multiple },
          { a: lo, multiples: unit },
        ];
        const out = field.sumOfMultiples(c, terms);
        pairs.write(c, target, j, to, out);
        field.release(c, lo, hi, slope, out);
      });
    },
  );

  // Pair of partial sums of a[i] b[i] at `target`.
  m.function({ name: 'inner', params: ['i32', 'i32', 'i32', 'i32', 'i32'] }, (c, target, a, b, from, to) => {
    const out = sumOfProducts(c, pairs, sums, from, to, 2, (i) => [pairs.read(c, a, i, to), pairs.read(c, b, i, to)]);
    field.scatter(c, target, i32.add(target, field.bytes), out);
    field.release(c, out);
  });

  // contract of Fr by Fr: outputs [from, to) of outer * inner.
  m.function(
    { name: 'contractFr', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, weights, reduce, inner, from, to) => {
      const stride = c.let(i32.mul(inner, field.bytes));
      pairs.each(c, from, to, (t) => {
        const [first, second] = outputBases(c, source, t, to, reduce, inner, field.bytes);
        const out = sumOfProducts(c, pairs, sums, 0, reduce, 1, (d) => {
          const offset = c.let(i32.mul(d, stride));
          const value = field.gather(c, i32.add(first, offset), i32.add(second, offset));
          c.release(offset);
          return [value, field.splat(c, pairs.element(weights, d))];
        });
        pairs.write(c, target, t, to, out);
        field.release(c, out);
        c.release(first, second);
      });
    },
  );
}

/** A factor's multiples (see `Field.multiples`) at an address; they are too many for registers, and loaded at each use. */
export const multiplesAt = (field: Field, address: I32, offset = 0): Pair[] =>
  Array.from({ length: field.n }, (_, i) => ({
    limbs: Array.from({ length: field.n }, (_, j) => v128.load64_splat(address, offset + i * field.bytes + 8 * j)),
    slack: 1,
  }));

function negative(c: Code, pairs: Pairs, x: Pair): Pair {
  return pairs.field.scale(c, x, -1);
}

/** value := the signed integer of `bytes` bytes at `address`. */
export function loadInteger(c: Code, value: Local<'i64'>, address: Int, bytes: I32): void {
  c.if(
    i32.eq(bytes, 2),
    () => c.set(value, i64.load16_s(address)),
    () =>
      c.if(
        i32.eq(bytes, 4),
        () => c.set(value, i64.load32_s(address)),
        () => c.set(value, i64.load(address)),
      ),
  );
}

/** Addresses of v[o, 0, i] for outputs t and t + 1 = o * inner + i; beyond the end the same output twice. */
function outputBases(c: Code, source: Int, t: I32, to: Int, reduce: Int, inner: I32, bytes: Int) {
  const base = (index: I32) => {
    const o = i32.div_u(index, inner);
    const i = i32.sub(index, i32.mul(o, inner));
    return i32.add(source, i32.mul(i32.add(i32.mul(i32.mul(o, reduce), inner), i), bytes));
  };
  const first = c.let(base(t));
  const second = c.let(base(i32.add(t, i32.lt_s(i32.add(t, 1), to))));
  return [first, second] as const;
}
