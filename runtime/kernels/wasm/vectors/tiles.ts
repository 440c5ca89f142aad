/**
 * Copies of integers of any width, rows apart in memory, to tiles of 32-bit numbers next to each other; see `contract.ts`.
 */
import { i32, i32x4, v128, type I32, type Local } from '../emit/code.ts';
import type { Code } from '../emit/module.ts';

/** What is read of an entry: 16 bits with their sign, without, or 32 bits with their sign. */
export const READING = { signed16: 0, unsigned16: 1, signed32: 2 } as const;

/** What is copied where: `count` integers of each of `rows` rows, to rows of 32-bit numbers `rowBytes` apart. */
interface Copy {
  readonly tile: I32;
  readonly rowBytes: I32;
  readonly stride: I32;
  readonly rows: I32;
  readonly count: I32;
  readonly reading: I32;
}

/** `body` for the way in which entries are read. */
function byReading(c: Code, reading: I32, body: (read: (address: I32) => I32) => void): void {
  c.if(
    i32.eq(reading, READING.signed32),
    () => body((a) => i32.load(a)),
    () =>
      c.if(
        i32.eq(reading, READING.signed16),
        () => body((a) => i32.load16_s(a)),
        () => body((a) => i32.load16_u(a)),
      ),
  );
}

interface CopyRows extends Copy {
  readonly base: I32;
  /** Address of the numbers of the rows, counted from `base`; 0 for those from there on. */
  readonly list: I32;
  readonly bytes: I32;
}

/** Rows of neighbours: eight at a time, up to seven beyond the last. */
export function copyRows(c: Code, copy: CopyRows): void {
  const { tile, bytes, rowBytes, stride, rows, count, reading } = copy;
  const base = c.let(copy.base);
  const list = c.let(copy.list);
  const row = c.let(base);
  const to = c.let(tile);
  const end = c.let(i32.add(tile, i32.mul(rows, rowBytes)));
  const each = (body: () => void): void =>
    c.while(
      () => i32.lt_u(to, end),
      () => {
        c.if(i32.ne(list, 0), () => {
          c.set(row, i32.add(base, i32.mul(i32.load(list), stride)));
          c.inc(list, 4);
        });
        body();
        c.inc(row, stride);
        c.inc(to, rowBytes);
      },
    );
  const eight = (size: number, body: (a: Local<'i32'>, b: Local<'i32'>) => void): void =>
    each(() => {
      const [a, b] = [c.let(row), c.let(to)];
      const last = c.let(i32.add(to, i32.shl(count, 2)));
      c.while(
        () => i32.lt_u(b, last),
        () => {
          body(a, b);
          c.inc(a, 8 * size);
          c.inc(b, 32);
        },
      );
      c.release(a, b, last);
    });
  const isWhole = (kind: number, size: number): I32 => i32.and(i32.eq(reading, kind), i32.eq(bytes, size));
  c.if(
    isWhole(READING.signed16, 2),
    () =>
      eight(2, (a, b) => {
        const x = c.let(v128.load(a));
        c.store128(b, i32x4.extend_low_i16x8_s(x));
        c.store128(b, i32x4.extend_high_i16x8_s(x), 16);
        c.release(x);
      }),
    () =>
      c.if(
        isWhole(READING.signed32, 4),
        () =>
          eight(4, (a, b) => {
            c.store128(b, v128.load(a));
            c.store128(b, v128.load(a, 16), 16);
          }),
        () =>
          byReading(c, reading, (read) =>
            each(() =>
              c.for(0, count, (j) => c.store32(i32.add(to, i32.shl(j, 2)), read(i32.add(row, i32.mul(j, bytes))))),
            ),
          ),
      ),
  );
  c.release(base, list, row, to, end);
}

/** Columns by themselves, from the addresses listed at `bases` on. */
export function copyColumns(c: Code, { bases, ...copy }: Copy & { readonly bases: I32 }): void {
  const { tile, rowBytes, stride, rows, count, reading } = copy;
  byReading(c, reading, (read) =>
    c.for(0, count, (j) => {
      const a = c.let(i32.load(i32.add(bases, i32.shl(j, 2))));
      const b = c.let(i32.add(tile, i32.shl(j, 2)));
      c.for(0, rows, () => {
        c.store32(b, read(a));
        c.inc(a, stride);
        c.inc(b, rowBytes);
      });
      c.release(a, b);
    }),
  );
}
