/**
 * Kernels on vectors of signed integers, and gathers of any entries.
 */
import { i32, i32x4, i64, i64x2, v128, type I32, type Int, type Local } from './code.ts';
import { ZERO } from './layout.ts';
import type { ModuleBuilder } from './module.ts';
import { loadInteger } from './scalar.ts';

export function emitIntegerKernels(m: ModuleBuilder): void {
  emitGather(m);
  emitHistogram(m);
  emitPack(m);
  emitMultiply16(m);
  emitMultiplyAny(m);
}

/** gather(target, source, index, bytes, from, to): entries of `bytes` bytes, 0 where the index is negative. */
function emitGather(m: ModuleBuilder): void {
  const params = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  m.function({ name: 'gather', params }, (c, target, source, index, bytes, from, to) => {
    c.for(from, to, (i) => {
      const k = c.let(i32.load(i32.add(index, i32.mul(i, 4))));
      const from_ = c.let(i32.select(ZERO, i32.add(source, i32.mul(k, bytes)), i32.lt_s(k, 0)));
      const at = c.let(i32.add(target, i32.mul(i, bytes)));
      c.if(
        i32.eq(bytes, 2),
        () => c.store16(at, i32.load16_u(from_)),
        () =>
          c.if(
            i32.eq(bytes, 4),
            () => c.store32(at, i32.load(from_)),
            () => c.for(0, bytes, (b) => c.store64(i32.add(at, b), i64.load(i32.add(from_, b))), 8),
          ),
      );
      c.release(k, from_, at);
    });
  });
}

/** histogram(target, source, bytes, first, size, from, to): returns the first position out of range, or -1. Adds to `target`. */
function emitHistogram(m: ModuleBuilder): void {
  m.function(
    { name: 'histogram', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], result: 'i32' },
    (c, target, source, bytes, first, size, from, to) => {
      const value = c.local('i64');
      const at = c.local('i32');
      c.for(from, to, (i) => {
        loadInteger(c, value, i32.add(source, i32.mul(i, bytes)), bytes);
        c.set(value, i64.sub(value, i64.extend_s(first)));
        c.if(i32.eqz(i64.lt_u(value, i64.extend_u(size))), () => c.return(i));
        c.set(at, i32.add(target, i32.shl(i32.wrap(value), 2)));
        c.store32(at, i32.add(i32.load(at), 1));
      });
      c.return(i32.const(-1));
    },
  );
}

/** pack16(target, source, length, stride, rowStep, entryStep, from, to): rows of int16, zeros from `length` to `stride`. */
function emitPack(m: ModuleBuilder): void {
  m.function(
    { name: 'pack16', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, length, stride, rowStep, entryStep, from, to) => {
      c.for(from, to, (row) => {
        const out = c.let(i32.add(target, i32.shl(i32.mul(row, stride), 1)));
        const at = c.let(i32.add(source, i32.shl(i32.mul(row, rowStep), 1)));
        c.for(0, length, () => {
          c.store16(out, i32.load16_u(at));
          c.inc(out, 2);
          c.inc(at, i32.shl(entryStep, 1));
        });
        c.if(i32.ne(stride, length), () => c.fill(out, 0, i32.shl(i32.sub(stride, length), 1)));
        c.release(out, at);
      });
    },
  );
}

/**
 * multiply16(target, left, right, stride, inner, from, to): target[o, i] = sum_d left[o, d] right[i, d], int16, rows padded with zeros to `stride`
 * entries, a multiple of 8; rows o in [from, to). A sum of two products fits 32 bits except for 2^30 + 2^30, which wraps to -2^31; no other
 * sum gives -2^31, so 2^32 is added back where it appears.
 */
function emitMultiply16(m: ModuleBuilder): void {
  m.function(
    { name: 'multiply16', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, left, right, stride, inner, from, to) => {
      const bytes = c.let(i32.shl(stride, 1));
      c.for(from, to, (o) => {
        c.for(0, inner, (i) => {
          const a = c.let(i32.add(left, i32.mul(o, bytes)));
          const b = c.let(i32.add(right, i32.mul(i, bytes)));
          const end = c.let(i32.add(a, bytes));
          const sum = c.let(v128.load(ZERO));
          const dot = c.local('v128');
          c.while(
            () => i32.lt_u(a, end),
            () => {
              c.set(dot, i32x4.dot_i16x8_s(v128.load(a), v128.load(b)));
              c.set(sum, i64x2.add(sum, i64x2.add(i64x2.extend_low_i32x4_s(dot), i64x2.extend_high_i32x4_s(dot))));
              c.set(dot, i32x4.eq(dot, i32x4.splat(-(2 ** 31))));
              c.if(v128.any_true(dot), () => {
                const unit = i64x2.splat(i64.const(2n ** 32n));
                const low = v128.and(i64x2.extend_low_i32x4_s(dot), unit);
                const high = v128.and(i64x2.extend_high_i32x4_s(dot), unit);
                c.set(sum, i64x2.add(sum, i64x2.add(low, high)));
              });
              c.inc(a, 16);
              c.inc(b, 16);
            },
          );
          const at = i32.add(target, i32.shl(i32.add(i32.mul(o, inner), i), 3));
          c.store64(at, i64.add(i64x2.lane(sum, 0), i64x2.lane(sum, 1)));
          c.release(a, b, end, sum, dot);
        });
      });
    },
  );
}

/** multiplyAny(target, left, right, leftBytes, rightBytes, reduce, inner, from, to): any widths, right row-major [reduce, inner]. */
function emitMultiplyAny(m: ModuleBuilder): void {
  m.function(
    { name: 'multiplyAny', params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, left, right, leftBytes, rightBytes, reduce, inner, from, to) => {
      const x = c.local('i64');
      const y = c.local('i64');
      const address = (base: Int, i: I32, bytes: I32): I32 => i32.add(base, i32.mul(i, bytes));
      c.fill(i32.add(target, i32.shl(i32.mul(from, inner), 3)), 0, i32.shl(i32.mul(i32.sub(to, from), inner), 3));
      c.for(from, to, (o) =>
        c.for(0, reduce, (d) => {
          loadInteger(c, x, address(left, i32.add(i32.mul(o, reduce), d), leftBytes), leftBytes);
          const at: Local<'i32'> = c.let(address(target, i32.mul(o, inner), i32.const(8)));
          const row = c.let(address(right, i32.mul(d, inner), rightBytes));
          c.for(0, inner, () => {
            loadInteger(c, y, row, rightBytes);
            c.store64(at, i64.add(i64.load(at), i64.mul(x, y)));
            c.inc(at, 8);
            c.inc(row, rightBytes);
          });
          c.release(at, row);
        }),
      );
    },
  );
}
