/** Each rule of reverse mode against central differences. */
import { expect, test } from 'vitest';
import { A, CASES, X, model } from './cases.ts';
import { differentiate, drawn, worstDifference } from './differences.ts';

const TABLES = ['silu', 'gelu', 'gelu_erf'];

test.each(Object.entries(CASES))('%s', (_, text) => {
  expect(worstDifference(differentiate(model(text)), drawn(400))).toBeLessThan(1e-6);
});

test.each(TABLES)('table %s', (name) => {
  const text = `import { ${name} } from "std"\nmodel m {\n${A('5')}\n${X('5')}\ny[i] = ${name}(round<16, 10>(A[i] * x[i]))\nloss = sum(i) y[i] * y[i]\n}`;
  expect(worstDifference(differentiate(text), drawn(400))).toBeLessThan(1e-6);
});

test('tables of every function, sums, products, quotients and powers', () => {
  const body =
    '(exp(x / 4) + sin(x) * cos(2 * x) - tanh(x) / (2 + x ^ 2)) * sqrt(3 + x) / log(5 + x) + 2 ^ (x / 2) - erf(x)';
  const text = `table f(x: fixed<8, 6>) -> fixed<20, 12> = ${body}
model m {
  ${A('5')}
  y[i] = f(round<8, 6>(A[i]))
  loss = sum(i) y[i] * y[i]
}`;
  expect(worstDifference(differentiate(text), drawn(400))).toBeLessThan(1e-6);
});

test('where a derivative is no number it is 0, and so it is at an end where arguments are cut off', () => {
  const text = `import { relu } from "std"
table held(x: fixed<8, 4> in [-2, 1] saturate) -> fixed<8, 4> = 2 * x
model m {
  ${A('3')}
  y[i] = relu(round<8, 4>(A[i]))
  z[i] = held(round(3 * y[i]))
  loss = sum(i) z[i]
}`;
  const { tables } = differentiate(text).program;
  const at = (name: string, x: number): number => {
    const table = tables.find((t) => t.name === name)!;
    const { frac } = table.result as { frac: number };
    return Number(table.values[x * 16 - Number(table.first)]) / 2 ** frac;
  };
  expect([at("relu'", -1), at("relu'", 0), at("relu'", 1)]).toEqual([0, 0, 1]);
  // 3 y exceeds 1; it is at least 0, so that nothing is cut off at -2.
  expect([at("held' [)", -2), at("held' [)", 0), at("held' [)", 1)]).toEqual([2, 2, 0]);
});

test('a tensor in another shape, whose strides are nested in its own', () => {
  const text = `model m {\n${A('3, 8')}\n${X('12, 2')}\nB = A as [12, 2]\ny[r, j] = B[r, j] * x[r, j]\nloss = sum(r, j) y[r, j] * y[r, j]\n}`;
  expect(worstDifference(differentiate(text), drawn(400))).toBeLessThan(1e-6);
  // Two sequences of three tokens, whose heads of four stand one below the other.
  const heads = `model m {\n${A('6, 8')}\n${X('2, 3, 2, 4')}\nB = A as [12, 4]\nC = B as [2, 3, 2, 4]\ny[n, t, h, j] = C[n, t, h, j] * x[n, t, h, j]\nz[r: 12] = sum(j) B[r, j] * B[r, j]\nloss = sum(n, t, h, j) y[n, t, h, j] * y[n, t, h, j] + sum(r) z[r]\n}`;
  expect(worstDifference(differentiate(heads), drawn(400))).toBeLessThan(1e-6);
});
