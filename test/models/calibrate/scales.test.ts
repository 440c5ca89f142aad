/** Scales hold what was seen with headroom, tables are shared, and nothing finer is kept than is read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printTensorProgram } from '../../../compiler/ir/tensor/print.ts';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import type { FixedType } from '../../../compiler/check/index.ts';
import { createObserver, headroomOf } from '../../../models/calibrate/observe.ts';
import { chooseScales, fractionBits, weightType } from '../../../models/calibrate/scales.ts';
import { evaluateExactly, evaluateReal, EvaluationError, type Numbers } from '../../../runtime/evaluate/index.ts';
import { quantise } from '../../../runtime/integers/quantise.ts';
import { checkText } from '../../compiler/standard.ts';
import { integers } from '../../stdlib/run.ts';

const provisional = (text: string): TensorProgram => {
  const { programs, all } = checkText(text, { provisional: true });
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return programs[0];
};

const inputsOf = (program: TensorProgram, seed: number, most: number): Map<number, Numbers> => {
  const draw = integers(seed, 24);
  return new Map(
    program.tensors.flatMap(({ id, name, shape, role }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = Float64Array.from(draw(name, size), (v) => (Number(v) / 2 ** 23) * most);
      return role === 'input' ? [[id, values] as const] : [];
    }),
  );
};

describe('fraction bits', () => {
  test('are the most at which a magnitude still fits once rounded', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 2, max: 24 }), (most, bits) => {
        const frac = fractionBits(most, bits);
        const rounded = (f: number): number => Math.floor(most * 2 ** f + 0.5);
        expect(rounded(frac)).toBeLessThan(2 ** (bits - 1));
        if (frac < 40) expect(rounded(frac + 1)).toBeGreaterThanOrEqual(2 ** (bits - 1) - 1);
      }),
    );
    expect(fractionBits(1, 16)).toBe(14);
    expect(fractionBits(0.9999, 16)).toBe(15);
    expect(fractionBits(0, 16)).toBe(15);
    expect(weightType(-0, 8)).toEqual({ bits: 8, frac: 7 });
  });
});

const BLOCK = `import { attend, silu } from "std"
  model m at "net" {
    dim T = 4
    public x[T, T]: fixed<16, 12>
    open W[T, T] from base "weight"
    a[t, s] = round(sum(i: T) x[t, i] * W[i, s])
    b = silu(round(a * 3))
    c = silu(round(a + b))
    z[n: 1, h: 1, t, s] = round(8 * a[t, s])
    o = attend(z, c as [1, T, 1, T])
    public out[t, s] = round<20, 12>(o[t, s] + b[t, s])
  }`;

/** What a calibration file says, with the type of W. */
const withWeight = (types: ReadonlyMap<string, FixedType>, bits: number): Record<string, FixedType> => ({
  ...Object.fromEntries(types),
  'base:net.weight': { bits, frac: bits - 2 },
});

describe('chosen scales', () => {
  const program = provisional(BLOCK);
  const { observations, observe } = createObserver(program);
  for (const seed of [1, 2, 3]) evaluateReal(program, inputsOf(program, seed, 2), { each: observe });
  const options = { headroom: 1.5 };
  const { types } = chooseScales(program, observations, { ...options, bits: 16 });
  const type = (key: string): { bits: number; frac: number } => types.get(key) ?? { bits: 0, frac: 0 };

  test('cover every key but those of weights', () => {
    expect([...types.keys()].sort()).toEqual(
      ['net/a', 'net/b/argument', 'net/c/argument', 'net/o/o', 'net/o/w/exp/argument', 'net/z'].sort(),
    );
  });

  test('hold what was seen, with headroom', () => {
    for (const [key, { most }] of observations.keys) {
      const { bits, frac } = type(key);
      expect(most * 1.5 * 2 ** frac, key).toBeLessThan(2 ** (bits - 1));
    }
    const report = headroomOf(observations, types);
    expect(report.map((line) => line.factor)).toEqual(report.map((line) => line.factor).toSorted((a, b) => a - b));
    expect(report.filter((line) => !line.written).every((line) => line.factor >= 1.5)).toBe(true);
    expect(report.filter((line) => line.written).map((line) => line.name)).toContain('out');
  });

  test('calls of one table share its type', () => {
    expect(type('net/b/argument')).toEqual(type('net/c/argument'));
    expect(type('net/b/argument').bits).toBe(16);
  });

  test('a softmax holds every difference of its scores, which get no bit that nobody reads', () => {
    expect(type('net/z')).toEqual({ bits: 16, frac: type('net/o/w/exp/argument').frac });
    expect(type('net/o/w/exp/argument').bits).toBe(17);
    const calibration = withWeight(types, 16);
    const { programs } = checkText(BLOCK, { calibration });
    expect(printTensorProgram(programs[0])).not.toContain('clamped');
  });

  test('fewer bits make smaller tables', () => {
    const { types: small } = chooseScales(program, observations, { ...options, bits: 8 });
    expect([small.get('net/b/argument')?.bits, small.get('net/o/w/exp/argument')?.bits]).toEqual([8, 9]);
    const calibration = withWeight(small, 8);
    const { programs } = checkText(BLOCK, { calibration });
    expect(programs[0].tables.map((t) => t.values.length)).toEqual([256, 256]);
  });

  test('an input beyond the samples is refused by name, index, value and bits', () => {
    const calibration = withWeight(types, 16);
    const [calibrated] = checkText(BLOCK, { calibration }).programs;
    const quantised = (most: number): Map<number, Float64Array> =>
      new Map(
        [...inputsOf(calibrated, 1, most)].map(([id, values]) => {
          const { name, shape, type: declared } = calibrated.tensors[id];
          const limits = declared ?? { kind: 'fixed', bits: 16, frac: 12 };
          const cut = name === 'W' ? values.map((v) => (v / most) * 2) : values;
          return [id, Float64Array.from(quantise(name, shape, limits, cut), Number)];
        }),
      );
    const W = calibrated.tensors.find((t) => t.name === 'W');
    expect(W?.key).toBe('base:net.weight');
    try {
      evaluateExactly(calibrated, quantised(7.9));
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      expect(error.tensor).toBe('a');
      expect(error.index).toHaveLength(2);
      expect(error.message).toMatch(
        /^a\[\d, \d\] = -?[\d.]+ needs \d+ bits with \d+ after the point, fixed<16, \d+> has 16; calibration gave that under "net\/a"$/,
      );
    }
  });
});
