import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The processes that tests start take what earlier ones compiled.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('.cache/compiled', import.meta.url));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Proofs on the reference device take seconds on a slow machine; a hang is still noticed.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Vitest would leave one processor alone.
    maxWorkers: availableParallelism(),
    // `npm run coverage`: what proves and what checks.
    coverage: {
      include: ['compiler/**', 'runtime/protocol/**', 'runtime/prover/**', 'runtime/verifier/**'],
      exclude: ['compiler/standard/**'],
      reporter: ['text', 'html'],
      thresholds: { lines: 95 },
    },
  },
});
