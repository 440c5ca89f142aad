/**
 * Bookkeeping of the bucket method (Pippenger 1976): signed digits of scalars, sorting of references to points by bucket, and the lists of
 * additions that empty the buckets. A reference is a point's address, bit 0 set for its negative; 0 is no point.
 */
import { i32, i64, type I32, type I64, type Local } from '../emit/code.ts';
import { JOB_BYTES } from '../emit/layout.ts';
import type { Code, ModuleBuilder } from '../emit/module.ts';

export function emitBuckets(m: ModuleBuilder, pointBytes: number): void {
  emitDigits(m);
  emitSorting(m);
  emitPairing(m, pointBytes);
  emitSplitting(m);
}

/**
 * digits(target, source, stride, bytes, count, width, windows): target[t * count + i] = digit t of the i-th two's complement integer of `bytes` bytes (2, 4 or a
 * multiple of 8) at source + i * stride, as int16 in [-2^(width-1), 2^(width-1)]; the last window keeps the sign.
 */
function emitDigits(m: ModuleBuilder): void {
  m.function(
    { name: 'digits', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, stride, bytes, count, width, windows) => {
      const mask = c.let(i64.sub(i64.shl(1n, i64.extend_u(width)), 1n));
      const half = c.let(i32.shl(1, i32.sub(width, 1)));
      const value = c.local('i64');
      const next = c.local('i64');
      const address = c.let(source);
      c.for(0, count, (i) => {
        const carry = c.let(i32.const(0));
        c.for(0, windows, (t) => {
          const bit = c.let(i32.mul(t, width));
          loadBits(c, value, next, address, bytes, bit);
          const digit = c.let(i32.wrap(i64.and(value, mask)));
          const last = i32.eq(t, i32.sub(windows, 1));
          // The last window is read with its sign and takes the carry; the others carry when above half.
          c.if(
            last,
            () => c.set(digit, i32.sub(digit, i32.shl(i32.and(digit, half), 1))),
            () => undefined,
          );
          c.set(digit, i32.add(digit, carry));
          c.set(carry, i32.and(i32.gt_s(digit, half), i32.ne(t, i32.sub(windows, 1))));
          c.set(digit, i32.sub(digit, i32.shl(carry, width)));
          c.store16(i32.add(target, i32.shl(i32.add(i32.mul(t, count), i), 1)), digit);
          c.release(bit, digit);
        });
        c.inc(address, stride);
        c.release(carry);
      });
    },
  );
}

/** value := the integer's bits from `bit` on, sign-extended. */
function loadBits(c: Code, value: Local<'i64'>, next: Local<'i64'>, address: I32, bytes: I32, bit: I32): void {
  const shift: I64 = i64.extend_u(i32.and(bit, 63));
  c.if(
    i32.lt_s(bytes, 8),
    () => {
      c.if(
        i32.eq(bytes, 2),
        () => c.set(value, i64.load16_s(address)),
        () => c.set(value, i64.load32_s(address)),
      );
      c.set(value, i64.shr_s(value, shift));
    },
    () => {
      const at = c.let(i32.shl(i32.shr_u(bit, 6), 3));
      c.set(value, i64.load(i32.add(address, at)));
      c.if(
        i32.lt_s(i32.add(at, 8), bytes),
        () => {
          c.set(next, i64.load(i32.add(address, at), 8));
          // Shifting by 64 would shift by 0; in two steps it gives 0.
          c.set(value, i64.or(i64.shr_u(value, shift), i64.shl(i64.shl(next, 1n), i64.sub(63n, shift))));
        },
        () => c.set(value, i64.shr_s(value, shift)),
      );
      c.release(at);
    },
  );
}

/**
 * countDigits(counts, digits, count): counts[|d| - 1]++ for digits d other than 0.
 * prefixSums(counts, buckets): counts to starts; counts[buckets] is the total, which is returned. The array has buckets + 1 entries.
 * placeDigits(references, cursors, digits, count, points, pointBytes): references to the points, by bucket. Advances the cursors.
 */
