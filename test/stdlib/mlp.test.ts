/** Tables, feed-forward layers and the loss. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dropBits, expectClose, fill, integers, near, run, sum } from './run.ts';

const RUNS = { numRuns: 8 };
const length = fc.constantFrom(1, 2, 3, 4, 5, 7);
const shapes = fc.record({ T: length, D: length, F: length, seed: fc.nat() });

const silu = (x: number): number => x / (1 + Math.exp(-x));
const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** By the continued fraction and the series of Abramowitz and Stegun, 7.1.5 and 7.1.14. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
    return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
  }
  let [term, total] = [x, x];
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

describe('tables', () => {
  test.each([
    ['silu', 16, 11, 13, -32768, 32767, silu],
    ['gelu', 16, 11, 13, -32768, 32767, gelu],
    ['gelu_erf', 16, 11, 13, -32768, 32767, (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2))],
    ['relu', 16, 11, 11, -32768, 32767, (x: number) => Math.max(x, 0)],
    ['exp', 17, 10, 15, -65535, 0, Math.exp],
    ['log', 17, 11, 13, 2048, 65535, Math.log],
  ])('%s is correctly rounded', (name, bits, frac, out, first, last, f) => {
    const arguments_ = Array.from({ length: last - first + 1 }, (_, k) => BigInt(first + k));
    const text = `import { ${name} } from "std"
      model m {
        secret x[${arguments_.length}]: fixed<${bits}, ${frac}>
        public y = ${name}(x)
      }`;
    const { integers: found } = run(text, () => arguments_)('y');
    // Floating point is right to within 2^-30 of a unit here: nearer to a tie it does not decide.
    const wrong = found.filter((v, k) => Math.abs(Number(v) - f((first + k) / 2 ** frac) * 2 ** out) > 0.5 + 1e-6);
    expect(wrong).toEqual([]);
  });
});

describe('feed-forward layers', () => {
  const model = (T: number, D: number, F: number, name: string): string =>
    `import { ${name} } from "std"
     model m {
       dim T = ${T}, D = ${D}
       secret x[T, D]: fixed<16, 11>
       v = ${name}<${F}>(x)
       public y[t, d] = v[t, d]
     }`;
  const real = (v: readonly bigint[]): number[] => v.map((x) => Number(x) / 2 ** 11);

  test('swiglu', () => {
    fc.assert(
      fc.property(shapes, ({ T, D, F, seed }) => {
        const draw = integers(seed, 12);
        const found = run(model(T, D, F, 'swiglu'), draw)('y');
        const x = draw('x', T * D);
        const [gate, up, down] = ['v/g/linear/W', 'v/u/linear/W', 'v/y/W'].map((name) => draw(name, D * F));
        const project = (W: readonly bigint[]): bigint[] =>
          fill([T, F], (t, f) =>
            dropBits(
              sum(D, 0n, (d: number) => x[t * D + d] * W[f * D + d]),
              11,
            ),
          );
        const [g, u] = [project(gate).map((v) => near(silu(Number(v) / 2 ** 11), 13)), project(up)];
        // The product is not rounded: 13 + 11 + 11 fraction bits.
        const y = fill([T, D], (t, d) => sum(F, 0n, (f: number) => g[t * F + f] * u[t * F + f] * down[d * F + f]));
        expect(found.integers).toEqual(y);
        expect(found.scale).toEqual({ num: 1n, den: 1n << 35n });

        const [xs, a, b, c] = [x, gate, up, down].map(real);
        const dot = (t: number, W: readonly number[], f: number): number =>
          sum(D, 0, (d: number) => xs[t * D + d] * W[f * D + d]);
        const expected = fill([T, D], (t, d) =>
          sum(F, 0, (f: number) => silu(dot(t, a, f)) * dot(t, b, f) * c[d * F + f]),
        );
        expectClose(found.values, expected, 1e-2);
      }),
      RUNS,
    );
  });

  test('mlp', () => {
    fc.assert(
      fc.property(shapes, ({ T, D, F, seed }) => {
        const draw = integers(seed, 12);
        const found = run(model(T, D, F, 'mlp'), draw)('y');
        const x = draw('x', T * D);
        const [W, b, V, c] = [
          draw('v/g/conv1d/W', D * F),
          draw('v/g/conv1d/b', F),
          draw('v/y/W', F * D),
          draw('v/y/b', D),
        ];
        const h = fill([T, F], (t, f) =>
          dropBits((b[f] << 11n) + sum(D, 0n, (d: number) => x[t * D + d] * W[d * F + f]), 11),
        );
        const g = h.map((v) => near(gelu(Number(v) / 2 ** 11), 13));
        const y = fill([T, D], (t, d) => (c[d] << 13n) + sum(F, 0n, (f: number) => g[t * F + f] * V[f * D + d]));
        expect(found.integers).toEqual(y);
        const [xs, Ws, bs, Vs, cs] = [x, W, b, V, c].map(real);
        const expected = fill([T, D], (t, d) =>
          sum(
            F,
            cs[d],
            (f: number) => gelu(sum(D, bs[f], (i: number) => xs[t * D + i] * Ws[i * F + f])) * Vs[f * D + d],
          ),
        );
        expectClose(found.values, expected, 1e-2);
      }),
      RUNS,
    );
  });
});

test('cross entropy is within 1/500 of floating point, whatever the logits', () => {
  const cases = fc.record({
    T: length,
    V: fc.constantFrom(1, 2, 3, 10, 50, 300),
    bits: fc.constantFrom(4, 12, 16),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ T, V, bits, seed }) => {
      const text = `import { cross_entropy } from "std"
        model m {
          dim T = ${T}, V = ${V}
          secret z[T, V]: fixed<16, 11>
          secret target[T]: index<V>
          public y = cross_entropy(z, target)
        }`;
      const draw = integers(seed, bits);
      const target = draw('target', T).map((v) => ((v % BigInt(V)) + BigInt(V)) % BigInt(V));
      const y = run(text, (name, size) => (name === 'target' ? target : draw(name, size)), { bits: 20, frac: 11 })('y');
      const z = draw('z', T * V).map((v) => Number(v) / 2 ** 11);
      const losses = fill([T], (t) => {
        const row = z.slice(t * V, (t + 1) * V);
        const m = Math.max(...row);
        return Math.log(row.reduce((a, b) => a + Math.exp(b - m), 0)) + m - row[Number(target[t])];
      });
      expectClose(y.values, [losses.reduce((a, b) => a + b) / T], 1 / 500);
    }),
    { numRuns: 25 },
  );
});
