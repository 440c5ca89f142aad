/** The story of examples/harbour/fine-tune.ts, a short run of it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('an adapter is trained with proofs, the run is verified, and what it says is proved', () => {
  const story = fileURLToPath(new URL('../../examples/harbour/fine-tune.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [story, '--steps', '2', '--batch', '1'], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/^accepted: .*2 steps/m);
  expect(stdout).toContain('by commitments with the digests that are given');
  expect(stdout).toMatch(/^rejected: .*step 0/m);
  expect(stdout).toMatch(/of its characters the trained adapter says {2}"[^"]{13}"/);
}, 900_000);
