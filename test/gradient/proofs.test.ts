/** Gradients are proved as any equation is: the kit's whole check on the program of each rule. */
import { expect, test } from 'vitest';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { CASES, model } from './cases.ts';
import { gradientProgram } from './differences.ts';

const device = await testDevice();

/** In few bits: tables of 16 bits would be most of a proof. */
const narrow = (text: string): string =>
  text.replaceAll(/fixed<16, 12>/g, 'fixed<6, 3>').replaceAll(/round<\d+, \d+>/g, 'round<12, 3>');

test.each(Object.entries(CASES))('%s', async (_, statements) => {
  const text = narrow(model(statements));
  const { keys } = gradientProgram(text);
  // Wide: random inputs make gradients that no calibration has seen.
  const calibration = Object.fromEntries(keys.map((key) => [key, { bits: 24, frac: 3 }]));
  const { program } = gradientProgram(text, calibration);
  expect((await assertGadget(program, { devices: [device], statements: 1, samples: 1 })).ok).toBe(true);
});
