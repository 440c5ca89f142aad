/** The rows that a prover commits to, those of matrices and of pads, and the combinations of them that are opened. */
import type { Device, FrVector, IntVector } from '../../device/device.ts';
import { add, constant, mul as times, table } from '../../kernels/expression.ts';
import { padRowLengths, type Argument } from '../../protocol/argument.ts';
import type { OpeningClaim } from '../../protocol/commitment/opening-argument.ts';
import type { ProofPoints } from '../../protocol/commitment/sigma.ts';
import { padIndex, padKind, type Pad } from '../../protocol/form.ts';
import * as Fr from '../../protocol/scalar.ts';
import type { Randomness } from '../randomness.ts';

/** A committed matrix in the prover's hands: small integers (a dishonest one may have others), and one blinding per row. */
export interface ProverMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly blindings: readonly bigint[];
  /** The entries on the device, of a matrix that the proof commits to: undefined for registered ones, which may be large. */
  readonly vector?: () => IntVector | FrVector;
  /** The combinations of its rows, each with as many entries as there are columns, in vectors of the current scope. */
  combine(combinations: readonly RowCombination[]): Promise<FrVector[]>;
}

/** Rows, each once, with their weights. */
export interface RowCombination {
  readonly rows: Int32Array;
  readonly weights: readonly bigint[];
}

/** A matrix that is on the device. */
export const matrixOn = (
  device: Device,
  shape: Pick<ProverMatrix, 'rows' | 'columns' | 'blindings'>,
  vector: () => IntVector | FrVector,
): ProverMatrix => ({
  ...shape,
  vector,
  combine: (combinations) =>
    Promise.resolve(
      combinations.map(({ rows, weights }) =>
        device.combineRows(vector(), shape.columns, rows, device.frVector(weights)),
      ),
    ),
});

/** The entries of the proof's own rows. Mutable for the hooks only. */
export interface ProverPads {
  readonly P: bigint[];
  readonly A: bigint[];
  readonly B: bigint[];
  readonly C: bigint[];
  readonly Q: bigint[];
}

/** Pad rows on the device, with their blindings. */
export interface PadRows {
  readonly vectors: readonly FrVector[];
  readonly blindings: readonly bigint[];
}

export interface ProverState {
  readonly device: Device;
  readonly argument: Argument;
  readonly matrices: readonly ProverMatrix[];
  readonly pads: ProverPads;
  readonly rows: Readonly<Record<'P' | 'A' | 'B' | 'C' | 'Q', PadRows>>;
  readonly randomness: Randomness;
}

export function drawPads({ pads: plan, opening: c }: Argument, randomness: Randomness): ProverPads {
  const P = randomness.scalars(plan.plain);
  const A = randomness.scalars(plan.triples);
  const B = randomness.scalars(plan.triples);
  const slot = (p: Pad): [bigint[], number] => [padKind(p) === 'A' ? A : B, padIndex(p)];
  for (const [to, from] of plan.copies) {
    const [target, i] = slot(to);
    const [source, j] = slot(from);
    target[i] = source[j];
  }
  const C = A.map((a, t) => Fr.mul(a, B[t]));
  const Q = randomness.scalars(c.lastPads - c.tripleRows);
  const factors = c.lastPads - 3 * c.tripleRows;
  for (let t = 0; t < c.tripleRows; t++) Q.push(Fr.mul(Q[factors + t], Q[factors + c.tripleRows + t]));
  return { P, A, B, C, Q };
}

export function padRows(
  device: Device,
  { columns }: Argument,
  pads: ProverPads,
  randomness: Randomness,
): ProverState['rows'] {
  const rowsOf = (values: readonly bigint[]): PadRows => {
    const lengths = padRowLengths(values.length, columns);
    return {
      vectors: lengths.map((n, i) => device.frVector(values.slice(i * columns, i * columns + n))),
      blindings: randomness.scalars(lengths.length),
    };
  };
  return { P: rowsOf(pads.P), A: rowsOf(pads.A), B: rowsOf(pads.B), C: rowsOf(pads.C), Q: rowsOf(pads.Q) };
}

/** One call for all rows, so that the device shares its work among them. */
export async function commitRows({ device, argument, matrices, rows }: ProverState): Promise<ProofPoints> {
  const witness = matrices.slice(argument.registered);
  const kinds = ['P', 'A', 'B', 'C', 'Q'] as const;
  const committed = await device.commit([
    ...witness.flatMap(({ columns, blindings, vector }) => {
      if (vector === undefined) throw new Error('internal error: a registered matrix is committed to again');
      const entries = vector();
      return blindings.map((blinding, i) => ({ vector: entries, offset: i * columns, length: columns, blinding }));
    }),
    ...kinds.flatMap((k) =>
      rows[k].vectors.map((vector, i) => ({
        vector,
        offset: 0,
        length: vector.length,
        blinding: rows[k].blindings[i],
      })),
    ),
  ]);
  let at = 0;
  const take = (n: number): Uint8Array[] => committed.slice(at, (at += n));
  const none = new Uint8Array(0);
  return {
    witness: witness.map((m) => take(m.rows)),
    P: take(rows.P.vectors.length),
    A: take(rows.A.vectors.length),
    B: take(rows.B.vectors.length),
    C: take(rows.C.vectors.length),
    Q: take(1)[0],
    D: none,
    DQ: none,
    folds: [],
  };
}

/** The combination of rows that the Sigma protocol opens, its blinding included. `combined`: that of each opening. */
export function combinedRow(
  state: ProverState,
  combined: readonly FrVector[],
  claim: OpeningClaim,
): { w: FrVector; rho: bigint } {
  const { device, matrices, rows, argument } = state;
  const parts = [...combined];
  const scales = [...claim.openings];
  let rho = 0n;
  const blind = (scale: bigint, blinding: bigint): void => {
    if (blinding !== 0n) rho = Fr.add(rho, Fr.mul(scale, blinding));
  };
  for (const [m, weights] of claim.matrices.entries())
    for (const [i, c] of weights.entries()) blind(c, matrices[m].blindings[i]);
  for (const kind of ['P', 'A', 'B', 'C'] as const)
    for (const [i, c] of claim.pads[kind].entries()) {
      parts.push(rows[kind].vectors[i]);
      scales.push(c);
      blind(c, rows[kind].blindings[i]);
    }
  return { w: linearCombination(device, parts, scales, argument.columns), rho };
}

/** Vectors that one kernel takes: as many as there may be, it would be long, and a new one for each number of them. */
export const AT_ONCE = 8;

/** sum of scales[i] * parts[i], shorter parts being zero beyond their length */
export function linearCombination(
  device: Device,
  parts: readonly FrVector[],
  scales: readonly bigint[],
  length: number,
): FrVector {
  let sum: FrVector | undefined;
  for (let first = 0; first < parts.length; first += AT_ONCE) {
    const own = parts.slice(first, first + AT_ONCE);
    const terms = own.map((_, i) => times(constant(i), table(i)));
    if (sum) terms.push(table(own.length));
    const tables = sum ? [...own, sum] : own;
    sum = device.map(device.prepare(terms.reduce(add)), tables, scales.slice(first, first + AT_ONCE), length);
  }
  return sum ?? device.frVector(Array.from({ length }, () => 0n));
}
