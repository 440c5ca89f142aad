/** Losses, one for each rule of reverse mode: statements of a model whose `A` is trained. */
export const A = (shape: string): string => `secret A[${shape}]: fixed<16, 12> from adapter "A"`;
export const X = (shape: string): string => `secret x[${shape}]: fixed<16, 12>`;

export const CASES: Readonly<Record<string, string>> = {
  'sum of products': `${A('3, 5')}\n${X('7, 5')}\ny[t, o] = sum(i) x[t, i] * A[o, i]\nloss = sum(t, o) y[t, o] * y[t, o]`,
  'a square and a cube': `${A('3')}\nloss = sum(i) (A[i] * A[i] * A[i] + A[i] * A[i])`,
  'round of a product': `${A('3')}\n${X('3')}\ny[i] = round<16, 8>(A[i] * x[i])\nloss = sum(i) y[i] * y[i]`,
  lora: `import { lora } from "std"\nMODEL${X('7, 5')}\ny = lora<6, 2>(x, 4)\nz[t, o] = round<16, 8>(y[t, o])\nloss = sum(t, o) z[t, o] * z[t, o]`,
  digits: `${A('2, 3')}\n${X('6')}\ny[i: 6] = x[i] * A[i div 3, i mod 3]\nloss = sum(i) y[i] * y[i]`,
  'digits that do not fill': `${A('2, 4')}\n${X('7')}\ny[i: 7] = x[i] * A[i div 4, i mod 4]\nloss = sum(i) y[i] * y[i]`,
  'three digits': `${A('2, 3, 4')}\n${X('24')}\ny[i: 24] = x[i] * A[i div 12, i div 4 mod 3, i mod 4]\nloss = sum(i) y[i] * y[i]`,
  'grouped digits': `${A('2, 4')}\n${X('24')}\ny[i: 24] = x[i] * A[i div 4 div 3, i mod 4]\nloss = sum(i) y[i] * y[i]`,
  'nested strides': `${A('17')}\n${X('3, 4')}\ny[h: 3, j: 4] = x[h, j] * A[h * 5 + j + 2]\nloss = sum(h, j) y[h, j] * y[h, j]`,
  'strides with gaps': `${A('24')}\n${X('3, 4')}\ny[h: 3, j: 4] = x[h, j] * A[h * 8 + 2 * j]\nloss = sum(h, j) y[h, j] * y[h, j]`,
  'a convolution': `${A('9')}\n${X('4, 6')}\ny[i: 4, j: 6] = x[i, j] * A[i + j]\nloss = sum(i, j) y[i, j] * y[i, j]`,
  'a difference': `${A('9')}\n${X('4, 6')}\ny[i: 4, j: 6] = x[i, j] * A[i - j + 5]\nloss = sum(i, j) y[i, j] * y[i, j]`,
  reversed: `${A('5')}\n${X('5')}\ny[i: 5] = x[i] * A[4 - i]\nloss = sum(i) y[i] * y[i]`,
  'a diagonal': `${A('4, 4')}\n${X('4')}\ny[i] = x[i] * A[i, i]\nloss = sum(i) y[i] * y[i]`,
  'a row': `${A('4, 5')}\n${X('5')}\ny[i] = x[i] * A[2, i]\nloss = sum(i) y[i] * y[i]`,
  guards: `${A('6')}\n${X('6')}\ny[i: 6] = if i < 3 then A[i + 3] * x[i] else A[i - 3] * A[i]\nloss = sum(i) y[i] * y[i]`,
  'a causal sum': `${A('5')}\n${X('5, 5')}\ny[t: 5] = sum(s: 5 if s <= t) A[s] * x[t, s]\nloss = sum(t) y[t] * y[t]`,
  'a gather': `${A('6, 3')}\nsecret i[4]: index<6>\ny[t, d] = A[i[t], d]\nloss = sum(t, d) y[t, d] * y[t, d]`,
  'a one-hot sum': `${A('4, 6')}\nsecret i[4]: index<6>\ny[t: 4] = sum(v: 6) A[t, v] * A[t, v] * [v == i[t]]\nloss = sum(t) y[t] * y[t]`,
  'an entry of each row': `${A('4, 6')}\nsecret i[4]: index<6>\ny[t: 4] = A[t, i[t]]\nloss = sum(t) y[t] * y[t] * y[t]`,
  'a quotient': `${A('3')}\n${X('3')}\ny[i] = round<24, 12>(A[i] / (2 + x[i] * A[i]))\nloss = sum(i) y[i] * y[i]`,
  'a reciprocal': `${A('3')}\ny[i] = round<24, 12>(3 / (2 + A[i] * A[i]))\nloss = sum(i) y[i] * y[i]`,
  'a reciprocal root': `${A('3')}\ny[i] = round<24, 12>(3 / sqrt(2 + A[i] * A[i]))\nloss = sum(i) y[i] * y[i]`,
  'a root': `${A('3')}\ny[i] = round<24, 12>(sqrt(2 + A[i] * A[i]))\nloss = sum(i) y[i] * y[i]`,
  'a tensor read twice': `${A('3')}\n${X('3')}\ny[i] = round<16, 8>(A[i] * x[i])\nz[i] = round<16, 8>(y[i] * y[2])\nloss = sum(i) z[i] * y[i]`,
  'weights of two rows in one': `${A('4')}\nloss = sum(i: 4, j: 4) A[i] * A[j] * A[i]`,
};

/** The statements as a model. */
export const model = (text: string): string =>
  text.includes('MODEL') ? `${text.replace('MODEL', 'model m {\n')}\n}` : `model m {\n${text}\n}`;
