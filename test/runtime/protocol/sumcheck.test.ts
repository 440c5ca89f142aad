import { describe, expect, test } from 'vitest';
import { constantForm, type Form } from '../../../runtime/protocol/form.ts';
import { add, eqEval, mul, neg, reduce, sub } from '../../../runtime/protocol/scalar.ts';
import {
  roundPoints,
  sumcheck,
  ProtocolRejection,
  type RoundPoint,
  type RoundProver,
} from '../../../runtime/protocol/sumcheck/sumcheck.ts';
import { Draw } from '../../kit/draw.ts';
import { bitsOf } from './multilinear.ts';

type Polynomial = readonly bigint[];

const multiply = (a: Polynomial, b: Polynomial): bigint[] => {
  const out = Array.from({ length: a.length + b.length - 1 }, () => 0n);
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) out[i + j] = add(out[i + j], mul(x, y));
  return out;
};

const at = (p: Polynomial, x: RoundPoint, degree: number): bigint =>
  x === 'inf' ? (p[degree] ?? 0n) : p.reduceRight((s, c) => add(mul(s, reduce(BigInt(x))), c), 0n);

/** Sums a product of tables as the definition says: coefficients of the round polynomial, term by term. */
function naiveProver(tables: bigint[][], weights: readonly bigint[] | undefined): RoundProver {
  let variables = Math.log2(tables[0].length);
  let done = 0;
  return {
    round(points) {
      const half = 2 ** (variables - 1);
      const rest = weights?.slice(done + 1) ?? [];
      let total: bigint[] = [0n];
      for (let j = 0; j < half; j++) {
        const weight = weights ? eqEval(rest, bitsOf(j, variables - 1)) : 1n;
        const product = tables.map((t) => [t[j], sub(t[j + half], t[j])]).reduce<bigint[]>(multiply, [weight]);
        total = product.map((c, i) => add(c, total[i] ?? 0n));
      }
      return Promise.resolve(points.map((p) => at(total, p, tables.length)));
    },
    bind(x) {
      const half = 2 ** (variables - 1);
      for (const [i, t] of tables.entries())
        tables[i] = t.slice(0, half).map((lo, j) => add(lo, mul(x, sub(t[j + half], lo))));
      variables--;
      done++;
      return Promise.resolve();
    },
  };
}

const channel = (draw: Draw, sent: bigint[] = []) => ({
  send(_label: string, v: bigint | undefined): Form {
    if (v === undefined) throw new Error('nothing to send');
    sent.push(v);
    return constantForm(v);
  },
  challenge: () => draw.scalar(),
});

describe('the sumcheck text', () => {
  const cases = [1, 2, 3, 4, 5].flatMap((degree) =>
    [0, 1, 2, 4].flatMap((n) => [false, true].map((weighted) => ({ degree, n, weighted }))),
  );
  test.each(cases)('degree $degree in $n variables, weighted: $weighted', async ({ degree, n, weighted }) => {
    const draw = new Draw('sumcheck', 100 * degree + 10 * n + Number(weighted));
    const tables = Array.from({ length: degree }, () => Array.from({ length: 2 ** n }, () => draw.scalar()));
    const tau = weighted ? Array.from({ length: n }, () => draw.scalar()) : undefined;
    const value = (values: readonly bigint[]): bigint => values.reduce(mul, 1n);
    let claim = 0n;
    for (let i = 0; i < 2 ** n; i++)
      claim = add(claim, mul(tau ? eqEval(tau, bitsOf(i, n)) : 1n, value(tables.map((t) => t[i]))));

    const sent: bigint[] = [];
    const prover = naiveProver(
      tables.map((t) => [...t]),
      tau,
    );
    const result = await sumcheck(
      channel(draw, sent),
      'test',
      constantForm(claim),
      tables[0].length > 1 ? bitsOf(0, n).map(() => degree) : [],
      prover,
      tau,
    );
    expect(result.point).toHaveLength(n);
    expect(sent).toHaveLength(n * degree);
    const extension = (t: readonly bigint[]): bigint =>
      t.reduce((s, v, i) => add(s, mul(v, eqEval(result.point, bitsOf(i, n)))), 0n);
    expect(result.claim).toEqual(constantForm(value(tables.map(extension))));
  });

  test('a false claim does not become a true one', async () => {
    const draw = new Draw('sumcheck', 1);
    const table = Array.from({ length: 8 }, () => draw.scalar());
    const sum = table.reduce(add, 0n);
    const { point, claim } = await sumcheck(
      channel(draw),
      'test',
      constantForm(add(sum, 1n)),
      [1, 1, 1],
      naiveProver([table], undefined),
    );
    expect(claim.constant).not.toBe(table.reduce((s, v, i) => add(s, mul(v, eqEval(point, bitsOf(i, 3)))), 0n));
  });

  test('a round of degree 0 halves the claim and sends nothing; a weighted one keeps it', async () => {
    const draw = new Draw('sumcheck', 2);
    const sent: bigint[] = [];
    expect((await sumcheck(channel(draw, sent), 'test', constantForm(6n), [0])).claim).toEqual(constantForm(3n));
    expect((await sumcheck(channel(draw, sent), 'test', constantForm(6n), [0], undefined, [5n])).claim).toEqual(
      constantForm(6n),
    );
    expect(sent).toEqual([]);
  });

  test('a weight of 0 is a rejection, not an exception of another kind', async () => {
    const run = sumcheck(
      { send: () => constantForm(1n), challenge: () => 3n },
      'test',
      constantForm(1n),
      [2],
      undefined,
      [0n],
    );
    await expect(run).rejects.toThrow(ProtocolRejection);
  });

  test('claims stay affine in the pads', async () => {
    const draw = new Draw('sumcheck', 3);
    const [a, b] = [draw.scalar(), draw.scalar()];
    let n = 0;
    const masked = {
      send: (): Form => ({ constant: [a, b][n], pads: new Map([[n++, neg(1n)]]) }),
      challenge: () => 7n,
    };
    const { claim } = await sumcheck(masked, 'test', constantForm(11n), [2]);
    // g(x) = (1 - x) g(0) + x (claim - g(0)) + g(inf) x (x - 1)
    expect(claim.constant).toBe(reduce(-6n * a + 7n * (11n - a) + 42n * b));
    expect(claim.pads.get(0)).toBe(13n);
    expect(claim.pads.get(1)).toBe(neg(42n));
  });

  test('the points of a round are all different', () => {
    for (let d = 0; d <= 9; d++) expect(new Set(roundPoints(d)).size).toBe(d);
    expect(roundPoints(9)).not.toContain(1);
  });
});
