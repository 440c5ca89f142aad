/** One or two bits less of a factor, where that saves a limb of a remainder. */
import { describe, expect, test } from 'vitest';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import type { FixedType } from '../../../compiler/check/index.ts';
import { spareLimbs } from '../../../models/calibrate/limbs.ts';
import { checkText } from '../../compiler/standard.ts';

const fixed = (bits: number, frac: number): FixedType => ({ bits, frac });

/** The fraction bits of each key after; `least` is what each needs, two fewer than it has unless said. */
function spare(
  text: string,
  calibration: Record<string, FixedType>,
  least: Record<string, number> = {},
): Record<string, number> {
  const { programs, all } = checkText(text, { calibration });
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  const types = new Map(Object.entries(calibration).filter(([key]) => !key.includes(':')));
  const needed = new Map([...types].map(([key, { frac }]) => [key, least[key] ?? frac - 2]));
  return Object.fromEntries(
    [...spareLimbs(programs[0], { types, least: needed })].map(([key, { frac }]) => [key, frac]),
  );
}

/** How many limbs of 16 bits the remainders of a program's roundings have, entry by entry. */
const limbsOf = (program: TensorProgram): number =>
  program.equations.reduce((n, { target, definition }) => {
    if (definition.kind !== 'round' || definition.form !== 'P') return n;
    const dropped =
      Math.round(Math.log2(Number(definition.p.scale.den) / Number(definition.p.scale.num))) - definition.frac;
    return n + Math.ceil(dropped / 16) * program.tensors[target].shape.reduce((a, b) => a * b, 1);
  }, 0);

const PROJECTION = `import { linear } from "std"
  model m at "net" {
    public x[4, 32]: fixed<16, 20>
    h = round(x * 3)
    y = round(linear<32>(h) at "a")
    public z[t, o] = y[t, o]
  }`;

describe('limbs', () => {
  const weights = { 'base:net.a.weight': fixed(16, 17) };

  test('a factor gives up the bits that save one', () => {
    // 12 + 17 - 12 are 17 bits.
    expect(spare(PROJECTION, { ...weights, 'net/h': fixed(16, 12), 'net/y': fixed(16, 12) })).toEqual({
      'net/h': 11,
      'net/y': 12,
    });
    expect(spare(PROJECTION, { ...weights, 'net/h': fixed(16, 13), 'net/y': fixed(16, 12) })).toEqual({
      'net/h': 11,
      'net/y': 12,
    });
  });

  test('not more than it has to spare, and none where none is saved', () => {
    for (const [h, y] of [
      [14, 12],
      [11, 12],
      [9, 12],
      [15, 0],
    ])
      expect(spare(PROJECTION, { ...weights, 'net/h': fixed(16, h), 'net/y': fixed(16, y) })).toEqual({
        'net/h': h,
        'net/y': y,
      });
  });

  test('none that is needed', () => {
    const types = { ...weights, 'net/h': fixed(16, 12), 'net/y': fixed(16, 12) };
    expect(spare(PROJECTION, types, { 'net/h': 12 })).toEqual({ 'net/h': 12, 'net/y': 12 });
  });

  test('what has more to spare gives up more', () => {
    const text = `model m at "net" {
      public x[4, 32]: fixed<16, 12>
      s[t] = round(1 / (1 + sum(d) x[t, d] * x[t, d]))
      public y[t, d] = round<16, 8>(x[t, d] * x[t, d] * s[t])
    }`;
    // 12 + 12 + s - 8 bits.
    expect(spare(text, { 'net/s': fixed(24, 20) }, { 'net/s': 12 })).toEqual({ 'net/s': 16 });
    expect(spare(text, { 'net/s': fixed(24, 20) }, { 'net/s': 16 })).toEqual({ 'net/s': 16 });
    expect(spare(text, { 'net/s': fixed(24, 20) }, { 'net/s': 17 })).toEqual({ 'net/s': 20 });
  });

  test('arguments of tables keep their type, and so does what other terms would keep fine', () => {
    const text = `import { silu } from "std"
      model m at "net" {
        public x[4, 8]: fixed<16, 20>
        open b[8]: fixed<40, 29> from base "bias"
        h = round(x)
        g = silu(round(x * 4))
        y[t, d] = round(h[t, d] * x[t, d] + b[d])
        public z[t, d] = round<16, 4>(g[t, d] * x[t, d]) + y[t, d]
      }`;
    const calibration = { 'net/h': fixed(16, 9), 'net/g/argument': fixed(16, 12), 'net/y': fixed(16, 12) };
    expect(spare(text, calibration)).toEqual({ 'net/h': 9, 'net/g/argument': 12, 'net/y': 12 });
  });

  test('never make more limbs than there were', () => {
    for (let h = 8; h < 16; h++)
      for (let y = 8; y < 14; y++) {
        const calibration = { ...weights, 'net/h': fixed(16, h), 'net/y': fixed(16, y) };
        const after = Object.entries(spare(PROJECTION, calibration)).map(
          ([key, frac]) => [key, fixed(16, frac)] as const,
        );
        const [before, now] = [calibration, { ...weights, ...Object.fromEntries(after) }].map(
          (types) => checkText(PROJECTION, { calibration: types }).programs[0],
        );
        expect(limbsOf(now)).toBeLessThanOrEqual(limbsOf(before));
      }
  });
});
