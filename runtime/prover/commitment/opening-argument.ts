/** The prover's rounds over the columns for `protocol/commitment/opening-argument.ts`. */
import type { Device, FrVector } from '../../device/device.ts';
import { add, constant, mul as times, sub, table, type Expression } from '../../kernels/expression.ts';
import type { ColumnSumcheck, MergedOpening } from '../../protocol/commitment/opening-argument.ts';
import { columnTable } from '../../protocol/commitment/hyrax.ts';
import * as Fr from '../../protocol/scalar.ts';
import type { RoundPoint, RoundProver } from '../../protocol/sumcheck/sumcheck.ts';
import type { Held, HeldValue } from '../held.ts';
import { AT_ONCE, type ProverState } from './rows.ts';

/** @param held has the tables of the rounds */
export async function columnProver(
  { device, argument, rows }: ProverState,
  { openings, alpha, lambda, tau }: ColumnSumcheck,
  combined: readonly FrVector[],
  held: Held,
): Promise<RoundProver & { products(): Promise<{ a: bigint[]; b: bigint[] }> }> {
  /** Pairs of a row and of its weights, some at a time: as there are many, each is freed as soon as it is folded. */
  const linear: HeldValue<readonly FrVector[]>[] = [];
  const pairsOf: (() => [FrVector, FrVector])[] = openings.map((o, k) => () => [combined[k], columnVector(device, o)]);
  for (const kind of ['P', 'A', 'B', 'C'] as const)
    for (const [i, weights] of alpha[kind].entries())
      if (weights.length > 0) pairsOf.push(() => [rows[kind].vectors[i], device.frVector(weights)]);
  for (let first = 0; first < pairsOf.length; first += AT_ONCE) {
    const own = pairsOf.slice(first, first + AT_ONCE);
    linear.push(await held.make(() => own.flatMap((pair) => pair())));
  }
  const triples = rows.A.vectors.length;
  let products: FrVector[] = [];
  if (triples > 0) {
    // The whole table: cut short it would be another multilinear polynomial, even where A, B and C are zero.
    const weight = device.map(
      device.prepare(times(constant(0), table(0))),
      [device.eq(tau)],
      [lambda],
      argument.columns,
    );
    products = [weight, ...rows.A.vectors, ...rows.B.vectors, ...rows.C.vectors];
  }
  const powers = Fr.powers(lambda, triples).slice(1);
  const productKernel = device.prepare(triples > 0 ? tripleSum(triples) : pairs(1));
  let variables = Math.log2(argument.columns);
  return {
    async round(points: readonly RoundPoint[]) {
      // The leading coefficient belongs to the highest degree; the linear part has it only if there are no triples.
      const own = triples > 0 ? points.filter((p) => p !== 'inf') : points;
      let a = own.map(() => 0n);
      for (const { value: part } of linear) {
        const values = await device.round(device.prepare(pairs(part.length / 2)), part, [], variables, own);
        a = a.map((v, i) => Fr.add(v, values[i]));
      }
      const sums = points.map((p) => {
        const i = own.indexOf(p);
        return i < 0 ? 0n : a[i];
      });
      if (triples === 0) return sums;
      const b = await device.round(productKernel, products, powers, variables, points);
      return sums.map((s, i) => Fr.add(s, b[i]));
    },
    async bind(x) {
      for (const [i, part] of linear.entries()) {
        linear[i] = await held.make(() => device.fold(part.value, variables, x));
        part.release();
      }
      products = device.fold(products, variables, x);
      variables--;
    },
    async products() {
      const first = async (v: FrVector): Promise<bigint> => (await device.readFr(v))[0];
      return {
        a: await Promise.all(products.slice(1, 1 + triples).map(first)),
        b: await Promise.all(products.slice(1 + triples, 1 + 2 * triples).map(first)),
      };
    },
  };
}

function columnVector(device: Device, o: MergedOpening): FrVector {
  if (o.columns.some((d) => d.limit !== undefined)) return device.frVector(columnTable(o.columns));
  return device.eq(o.columns.flatMap((d) => d.point));
}

/** t0 t1 + t2 t3 + ... */
function pairs(count: number): Expression {
  let e: Expression = times(table(0), table(1));
  for (let k = 1; k < count; k++) e = add(e, times(table(2 * k), table(2 * k + 1)));
  return e;
}

/** weight * sum over t of lambda^t (A_t B_t - C_t), the tables in the order weight, A, B, C, the constants from lambda^1 on */
function tripleSum(count: number): Expression {
  const one = (t: number): Expression => sub(times(table(1 + t), table(1 + count + t)), table(1 + 2 * count + t));
  let e = one(0);
  for (let t = 1; t < count; t++) e = add(e, times(constant(t - 1), one(t)));
  return times(table(0), e);
}
