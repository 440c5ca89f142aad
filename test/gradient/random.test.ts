/** Gradients of random programs: central differences in float64, and proofs of some. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { differentiate, drawn, gradientProgram, worstDifference } from './differences.ts';
import { trainedModels } from './random.ts';

/** What may be refused: nothing that is trained is read, an access that is not solved, a cotangent beyond the type that is assumed. */
const REFUSED = ['ZKL520', 'ZKL522', 'ZKL409'];

/** What `read` makes of a text, or undefined where reverse mode refuses it. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && REFUSED.includes(error.message)) return undefined;
    throw error;
  }
}

test('central differences', () => {
  let compared = 0;
  const numbers = drawn(400).map((v) => (v < 0 ? v - 0.05 : v + 0.05) / 1.05);
  fc.assert(
    fc.property(trainedModels(), (text) => {
      const made = unlessRefused(() => differentiate(text));
      if (made === undefined) return;
      compared++;
      // Losses may be of a high degree, and differences wrong by as much.
      expect(worstDifference(made, numbers)).toBeLessThan(1e-3);
    }),
    { numRuns: 100, seed: 7 },
  );
  expect(compared).toBeGreaterThan(50);
});

test('proofs', async () => {
  const device = await testDevice();
  const narrow = (text: string): string =>
    text.replaceAll('fixed<16, 12>', 'fixed<5, 2>').replaceAll('round<16, 8>', 'round<24, 4>');
  const programs = fc
    .sample(trainedModels(), { seed: 11, numRuns: 40 })
    .filter((text) => !text.includes('silu('))
    .flatMap((text) => {
      const keys = unlessRefused(() => gradientProgram(narrow(text)).keys);
      if (keys === undefined) return [];
      // Wide: random inputs make gradients that no calibration has seen.
      const calibration = Object.fromEntries(keys.map((key) => [key, { bits: 40, frac: 3 }]));
      const made = unlessRefused(() => gradientProgram(narrow(text), calibration).program);
      return made === undefined || made.equations.length < 4 ? [] : [made];
    });
  expect(programs.length).toBeGreaterThan(1);
  for (const program of programs.slice(0, 2))
    expect((await assertGadget(program, { devices: [device], statements: 1, samples: 1 })).ok).toBe(true);
});
