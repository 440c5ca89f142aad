/** The blocks of the standard library, proved at random shapes: the kit's whole check on each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveImport } from '../compiler/standard.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { blocks, calibrationOf, modelOf, shapes } from '../stdlib/blocks.ts';

const device = await testDevice();

/** One range in 16 bits, with tables as large as a model's, and in 13: a proof of those tables takes several times as long. */
const types = [
  { bits: 16, frac: 6 },
  { bits: 13, frac: 3 },
];

describe('blocks of the standard library', () => {
  test.each(Object.keys(blocks))('%s', async (name) => {
    for (const [k, type] of types.entries())
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const text = modelOf([name], shape);
          const calibration = calibrationOf(text, type);
          const options = { devices: [device], resolveImport, calibration, statements: 1, samples: 1 };
          expect((await assertGadget(text, options)).ok).toBe(true);
        }),
        { seed: 11 + k, numRuns: 1 },
      );
  });
});
