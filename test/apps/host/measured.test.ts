/** What is remembered of measurements: equal data have one digest, and other data another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, measuredCache } from '../../../apps/host/cache.ts';

const parts = (n: number) => ({ n, list: [1n, 2n], map: new Map([['x', Float64Array.of(n, 0.5)]]), none: undefined });
/** 5 as a double, which engines may hold otherwise than the whole number. */
const double = Float64Array.of(5)[0];

test('equal data have one digest, however they are held', () => {
  const held = { ...parts(0.5), n: 0.5 };
  held.n = double;
  held.map.set('x', Float64Array.of(double, 0.5));
  expect(digestOf(held, [Float32Array.of(1, 2)])).toBe(digestOf(parts(5), [Float32Array.of(1, 2, 3).subarray(0, 2)]));
});

test('other data have another', () => {
  const numbers = [Float32Array.of(1, 2)];
  const others = [
    digestOf(parts(5), numbers),
    digestOf(parts(6), numbers),
    digestOf({ ...parts(5), list: [1n, 3n] }, numbers),
    digestOf({ ...parts(5), list: [1, 2] }, numbers),
    digestOf({ ...parts(5), n: Infinity }, numbers),
    digestOf({ ...parts(5), n: NaN }, numbers),
    digestOf(parts(5), [Float32Array.of(1, 3)]),
    digestOf(parts(5), [Float32Array.of(1), Float32Array.of(2)]),
    digestOf(parts(5), [Float64Array.of(1, 2)]),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test('what is kept comes back as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zkl-measured-'));
  try {
    const cache = measuredCache<unknown>('kind', folder)!;
    expect(await cache.get('a')).toBeUndefined();
    await cache.add('a', parts(5));
    expect((await cache.get('a'))?.value).toEqual(parts(5));
    expect(await measuredCache<unknown>('other', folder)!.get('a')).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
