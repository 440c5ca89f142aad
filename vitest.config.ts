import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Proofs on the reference device take seconds on a slow machine; a hang is still noticed.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
