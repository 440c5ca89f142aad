/**
 * The opening argument: settles all relations that a protocol left, in zero knowledge.
 *
 * # Statement
 * Every relation "constant + sum of coefficients * pads + sum of openings = 0" holds for the committed rows, where the
 * pads are the entries of committed rows P, A, B, C, and C = A o B entry by entry.
 *
 * # Protocol
 * 1. theta combines the relations into one. Openings are rows x columns, so each is a public combination of rows times a
 *    public column vector: their sum is one inner product over the columns (the row merge of Hyrax costs no sumcheck).
 * 2. A sumcheck over the log C column variables of
 *      sum_j [ sum_k w_k(j) R_k(j) + sum_rows pads(j) alpha(j) + eq(tau, j) sum_t lambda^t (A_t B_t - C_t)(j) ] = - constant
 *    whose messages are masked with the pads of one more row, Q.
 * 3. At the point c the values a, b of A and B are sent, masked. What is left is one public combination w of rows with
 *    <w, eq(c, .)> = a form in Q, and Q_ab = Q_a Q_b for the product a b.
 * 4. One Sigma protocol for both (`sigma.ts`).
 *
 * # Soundness
 * (relations - 1) / r for theta, log C / r for tau, 3 log C / r for the sumcheck, 2 / r for phi.
 *
 * # Zero knowledge
 * All messages are masked by pads that are used once; `sigma.ts` does the rest. See docs/protocol.md.
 */
import type { PadPlan, ProtocolContext, Channel } from '../context.ts';
import { combine, constantForm, pad, padIndex, padKind, type Form, type PadKind } from '../form.ts';
import { add, eqEval, eqTable, mul, neg, powers, largest } from '../scalar.ts';
import { sumcheck, type RoundProver } from '../sumcheck/sumcheck.ts';
import { columnsAt, type ColumnDigit, type MatrixShape } from './hyrax.ts';

/** The proof's own rows, from the plan. */
export interface OpeningPlan {
  readonly columns: number;
  readonly folds: number;
  readonly plainRows: number;
  readonly tripleRows: number;
  /** Entries of the row Q: round messages, then a and b of each triple row, then their products. */
  readonly lastPads: number;
  readonly roundDegree: number;
}

export function planOpening(pads: PadPlan, columns: number, folds: number): OpeningPlan {
  const plainRows = Math.ceil(pads.plain / columns);
  const tripleRows = Math.ceil(pads.triples / columns);
  const roundDegree = tripleRows > 0 ? 3 : 2;
  return {
    columns,
    folds,
    plainRows,
    tripleRows,
    roundDegree,
    lastPads: roundDegree * Math.log2(columns) + 3 * tripleRows,
  };
}

/** All openings of one matrix at one column weight: the sum of `scale` times the rows from `firstRow` on, weighted. */
export interface MergedOpening {
  readonly matrix: number;
  readonly columns: readonly ColumnDigit[];
  readonly parts: readonly RowPart[];
}

interface RowPart {
  readonly firstRow: number;
  readonly rowWeights: readonly bigint[];
  /** The opening's scale times the challenge power of its relation. */
  readonly scale: bigint;
}

/** The rows that have a weight in a merged opening, in order, each once. */
export function weightedRows({ parts }: MergedOpening): { rows: Int32Array; weights: bigint[] } {
  const sums = new Map<number, bigint>();
  for (const { firstRow, rowWeights, scale } of parts)
    for (let i = 0; i < rowWeights.length; i++) {
      if (rowWeights[i] === 0n) continue;
      const w = mul(scale, rowWeights[i]);
      const before = sums.get(firstRow + i);
      sums.set(firstRow + i, before === undefined ? w : add(before, w));
    }
  const rows = Int32Array.from(sums.keys()).sort();
  return { rows, weights: Array.from(rows, (row) => sums.get(row)!) };
}

/** Weights of the pads, by row: alpha[kind][row][column]. */
export type PadWeights = Readonly<Record<'P' | 'A' | 'B' | 'C', bigint[][]>>;

export interface ColumnSumcheck {
  readonly openings: readonly MergedOpening[];
  readonly alpha: PadWeights;
  readonly lambda: bigint;
  readonly tau: readonly bigint[];
}

export interface OpeningRole {
  readonly channel: Channel;
  prover?(statement: ColumnSumcheck): Promise<RoundProver & { products(): Promise<{ a: bigint[]; b: bigint[] }> }>;
}

/** What the Sigma protocol proves: <w, eq(c, .)> = value, a form in the pads Q, for w the combination of rows given here. */
export interface OpeningClaim {
  /** Of each merged opening's row combination. `matrices` says the same row by row. */
  readonly openings: readonly bigint[];
  /** coefficients[m][i]: of row i of matrix m. */
  readonly matrices: readonly bigint[][];
  readonly pads: Readonly<Record<'P' | 'A' | 'B' | 'C', bigint[]>>;
  readonly point: readonly bigint[];
  readonly value: Form;
}

