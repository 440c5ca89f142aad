/**
 * Commitments: that published points commit to rows of integers, and that linear forms on those rows have the values that the other
 * protocols leave. Rows are Pedersen vector commitments, a claim is rows x columns (Hyrax, ePrint 2017/1132, section 6), and a Sigma
 * protocol opens one combination of rows, its response compressed (Attema and Cramer, ePrint 2020/152, sections 3 and 4).
 *
 * # Soundness
 * Binding under the discrete logarithm assumption in G1; to that comes the sum of the degrees of the conditions in the challenges over r, of which each
 * file has its own. `soundness.ts` adds them up.
 *
 * # Files
 * Here: what is opened, and the weights of columns. `layout.ts`, `matrix.ts`: where tensors lie in a matrix. `gathered.ts`: rows of a tensor that public indices
 * name. `range-proof.ts`: that registered rows are in their ranges. `opening-argument.ts`: all that is left, as one claim about one row. `sigma.ts`: that claim.
 * Prover, in `prover/commitment/`: `source.ts` with `source-matrix.ts` and `range-proof.ts` once for a source; for each proof `witness-matrix.ts`,
 * `rows.ts`, `opening-argument.ts`, `sigma.ts`. Verifier, in `verifier/commitment/`: `range-proof.ts`, `sigma.ts`.
 */
import { add, eqEval, eqTable, mul, sub } from '../scalar.ts';

/** A committed matrix the openings refer to: a registered commitment or rows that travel in the proof. */
export interface MatrixShape {
  readonly rows: number;
  /** A power of two, at most the proof's columns. */
  readonly columns: number;
}

/** The weights of columns: a tensor product of digits, first most significant; `limit` zeroes a digit's values from there on. */
export interface ColumnDigit {
  readonly point: readonly bigint[];
  readonly limit?: number;
}

/** scale * sum over i, j of rowWeights[i] * columnWeights[j] * M[firstRow + i, j], for matrix number `matrix`. */
export interface Opening {
  readonly matrix: number;
  readonly firstRow: number;
  readonly rowWeights: readonly bigint[];
  readonly columns: readonly ColumnDigit[];
  readonly scale: bigint;
}

/**
 * The multilinear extension, at a point of the proof's column variables, of column weights that may span fewer columns:
 * those stand in the first columns, so the leading variables select 0.
 */
export function columnsAt(columns: readonly ColumnDigit[], point: readonly bigint[]): bigint {
  const used = columns.reduce((n, d) => n + d.point.length, 0);
  let at = point.length - used;
  let value = point.slice(0, at).reduce((product, x) => mul(product, sub(1n, x)), 1n);
  for (const d of columns) {
    const own = point.slice(at, (at += d.point.length));
    value = mul(value, d.limit === undefined ? eqEval(d.point, own) : eqBelow(d.point, own, d.limit));
  }
  return value;
}

/** sum over x < limit of eq(a, x) eq(b, x) */
function eqBelow(a: readonly bigint[], b: readonly bigint[], limit: number): bigint {
  const [ea, eb] = [eqTable(a, limit), eqTable(b, limit)];
  return ea.reduce((s, v, i) => add(s, mul(v, eb[i])), 0n);
}

/** The column weights as a table: digit by digit, with zeros from each limit on. */
export function columnTable(columns: readonly ColumnDigit[]): bigint[] {
  let out = [1n];
  for (const d of columns) {
    const e = eqTable(d.point).map((v, i) => (d.limit !== undefined && i >= d.limit ? 0n : v));
    out = out.flatMap((a) => e.map((v) => mul(a, v)));
  }
  return out;
}
