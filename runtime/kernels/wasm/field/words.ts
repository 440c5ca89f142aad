/**
 * Between field elements and canonical integers in 64-bit words, least significant first.
 */
import { f64, i32, i64, type I64, type Int, type Local } from '../emit/code.ts';
import { balancedDigits } from './digits.ts';
import type { Field, Pair } from './field.ts';
import type { ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Code, type ModuleBuilder } from '../emit/module.ts';
import type { Pairs } from '../emit/pairs.ts';

/**
 * Digit number j, of `to` bits, of an integer given by limbs of `from` bits, non-negative but for the last, which has the sign. With `signed` the digit
 * is not masked: it is the last.
 */
export function digitOfLimbs(limbs: readonly I64[], from: number, to: number, j: number, signed = false): I64 {
  const parts = limbs.flatMap((limb, i) => {
    const shift = from * i - to * j;
    const top = i === limbs.length - 1;
    if (shift >= to || (shift <= -from && !top)) return [];
    if (shift >= 0) return [shift === 0 ? limb : i64.shl(limb, BigInt(shift))];
    return [top ? i64.shr_s(limb, BigInt(Math.min(63, -shift))) : i64.shr_u(limb, BigInt(-shift))];
  });
  const digit = parts.reduce((a, b) => i64.or(a, b));
  return signed || to === 64 ? digit : i64.and(digit, (1n << BigInt(to)) - 1n);
}

/** Carries doubles at `source` (stride bytes apart) into unsigned digits below 2^w; the last keeps the sign. */
function carriedDigits(c: Code, field: Field, source: Int, stride: number): Local<'i64'>[] {
  const digits: Local<'i64'>[] = [];
  for (let i = 0; i < field.n; i++) {
    const value = i64.truncate(f64.load(source, stride * i));
    digits.push(c.let(i === 0 ? value : i64.add(value, i64.shr_s(digits[i - 1], BigInt(field.w)))));
    if (i > 0) c.set(digits[i - 1], i64.and(digits[i - 1], (1n << BigInt(field.w)) - 1n));
  }
  return digits;
}

/** Adds p to signed digits when the number is negative. */
function makeCanonical(c: Code, field: Field, digits: readonly Local<'i64'>[]): void {
  const p = balancedDigits(field.p, field.w, field.n);
  c.if(i64.lt_s(digits.at(-1)!, 0n), () => {
    digits.forEach((digit, i) => {
      c.set(digit, i64.add(digit, p[i]));
      if (i > 0) {
        c.set(digit, i64.add(digit, i64.shr_s(digits[i - 1], BigInt(field.w))));
        c.set(digits[i - 1], i64.and(digits[i - 1], (1n << BigInt(field.w)) - 1n));
      }
    });
  });
}

/** Digits, in [0, 2^w), of the canonical form of the normal element at `source`, whose doubles are `stride` bytes apart. */
export function canonicalDigits(c: Code, field: Field, source: Int, stride: number): Local<'i64'>[] {
  const digits = carriedDigits(c, field, source, stride);
  makeCanonical(c, field, digits);
  return digits;
}

/**
 * Exports `${name}FromWords(target, source, from, to)` and `${name}ToWords(target, source, from, to)` on vectors of elements and of
 * canonical integers of `words` words each.
 */
export function emitWords(m: ModuleBuilder, name: string, words: number, pairs: Pairs, scratch: ScratchPlan): void {
  const { field } = pairs;
  const at = scratch.allocate(field.pairBytes);
  const params = ['i32', 'i32', 'i32', 'i32'] as const;

  m.function({ name: `${name}FromWords`, params }, (c, target, source, from, to) => {
    pairs.each(c, from, to, (i) => {
      for (const lane of [0, 1] as const) {
        // Beyond the end lane 1 repeats lane 0's number.
        const index = lane === 0 ? i : i32.add(i, i32.lt_s(i32.add(i, 1), to));
        const address = c.let(i32.add(source, i32.mul(index, 8 * words)));
        const loaded = Array.from({ length: words }, (_, j) => c.let(i64.load(address, 8 * j)));
        for (let k = 0; k < field.n; k++)
          c.store64(scratchBase, f64.convert_i64(digitOfLimbs(loaded, 64, field.w, k)), at + 16 * k + 8 * lane);
        c.release(address, ...loaded);
      }
      const x = { ...field.load(c, scratchBase, at), slack: 2 };
      const y = field.mul(c, x, field.constant(field.R), { normal: true });
      pairs.write(c, target, i, to, y);
      field.release(c, x, y);
    });
  });

  const storeCanonical = (c: Code, target: Int, lane: 0 | 1, x: Pair): void => {
    field.store(c, scratchBase, x, at);
    const digits = canonicalDigits(c, field, i32.add(scratchBase, at + 8 * lane), 16);
    for (let j = 0; j < words; j++) c.store64(target, digitOfLimbs(digits, field.w, 64, j), 8 * j);
    c.release(...digits);
  };

  m.function({ name: `${name}ToWords`, params }, (c, target, source, from, to) => {
    pairs.each(c, from, to, (i) => {
      const x = pairs.read(c, source, i, to);
      const y = field.mul(c, x, field.integer(1n), { normal: true });
      storeCanonical(c, i32.add(target, i32.mul(i, 8 * words)), 0, y);
      c.if(i32.lt_s(i32.add(i, 1), to), () =>
        storeCanonical(c, i32.add(target, i32.mul(i32.add(i, 1), 8 * words)), 1, y),
      );
      field.release(c, x, y);
    });
  });
}