export async function openingArgument(
  ctx: ProtocolContext,
  matrices: readonly MatrixShape[],
  plan: OpeningPlan,
  role: OpeningRole,
): Promise<OpeningClaim> {
  const { columns, tripleRows } = plan;
  const variables = Math.log2(columns);
  const theta = powers(ctx.challenge('closing theta', ctx.relations.length - 1), ctx.relations.length);
  const openings = mergeOpenings(ctx, theta);
  const total = combine(ctx.relations.map((v, k) => [theta[k], v.form] as const));
  const alpha = padWeights(total, plan);
  const lambda = tripleRows > 0 ? ctx.challenge('closing lambda', tripleRows) : 0n;
  const tau = tripleRows > 0 ? ctx.point('closing tau', variables) : [];

  let last = 0;
  const send = (label: string, v: bigint | undefined): Form => {
    const p = pad('Q', last++);
    const sent = role.channel.masked(label, p, v);
    ctx.transcript.absorbScalar(label, sent);
    return { constant: sent, pads: new Map([[p, neg(1n)]]) };
  };
  const roundContext = { send, challenge: (label: string, degree: number) => ctx.challenge(label, degree) };
  const prover = await role.prover?.({ openings, alpha, lambda, tau });
  const degrees = Array.from({ length: variables }, () => plan.roundDegree);
  const { point, claim } = await sumcheck(roundContext, 'columns', constantForm(neg(total.constant)), degrees, prover);

  const values = await prover?.products();
  const a = Array.from({ length: tripleRows }, (_, t) => send(`pad factor a ${t}`, values?.a[t]));
  const b = Array.from({ length: tripleRows }, (_, t) => send(`pad factor b ${t}`, values?.b[t]));
  const phi = powers(tripleRows > 0 ? ctx.challenge('closing phi', 2 * tripleRows) : 0n, 2 * tripleRows + 1);
  // Every row of triples has a power of lambda to itself: with one weight for all, errors of two rows could cancel.
  const eq = eqEval(tau, point.slice(0, tau.length));
  const weights = powers(lambda, tripleRows + 1)
    .slice(1)
    .map((l) => mul(l, eq));

  const parts: [bigint, Form][] = [[1n, claim]];
  for (let t = 0; t < tripleRows; t++) {
    parts.push([phi[2 * t + 1], a[t]], [phi[2 * t + 2], b[t]]);
    parts.push([neg(weights[t]), lastProduct(a[t], b[t], last + t)]);
  }
  return {
    ...rowCoefficients(matrices, openings, alpha, point, phi, weights),
    point,
    value: combine(parts),
  };
}

/** (a' - Qa)(b' - Qb) with Qa Qb committed as pad number `product` of the row Q. */
function lastProduct(a: Form, b: Form, product: number): Form {
  const of = (f: Form): Form => ({ constant: 0n, pads: new Map([...f.pads.keys()].map((p) => [p, 1n])) });
  return combine([
    [1n, constantForm(mul(a.constant, b.constant))],
    [neg(a.constant), of(b)],
    [neg(b.constant), of(a)],
    [1n, { constant: 0n, pads: new Map([[pad('Q', product), 1n]]) }],
  ]);
}

function mergeOpenings(ctx: ProtocolContext, theta: readonly bigint[]): MergedOpening[] {
  const merged = new Map<string, MergedOpening & { readonly parts: RowPart[] }>();
  // Coordinates repeat: a number for each is a shorter key than its digits.
  const numbers = new Map<bigint, number>();
  const numberOf = (x: bigint): number => {
    const number = numbers.get(x);
    if (number === undefined) numbers.set(x, numbers.size);
    return number ?? numbers.size - 1;
  };
  for (const [k, relation] of ctx.relations.entries())
    for (const { matrix, columns, firstRow, rowWeights, scale } of relation.openings) {
      const key = `${matrix}|${columns.map((d) => `${d.point.map(numberOf).join()}<${d.limit ?? ''}`).join(';')}`;
      let m = merged.get(key);
      if (!m) merged.set(key, (m = { matrix, columns, parts: [] }));
      m.parts.push({ firstRow, rowWeights, scale: mul(theta[k], scale) });
    }
  return [...merged.values()];
}

function padWeights(total: Form, plan: OpeningPlan): PadWeights {
  const rows = (count: number): bigint[][] => Array.from({ length: count }, () => []);
  const alpha = {
    P: rows(plan.plainRows),
    A: rows(plan.tripleRows),
    B: rows(plan.tripleRows),
    C: rows(plan.tripleRows),
  };
  for (const [p, c] of total.pads) {
    const kind = padKind(p) as Exclude<PadKind, 'Q'>;
    const i = padIndex(p);
    const row = alpha[kind][Math.floor(i / plan.columns)];
    while (row.length <= i % plan.columns) row.push(0n);
    row[i % plan.columns] = c;
  }
  return alpha;
}

function rowCoefficients(
  matrices: readonly MatrixShape[],
  openings: readonly MergedOpening[],
  alpha: PadWeights,
  point: readonly bigint[],
  phi: readonly bigint[],
  weights: readonly bigint[],
): Pick<OpeningClaim, 'openings' | 'matrices' | 'pads'> {
  const scales = openings.map((o) => columnsAt(o.columns, point));
  const out = matrices.map((m) => Array.from({ length: m.rows }, () => 0n));
  for (const [k, { matrix, parts }] of openings.entries()) {
    const rows = out[matrix];
    for (const { firstRow, rowWeights, scale } of parts) {
      const all = mul(scales[k], scale);
      for (let i = 0; i < rowWeights.length; i++)
        if (rowWeights[i] !== 0n) rows[firstRow + i] = add(rows[firstRow + i], mul(all, rowWeights[i]));
    }
  }
  const longest = largest(
    Object.values(alpha).flatMap((rows) => rows.map((row) => row.length)),
    1,
  );
  const e = eqTable(point, Math.min(longest, 2 ** point.length));
  const dot = (row: readonly bigint[]): bigint => row.reduce((s, c, j) => add(s, mul(c, e[j])), 0n);
  return {
    openings: scales,
    matrices: out,
    pads: {
      P: alpha.P.map(dot),
      A: alpha.A.map((row, t) => add(dot(row), phi[2 * t + 1])),
      B: alpha.B.map((row, t) => add(dot(row), phi[2 * t + 2])),
      C: alpha.C.map((row, t) => add(dot(row), neg(weights[t]))),
    },
  };
}
