/** The blocks of the standard library, proved at random shapes: the kit's whole check on each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveImport } from '../compiler/standard.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { blocks, calibrationOf, modelOf, shapes } from '../stdlib/blocks.ts';

const device = await testDevice();

/** In turn: ranges in 16 bits, with tables as large as a model's, and in 13. A proof of such tables is what costs. */
const types = [
  { bits: 16, frac: 6 },
  { bits: 13, frac: 3 },
];

describe('blocks of the standard library', () => {
  test.each(Object.keys(blocks).map((name, k) => [name, types[k % types.length]] as const))(
    '%s',
    async (name, type) => {
      await fc.assert(
        fc.asyncProperty(shapes, async (shape) => {
          const text = modelOf([name], shape);
          const calibration = calibrationOf(text, type);
          const options = { devices: [device], resolveImport, calibration, statements: 1, samples: 1 };
          expect((await assertGadget(text, options)).ok).toBe(true);
        }),
        { seed: 11, numRuns: 1 },
      );
    },
  );
});
