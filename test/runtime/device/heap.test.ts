/** The WASM device's memory: blocks never overlap, and what is given back can be had again, in other sizes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap, Views } from '../../../runtime/device/wasm/memory.ts';

const pages = 4096;
const fresh = (): Heap =>
  new Heap(new Views(new WebAssembly.Memory({ initial: 1, maximum: pages, shared: true })), 1024, pages);

const size = fc.oneof(fc.nat(5000), fc.integer({ min: 2 ** 20, max: 2 ** 24 }));

describe('device memory', () => {
  test('blocks are aligned and disjoint, whatever is made and freed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.nat(1e6), fc.boolean()), { maxLength: 200 }), (steps) => {
        const heap = fresh();
        const live: { address: number; bytes: number }[] = [];
        for (const [bytes, choice, isFree] of steps) {
          if (isFree && live.length > 0) {
            heap.free(live.splice(choice % live.length, 1)[0].address);
            continue;
          }
          // At most eight large blocks at a time: they fit.
          if (live.length >= 8) continue;
          const address = heap.allocate(bytes);
          expect(address % 64).toBe(0);
          for (const b of live)
            expect(address >= b.address + b.bytes || b.address >= address + bytes, 'blocks overlap').toBe(true);
          live.push({ address, bytes });
        }
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test('memory of large blocks serves blocks of other sizes', () => {
    const heap = fresh();
    const half = (pages * 65536) / 2;
    for (let round = 0; round < 4; round++) {
      const parts = [0.8, 0.4, 0.3].map((part) => heap.allocate(part * half));
      parts.forEach((address) => heap.free(address));
      heap.free(heap.allocate(1.6 * half));
    }
    expect(() => heap.allocate(2.1 * half)).toThrow(RangeError);
  });

  test('rows of a matrix lie in what large blocks have left', () => {
    const heap = fresh();
    const half = (pages * 65536) / 2;
    const large = heap.allocate(1.4 * half);
    heap.allocate(0.3 * half);
    heap.free(large);
    const row = 8192 * 40;
    const rows = Array.from({ length: Math.floor((1.2 * half) / row) }, () => heap.allocate(row));
    rows.forEach((address) => heap.free(address));
    heap.free(heap.allocate(1.3 * half));
  });

  test('small blocks that stay do not cut up what large ones leave', () => {
    const heap = fresh();
    const half = (pages * 65536) / 2;
    for (let round = 0; round < 4; round++) {
      const large = heap.allocate(0.9 * half);
      for (let k = 0; k < 100; k++) heap.allocate(3000);
      const more = heap.allocate(0.45 * half);
      heap.free(large);
      heap.free(more);
      heap.free(heap.allocate(1.7 * half));
    }
  });
});