function emitSorting(m: ModuleBuilder): void {
  const digitAt = (digits: I32, i: I32): I32 => i32.load16_s(i32.add(digits, i32.shl(i, 1)));
  /** Address of the entry for digit d. */
  const entry = (base: I32, magnitude: I32): I32 => i32.add(base, i32.sub(i32.shl(magnitude, 2), 4));
  const magnitude = (c: Code, digit: I32) => c.let(i32.select(i32.sub(0, digit), digit, i32.lt_s(digit, 0)));

  m.function({ name: 'countDigits', params: ['i32', 'i32', 'i32'] }, (c, counts, digits, count) => {
    c.for(0, count, (i) => {
      const digit = c.let(digitAt(digits, i));
      c.if(digit, () => {
        const size = magnitude(c, digit);
        const at = c.let(entry(counts, size));
        c.store32(at, i32.add(i32.load(at), 1));
        c.release(size, at);
      });
      c.release(digit);
    });
  });

  m.function({ name: 'prefixSums', params: ['i32', 'i32'], result: 'i32' }, (c, counts, buckets) => {
    const sum = c.let(i32.const(0));
    const at = c.let(counts);
    const value = c.local('i32');
    c.for(0, buckets, () => {
      c.set(value, i32.load(at));
      c.store32(at, sum);
      c.set(sum, i32.add(sum, value));
      c.inc(at, 4);
    });
    c.store32(at, sum);
    c.return(sum);
  });

  m.function(
    { name: 'placeDigits', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, references, cursors, digits, count, points, pointBytes) => {
      c.for(0, count, (i) => {
        const digit = c.let(digitAt(digits, i));
        c.if(digit, () => {
          const size = magnitude(c, digit);
          const at = c.let(entry(cursors, size));
          const position = c.let(i32.load(at));
          c.store32(at, i32.add(position, 1));
          const reference = i32.or(i32.add(points, i32.mul(i, pointBytes)), i32.lt_s(digit, 0));
          c.store32(i32.add(references, i32.shl(position, 2)), reference);
          c.release(size, at, position);
        });
        c.release(digit);
      });
    },
  );
}

/**
 * pairUp(references, starts, buckets, jobs, sums): one round of additions inside every bucket, two by two; sums get addresses from `sums` on. References and starts
 * shrink in place; returns the number of jobs. After the last round a bucket holds one reference or none.
 */
function emitPairing(m: ModuleBuilder, pointBytes: number): void {
  m.function(
    { name: 'pairUp', params: ['i32', 'i32', 'i32', 'i32', 'i32'], result: 'i32' },
    (c, references, starts, buckets, jobs, sums) => {
      const job = c.let(jobs);
      const sum = c.let(sums);
      const out = c.let(references);
      const read = c.let(i32.add(references, i32.shl(i32.load(starts), 2)));
      const at = c.let(starts);
      const end = c.local('i32');
      c.for(0, buckets, () => {
        c.set(end, i32.add(references, i32.shl(i32.load(at, 4), 2)));
        c.store32(at, i32.shr_u(i32.sub(out, references), 2));
        c.inc(at, 4);
        c.while(
          () => i32.lt_u(i32.add(read, 4), end),
          () => {
            c.store32(job, i32.load(read));
            c.store32(job, i32.load(read, 4), 4);
            c.store32(job, sum, 8);
            c.store32(job, 0, 12);
            c.store32(out, sum);
            c.inc(out, 4);
            c.inc(read, 8);
            c.inc(job, JOB_BYTES);
            c.inc(sum, pointBytes);
          },
        );
        c.if(i32.lt_u(read, end), () => {
          c.store32(out, i32.load(read));
          c.inc(out, 4);
          c.inc(read, 4);
        });
      });
      c.store32(at, i32.shr_u(i32.sub(out, references), 2));
      c.return(i32.div_u(i32.sub(job, jobs), i32.const(JOB_BYTES)));
    },
  );
}

/**
 * A set of buckets for 1 .. size becomes two, for the values' low `bits` bits and for the rest: sum v P_v = sum low(v) P_v + 2^bits sum high(v) P_v.
 * countSplit(low, high, starts, size, bits); placeSplit(target, low, high, references, starts, size, bits).
 */
function emitSplitting(m: ModuleBuilder): void {
  const each = (c: Code, starts: I32, size: I32, bits: I32, body: (position: I32, low: I32, high: I32) => void) => {
    const at = c.let(starts);
    c.for(1, i32.add(size, 1), (value) => {
      const position = c.let(i32.load(at));
      c.if(i32.ne(i32.load(at, 4), position), () => {
        const high = c.let(i32.shr_u(value, bits));
        const low = c.let(i32.sub(value, i32.shl(high, bits)));
        body(position, low, high);
        c.release(high, low);
      });
      c.inc(at, 4);
      c.release(position);
    });
  };
  const bump = (c: Code, base: I32, value: I32, use: (position: I32) => void) =>
    c.if(value, () => {
      const at = c.let(i32.add(base, i32.sub(i32.shl(value, 2), 4)));
      const position = c.let(i32.load(at));
      c.store32(at, i32.add(position, 1));
      use(position);
      c.release(at, position);
    });

  m.function({ name: 'countSplit', params: ['i32', 'i32', 'i32', 'i32', 'i32'] }, (c, low, high, starts, size, bits) =>
    each(c, starts, size, bits, (_, lowValue, highValue) => {
      bump(c, low, lowValue, () => undefined);
      bump(c, high, highValue, () => undefined);
    }),
  );

  m.function(
    { name: 'placeSplit', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, low, high, references, starts, size, bits) =>
      each(c, starts, size, bits, (position, lowValue, highValue) => {
        const reference = c.let(i32.load(i32.add(references, i32.shl(position, 2))));
        const put = (at: I32) => c.store32(i32.add(target, i32.shl(at, 2)), reference);
        bump(c, low, lowValue, put);
        bump(c, high, highValue, put);
        c.release(reference);
      }),
  );
}
