/** Whole steps of random models: interpreter, evaluator and proof agree on every weight and state, and nothing else is accepted. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateExactly } from '../../runtime/evaluate/index.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { createSubject, drawInputs, expected } from '../kit/subject.ts';
import { calibrationOf, steps } from './steps.ts';

const device = await testDevice();

test('the interpreter and the evaluator', async () => {
  let entries = 0;
  await fc.assert(
    fc.asyncProperty(steps(), fc.nat(1e6), async (text, seed) => {
      const subject = await createSubject(text, { calibration: calibrationOf(text) });
      const inputs = drawInputs(subject, seed);
      const found = evaluateExactly(subject.program, inputs);
      const wanted = expected(subject, inputs);
      const outputs = (subject.program.outputs ?? []).flatMap(({ tensors }) => tensors);
      expect(outputs.length).toBeGreaterThan(1);
      for (const { name, tensor } of outputs) {
        expect(Array.from(found.get(tensor) ?? [], BigInt), name).toEqual(wanted.get(tensor));
        entries += wanted.get(tensor)?.length ?? 0;
      }
    }),
    { seed: 5, numRuns: 15 },
  );
  expect(entries).toBeGreaterThan(100);
});

test('proofs', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(steps(), fc.nat(1e6), async (text, seed) => {
      const calibration = calibrationOf(text);
      const options = { devices: [device], calibration, statements: 1, samples: 1, seed };
      taken += (await assertGadget(text, options)).checks.taken;
    }),
    { seed: 24, numRuns: 2 },
  );
  expect(taken).toBeGreaterThan(4);
});
