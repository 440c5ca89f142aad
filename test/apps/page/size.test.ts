/** What a page has to load to verify: all of the verifier, its device and the worker; kernels are generated, not loaded. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { buildVerifier } from '../../../apps/page/build.ts';

test('the verifier alone is below 150 KB, gzipped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zkl-verifier-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await buildVerifier(folder);
  const loaded = readdirSync(folder).filter((name) => !name.endsWith('.txt'));
  expect(loaded).toEqual(expect.arrayContaining(['verifier.js', 'worker.js']));
  const sizes = loaded.map((name) => gzipSync(readFileSync(join(folder, name))).length);
  const total = sizes.reduce((a, b) => a + b);
  expect(total).toBeLessThan(150_000);
  // It is whole, not an empty shell: curve arithmetic alone is more than this.
  expect(total).toBeGreaterThan(40_000);
});
