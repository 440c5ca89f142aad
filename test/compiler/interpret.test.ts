/** The reference interpreter: known values, and every error a value can cause. */
import { describe, expect, test } from 'vitest';
import { ValueError, interpret } from '../../compiler/interpret/index.ts';
import type { IntTensor, ValueProblem } from '../../compiler/interpret/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { checkText } from './standard.ts';

function programOf(body: string, items = ''): TensorProgram {
  const { programs, all } = checkText(`${items}\nmodel m {\n${body}\n}\n`);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return programs[0];
}

const vector = (...values: number[]): IntTensor => ({ shape: [values.length], values: values.map(BigInt) });

/** The integers of a program's tensors by name, given those of its inputs. */
function run(program: TensorProgram, inputs: Record<string, IntTensor>): Map<string, readonly bigint[]> {
  const given = new Map(
    program.tensors.flatMap(({ id, name }) => (name in inputs ? [[id, inputs[name]] as const] : [])),
  );
  return new Map([...interpret(program, given)].map(([id, t]) => [program.tensors[id].name, t.values]));
}

function problemOf(
  program: TensorProgram,
  inputs: Record<string, IntTensor>,
): { tensor: string; problem: ValueProblem } {
  try {
    run(program, inputs);
  } catch (error) {
    if (error instanceof ValueError) return { tensor: error.tensor!, problem: error.problem! };
    throw error;
  }
  throw new Error('no error');
}

describe('interpreter', () => {
  test('a projection', () => {
    const program = programOf(`
      secret x[3]: fixed<8, 2>
      secret W[2, 3]: fixed<8, 3>
      public y[o] = 1 / 3 * sum(i) W[o, i] * x[i]`);
    const W = { shape: [2, 3], values: [1n, 2n, 3n, -1n, 0n, 5n] };
    expect(run(program, { x: vector(10, -20, 30), W }).get('y')).toEqual([60n, 140n]);
    const y = program.tensors.find((t) => t.name === 'y');
    expect(y?.scale).toEqual({ num: 1n, den: 96n });
  });

  test('tables saturate, and a round above one clamps', () => {
    const items = 'table half(x: fixed<6, 2> in [-2, 2] saturate) -> fixed<6, 2> = x / 2';
    const program = programOf(
      `
      secret x[5]: fixed<6, 2>
      secret z[3]: fixed<10, 4>
      public y = half(x)
      public w = half(round(z * 3))`,
      items,
    );
    const found = run(program, { x: vector(-32, -8, 3, 8, 31), z: vector(-500, 5, 500) });
    // -2 / 2, -2 / 2, 3/4 / 2 rounded up, 2 / 2, 2 / 2 in quarters.
    expect(found.get('y')).toEqual([-4n, -4n, 2n, 4n, 4n]);
    expect(found.get('w')).toEqual([-4n, 2n, 4n]);
  });

  test('maxima and the first place that attains one', () => {
    const program = programOf(`
      secret z[2, 4]: fixed<8, 0>
      public m[t] = max(s) -z[t, s]
      public a[t] = argmax(s if s > 0) z[t, s]`);
    const found = run(program, { z: { shape: [2, 4], values: [9n, 3n, 7n, 7n, -1n, -1n, -1n, -2n] } });
    expect(found.get('m')).toEqual([-3n, 2n]);
    expect(found.get('a')).toEqual([2n, 1n]);
  });

  test('values past 2^53 are exact', () => {
    const program = programOf(`
      secret x[3]: fixed<64, 0>
      public y = sum(i) x[i] * x[i] * x[i]`);
    const values = [2n ** 62n + 1n, -(2n ** 62n), 12345678901234567n];
    expect(run(program, { x: { shape: [3], values } }).get('y')).toEqual([values.reduce((s, v) => s + v ** 3n, 0n)]);
  });

  test('a missing input, another shape, an entry outside its type', () => {
    const program = programOf(`
      secret x[3]: fixed<4, 0>
      secret i[2]: index<3>
      public y[t] = x[i[t]]`);
    const x = vector(1, 2, 3);
    expect(problemOf(program, { x })).toEqual({ tensor: 'i', problem: { kind: 'missing' } });
    expect(problemOf(program, { x: vector(1, 2), i: vector(0, 1) }).problem).toMatchObject({ kind: 'shape' });
    expect(problemOf(program, { x: vector(1, 8, 3), i: vector(0, 1) })).toEqual({
      tensor: 'x',
      problem: { kind: 'range', index: [1], value: 8n, bits: 5 },
    });
    expect(problemOf(program, { x, i: vector(0, 3) })).toMatchObject({
      tensor: 'i',
      problem: { index: [1], value: 3n },
    });
    expect(problemOf(program, { x, i: vector(-1, 0) })).toMatchObject({ tensor: 'i', problem: { index: [0] } });
  });

  test('a rounded value that overflows, a divisor that is not positive, an argument without a table value', () => {
    const overflow = programOf('secret x[2]: fixed<8, 0>\npublic y[t] = round<4, 0>(2 * x[t])');
    expect(problemOf(overflow, { x: vector(3, 4) })).toEqual({
      tensor: 'y',
      problem: { kind: 'range', index: [1], value: 8n, bits: 5 },
    });
    const quotient = programOf('secret x[2]: fixed<8, 0>\npublic y[t] = round<16, 4>(1 / x[t])');
    expect(problemOf(quotient, { x: vector(3, -4) })).toEqual({
      tensor: 'y',
      problem: { kind: 'divisor', index: [1], value: -4n },
    });
    const root = programOf('secret x[1]: fixed<8, 0>\npublic y[t] = round<16, 4>(sqrt(x[t]))');
    expect(problemOf(root, { x: vector(-1) })).toMatchObject({ tensor: 'y', problem: { kind: 'divisor', value: -1n } });
    const items = 'table low(x: fixed<4, 0> in [-8, 0]) -> fixed<4, 0> = x';
    const domain = programOf('secret x[2]: fixed<4, 0>\npublic y = low(x)', items);
    expect(run(domain, { x: vector(-8, 0) }).get('y')).toEqual([-8n, 0n]);
    expect(problemOf(domain, { x: vector(0, 1) })).toMatchObject({ tensor: 'x', problem: { index: [1], value: 1n } });
  });

  test('messages name the tensor, the entry, the value and the bits', () => {
    const program = programOf('secret x[2]: fixed<8, 0>\npublic y[t] = round<4, 0>(2 * x[t])');
    expect(() => run(program, { x: vector(3, 40) })).toThrow(
      'y[1] = 80 is out of range: it needs 8 bits; fixed<4, 0> is declared',
    );
    expect(() => run(program, {})).toThrow('x: no values given');
  });
});
