/** Gradients are proved as any equation is: the kit's whole check on programs of rules. */
import { expect, test } from 'vitest';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { CASES, model } from './cases.ts';
import { gradientProgram } from './differences.ts';

const device = await testDevice();

/** In few bits: tables of 16 bits would be most of a proof. */
const narrow = (text: string): string =>
  text.replaceAll(/fixed<16, 12>/g, 'fixed<6, 3>').replaceAll(/round<\d+, \d+>/g, 'round<12, 3>');

/** One of each kind of equation that gradients bring; the others differ in indices alone. */
const PROVED = [
  'lora',
  'three digits',
  'strides with gaps',
  'a convolution',
  'guards',
  'a one-hot sum',
  'a quotient',
  'a root',
];

test.each(PROVED)('%s', async (name) => {
  const statements = CASES[name];
  const text = narrow(model(statements));
  const { keys } = gradientProgram(text);
  // Wide: random inputs make gradients that no calibration has seen.
  const calibration = Object.fromEntries(keys.map((key) => [key, { bits: 24, frac: 3 }]));
  const { program } = gradientProgram(text, calibration);
  expect((await assertGadget(program, { devices: [device], statements: 1, samples: 1 })).ok).toBe(true);
});
