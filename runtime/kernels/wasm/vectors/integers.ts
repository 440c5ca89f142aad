/**
 * Kernels on vectors of signed integers, and gathers of any entries.
 */
import { i32, i64 } from '../emit/code.ts';
import { ZERO } from '../emit/layout.ts';
import type { ModuleBuilder } from '../emit/module.ts';
import { loadInteger } from './scalar.ts';

export function emitIntegerKernels(m: ModuleBuilder): void {
  emitGather(m);
  emitHistogram(m);
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
