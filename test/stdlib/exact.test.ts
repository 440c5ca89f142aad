/** Blocks that round nothing: every entry is the sum it should be, in exact arithmetic, at any shape. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multiply, rational } from '../../compiler/ir/numbers/rational.ts';
import { fill, integers, run, sum } from './run.ts';
import type { Result } from './run.ts';

const RUNS = { numRuns: 12 };
const length = fc.constantFrom(1, 2, 3, 4, 5, 7, 8);
const shapes = fc.record({ T: length, I: length, O: length, R: length, seed: fc.nat() });

/** Equal as rationals: `unit` is what one of the expected integers stands for. */
function expectExactly(actual: Result, expected: readonly bigint[], unit: { num: bigint; den: bigint }): void {
  const [a, b] = [
    actual.integers.map((v) => multiply(rational(v), actual.scale)),
    expected.map((v) => multiply(rational(v), unit)),
  ];
  expect(a).toEqual(b);
}

const model = (T: number, I: number, imports: string, body: string): string =>
  `import { ${imports} } from "std"\nmodel m {\n  dim T = ${T}, I = ${I}\n  secret x[T, I]: fixed<16, 8>\n${body}}\n`;

/** x has 8 fraction bits, weights of the checkpoint 11. */
const UNIT = rational(1n, 1n << 19n);

describe('exact blocks', () => {
  test('linear, affine and conv1d', () => {
    fc.assert(
      fc.property(shapes, ({ T, I, O, seed }) => {
        const draw = integers(seed, 16);
        const [x, W, b] = [draw('x', T * I), draw('y/W', I * O), draw('y/b', O)];
        const dot = (t: number, weight: (i: number) => bigint): bigint =>
          sum(I, 0n, (i: number) => x[t * I + i] * weight(i));
        const product = fill([T, O], (t, o) => dot(t, (i) => W[o * I + i]));
        const transposed = fill([T, O], (t, o) => dot(t, (i) => W[i * O + o]));
        // A bias has 11 fraction bits, the sum 19.
        const biased = (y: readonly bigint[]): bigint[] => y.map((v, k) => v + (b[k % O] << 8n));
        const block = (name: string): Result =>
          run(model(T, I, name, `  public y = ${name}<${O}>(x)\n`), integers(seed, 16))('y');
        expectExactly(block('linear'), product, UNIT);
        expectExactly(block('affine'), biased(product), UNIT);
        expectExactly(block('conv1d'), biased(transposed), UNIT);
      }),
      RUNS,
    );
  });

  test('several adapters on one projection, each of its own rank', () => {
    fc.assert(
      fc.property(shapes, ({ T, I, O, R, seed }) => {
        const draw = integers(seed, 14);
        const x = draw('x', T * I);
        const update = (name: string, rank: number): bigint[] => {
          const [A, B] = [draw(`y/${name}/A`, rank * I), draw(`y/${name}/B`, O * rank)];
          const u = fill([T, rank], (t, r) => sum(I, 0n, (i: number) => x[t * I + i] * A[r * I + i]));
          return fill([T, O], (t, o) => sum(rank, 0n, (r: number) => u[t * rank + r] * B[o * rank + r]));
        };
        const body = `  source style\n  public y = lora<${O}, ${R}>(x, 3) + lora<${O}, 2>(x, 16, style)\n`;
        const y = run(model(T, I, 'lora', body), draw)('y');
        const [first, second] = [update('lora', R), update('lora.2', 2)];
        // 3 / R of the first, 8 of the second, of 8 + 14 + 14 fraction bits.
        const expected = first.map((v, k) => 3n * v + 8n * BigInt(R) * second[k]);
        expectExactly(y, expected, rational(1n, BigInt(R) << 36n));
      }),
      RUNS,
    );
  });

  test('an embedding and the head that is tied to it', () => {
    fc.assert(
      fc.property(shapes, ({ T, I: D, O: V, seed }) => {
        const draw = integers(seed, 16);
        const tokens = draw('tokens', T).map((v) => ((v % BigInt(V)) + BigInt(V)) % BigInt(V));
        const text = `import { embedding, head } from "std"
          model m {
            dim T = ${T}, V = ${V}, D = ${D}
            secret tokens[T]: index<V>
            open E[V, D] from base "weight"
            x = embedding(E, tokens)
            public rows[t, d] = x[t, d]
            public y = head(x, E)
          }`;
        const found = run(text, (name, size) => (name === 'tokens' ? tokens : draw(name, size)));
        const E = draw('E', V * D);
        const row = (t: number, d: number): bigint => E[Number(tokens[t]) * D + d];
        expectExactly(found('rows'), fill([T, D], row), rational(1n, 1n << 11n));
        const scores = fill([T, V], (t, v) => sum(D, 0n, (d: number) => row(t, d) * E[v * D + d]));
        expectExactly(found('y'), scores, rational(1n, 1n << 22n));
      }),
      RUNS,
    );
  });
});
