import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// The processes that tests start take what earlier ones compiled.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('.cache/compiled', import.meta.url));

/** Files that take a minute or more: what begins last should not be what ends last. */
const LONG = ['soundness/blocks', 'runtime/device/programs', 'runtime/device/sumcheck', 'runtime/webgpu/sums'];

const REAL_MODELS = [
  'test/fidelity/stories260k.test.ts',
  'test/fidelity/real.test.ts',
  'test/fidelity/training.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real models: `npm run fidelity`.
    exclude: [...configDefaults.exclude, ...(process.env['ZKL_TEST_FIDELITY'] === '1' ? [] : REAL_MODELS)],
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
    sequence: { sequencer: LongFirst },
  },
});
