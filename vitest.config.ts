import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Proofs on the reference device take seconds on a slow machine; a hang is still noticed.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // `npm run coverage`: what proves and what checks.
    coverage: {
      include: ['compiler/**', 'runtime/protocol/**', 'runtime/prover/**', 'runtime/verifier/**'],
      exclude: ['compiler/standard/**'],
      reporter: ['text', 'html'],
      thresholds: { lines: 95 },
    },
  },
});
