/** Floating point without roundings: reals of the same program, tables as functions, errors measured against integers. */
import { describe, expect, test } from 'vitest';
import { createComparison, largest, losses, toReals } from '../../../models/calibrate/difference.ts';
import { evaluateExactly, evaluateReal, type Numbers } from '../../../runtime/evaluate/index.ts';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { checkText } from '../../compiler/standard.ts';

const programOf = (text: string): TensorProgram => {
  const { programs, all } = checkText(text);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return programs[0];
};

/** All values of the only output, given those of inputs by name. */
function run(text: string, inputs: Record<string, readonly number[]>): number[] {
  const program = programOf(text);
  const given = new Map<number, Numbers>();
  for (const { id, name } of program.tensors) if (name in inputs) given.set(id, Float64Array.from(inputs[name]));
  const output = program.tensors.find((t) => t.role === 'output');
  return [...(evaluateReal(program, given).get(output?.id ?? -1) ?? [])];
}

describe('real evaluation', () => {
  const x = [0.3, -1.7, 2.123456];

  test('rounds nothing', () => {
    expect(run('model m { secret x[3]: fixed<8, 2>\npublic y[i] = round<8, 2>(x[i] / 3) }', { x })).toEqual(
      x.map((v) => v * (1 / 3)),
    );
    const close = (text: string, expected: number[]): void => {
      const found = run(`model m { secret x[3]: fixed<8, 2>\n${text} }`, { x });
      expect(found).toHaveLength(expected.length);
      found.forEach((v, k) => expect(v).toBeCloseTo(expected[k], 12));
    };
    close(
      'public y[i] = round<8, 2>(1 / (x[i] ^ 2))',
      x.map((v) => 1 / v ** 2),
    );
    close(
      'public y[i] = round<8, 2>(x[i] / sqrt(1 + x[i] ^ 2))',
      x.map((v) => v / Math.sqrt(1 + v * v)),
    );
    close(
      'public y[i] = round<8, 2>(sqrt(x[i] ^ 2 + 2))',
      x.map((v) => Math.sqrt(v * v + 2)),
    );
    close('public y = round<8, 2>(3 / 7 * sum(i) x[i] * x[2 - i] - 1 / 8)', [
      (3 / 7) * (2 * x[0] * x[2] + x[1] ** 2) - 1 / 8,
    ]);
    close('public y = max(i) -x[i]', [1.7]);
    close('public y = argmax(i if i != 2) x[i]', [0]);
  });

  test('takes tables for the functions they tabulate', () => {
    const table = (declaration: string): number[] =>
      run(`table f(x: fixed<8, 2>${declaration}\nmodel m { secret x[3]: fixed<8, 2>\npublic y = f(x) }`, { x });
    const close = (found: number[], expected: number[]): void =>
      found.forEach((v, k) => expect(v).toBeCloseTo(expected[k], 12));
    close(
      table(') -> fixed<40, 2> = x * exp(-x / 2) + 1'),
      x.map((v) => v * Math.exp(-v / 2) + 1),
    );
    close(
      table(') -> fixed<8, 2> = tanh(x) - sin(x) * cos(x) ^ 2'),
      x.map((v) => Math.tanh(v) - Math.sin(v) * Math.cos(v) ** 2),
    );
    close(table(' in [-1, 1] saturate) -> fixed<8, 2> = sqrt(x + 1)'), [Math.sqrt(1.3), 0, Math.sqrt(2)]);
    // erf at 0.3, -1.7 and 2.123456, to 12 digits.
    close(table(') -> fixed<8, 2> = erf(x)'), [0.32862675945913, -0.98379045859077, 0.99732685377482]);
  });

  test('draws a table that is no expression by straight lines', () => {
    const found = run(
      'table f(x: fixed<8, 2>) -> fixed<8, 6> = round<8, 6>(x / 32)\nmodel m { secret x[3]: fixed<8, 2>\npublic y = f(x) }',
      { x },
    );
    found.forEach((v, k) => expect(Math.abs(v - x[k] / 32)).toBeLessThan(1 / 64));
  });

  test('names inputs that are missing or of another size', () => {
    const text = 'model m { secret x[3]: fixed<8, 2>\npublic y[i] = x[i] }';
    expect(() => run(text, {})).toThrow('x: no values given');
    expect(() => run(text, { x: [1] })).toThrow('x has 1 entries');
  });
});

describe('comparison', () => {
  test('measures the error of every rounded tensor and every output', () => {
    const program = programOf(
      'model m { secret x[2]: fixed<16, 8>\na[i] = round<16, 2>(x[i] / 8)\nb[i] = 2 * a[i]\npublic y[i] = b[i] * b[i] }',
    );
    const integers = [300, 512];
    const real = evaluateReal(program, new Map([[0, Float64Array.from(integers, (v) => v / 256)]]));
    const exact = evaluateExactly(program, new Map([[0, Float64Array.from(integers)]]));
    const comparison = createComparison(program);
    comparison.add(exact, real);
    const errors = comparison.errors();
    expect(errors.map((e) => e.tensor.name)).toEqual(['a', 'y']);
    // 300 / 2048 and 1/4 become 1/4 and 1/4.
    const [a] = errors;
    expect(a.most).toBeCloseTo(0.25 - 300 / 2048, 12);
    expect(a.relative).toBeCloseTo((0.25 - 300 / 2048) / Math.hypot(300 / 2048, 0.25), 12);
    comparison.add(exact, real);
    expect(comparison.errors()[0].relative).toBeCloseTo(a.relative, 12);
  });

  test('scores', () => {
    const logits = [0, 3, 1, 2, 2, -1];
    expect([...largest(logits, 3)]).toEqual([1, 0]);
    const expected = [
      Math.log(Math.exp(0) + Math.exp(3) + Math.exp(1)) - 1,
      Math.log(2 * Math.exp(2) + Math.exp(-1)) - 2,
    ];
    losses(logits, 3, [2, 1]).forEach((loss, k) => expect(loss).toBeCloseTo(expected[k], 12));
    expect([...toReals({ scale: { num: 3n, den: 4n } }, [4n, -(1n << 70n)])]).toEqual([3, -3 * 2 ** 68]);
  });
});
