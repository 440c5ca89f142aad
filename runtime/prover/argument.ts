/** The prover's role of any argument: masks and sends messages, closes all relations, answers the Sigma protocol. */
import type { Device, FrVector, IntVector } from '../device/device.ts';
import { add, constant, mul as times, sub, table, type Expression } from '../kernels/expression.ts';
import { absorbRows, padRowLengths, type Argument } from '../protocol/argument.ts';
import {
  closing,
  columnTable,
  weightedRows,
  type ClosingTarget,
  type ColumnSumcheck,
  type MergedOpening,
} from '../protocol/commitment/closing.ts';
import { ProtocolContext, type Wire } from '../protocol/context.ts';
import { padIndex, padKind, type Pad } from '../protocol/form.ts';
import * as Fr from '../protocol/scalar.ts';
import type { ProofBody, ProofPoints, ProofScalars } from '../protocol/commitment/sigma.ts';
import type { Point, RoundProver } from '../protocol/sumcheck/sumcheck.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { Randomness } from './randomness.ts';
import { respond } from './commitment/sigma.ts';

/** A committed matrix in the prover's hands: small integers (a dishonest one may have others), and one blinding per row. */
export interface ProverMatrix {
  readonly rows: number;
  readonly columns: number;
  /** The entries on the device: those of registered matrices are uploaded when the rows are combined, at a proof's end. */
  vector(): IntVector | FrVector;
  readonly blindings: readonly bigint[];
}

/** Where a test can make the prover lie. Each hook sees a step's honest result and returns what is used instead. */
export interface ProverHooks {
  /** A message before masking. */
  message?(label: string, index: number, value: bigint): bigint;
  /** All pads, before they are committed. */
  pads?(pads: ProverPads): void;
  /** How often each number below `size` occurs, instead of the device's count, which has no place for other numbers. */
  count?(values: Int32Array, size: number): Int32Array;
  /** The finished proof, before it is encoded. */
  body?(body: ProofBody): void;
}

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

/**
 * Proves an argument. `transcript` has absorbed the statement. `text` is the protocol, run with the prover's values.
 * Matrices beyond the registered ones are committed here.
 */
export async function proveArgument(
  device: Device,
  argument: Argument,
  transcript: Transcript,
  matrices: readonly ProverMatrix[],
  randomness: Randomness,
  text: (ctx: ProtocolContext) => Promise<void>,
  hooks: ProverHooks = {},
): Promise<ProofBody> {
  const pads = drawPads(argument, randomness);
  hooks.pads?.(pads);
  const rows = padRows(device, argument, pads, randomness);
  const state: ProverState = { device, argument, matrices, pads, rows, randomness };
  const points = await commitRows(state);
  absorbRows(transcript, points);

  const scalars: ProofScalars = { messages: [], last: [], delta: 0n, z: [], zRho: 0n, zQ: [], zRhoQ: 0n };
  const ctx = new ProtocolContext(transcript, wire(pads, scalars.messages, hooks));
  await text(ctx);
  let combined: readonly FrVector[] = [];
  const target = await closing(ctx, argument.matrices, argument.closing, {
    wire: wire(pads, scalars.last, hooks),
    async prover(statement) {
      combined = statement.openings.map((o) => {
        const { vector, columns } = matrices[o.matrix];
        const { rows, weights } = weightedRows(o);
        return device.combineRows(vector(), columns, rows, device.frVector(weights));
      });
      return columnProver(state, statement, combined);
    },
  });
  await respond(state, combined, transcript, target, points, scalars);
  const body = { points, scalars };
  hooks.body?.(body);
  return body;
}

function wire(pads: ProverPads, sent: bigint[], hooks: ProverHooks): Wire {
  return {
    masked(label, p, v) {
      if (v === undefined) throw new Error(`internal error: the prover has no value for "${label}"`);
      const used = hooks.message ? hooks.message(label, sent.length, v) : v;
      const m = Fr.add(Fr.reduce(used), pads[padKind(p)][padIndex(p)]);
      sent.push(m);
      return m;
    },
    clear(label, v) {
      if (v === undefined) throw new Error(`internal error: the prover has no value for "${label}"`);
      const used = Fr.reduce(hooks.message ? hooks.message(label, sent.length, v) : v);
      sent.push(used);
      return used;
    },
  };
}

function drawPads({ pads: plan, closing: c }: Argument, randomness: Randomness): ProverPads {
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

function padRows(device: Device, { columns }: Argument, pads: ProverPads, randomness: Randomness): ProverState['rows'] {
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
async function commitRows({ device, argument, matrices, rows }: ProverState): Promise<ProofPoints> {
  const witness = matrices.slice(argument.registered);
  const kinds = ['P', 'A', 'B', 'C', 'Q'] as const;
  const committed = await device.commit([
    ...witness.flatMap(({ columns, blindings, vector }) => {
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

async function columnProver(
  { device, argument, rows }: ProverState,
  { openings, alpha, lambda, tau }: ColumnSumcheck,
  combined: readonly FrVector[],
): Promise<RoundProver & { products(): Promise<{ a: bigint[]; b: bigint[] }> }> {
  let linear: FrVector[] = openings.flatMap((o, k) => [combined[k], columnVector(device, o)]);
  for (const kind of ['P', 'A', 'B', 'C'] as const)
    for (const [i, weights] of alpha[kind].entries())
      if (weights.length > 0) linear.push(rows[kind].vectors[i], device.frVector(weights));
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
    async round(points: readonly Point[]) {
      // The leading coefficient belongs to the highest degree; the linear part has it only if there are no triples.
      const own = triples > 0 ? points.filter((p) => p !== 'inf') : points;
      let a = own.map(() => 0n);
      for (let first = 0; first < linear.length; first += 2 * AT_ONCE) {
        const part = linear.slice(first, first + 2 * AT_ONCE);
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
      const folded = device.fold([...linear, ...products], variables, x);
      linear = folded.slice(0, linear.length);
      products = folded.slice(linear.length);
      variables--;
      return Promise.resolve();
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

/** The combination of rows that the Sigma protocol opens, its blinding included. `combined`: that of each opening. */
export function combinedRow(
  state: ProverState,
  combined: readonly FrVector[],
  target: ClosingTarget,
): { w: FrVector; rho: bigint } {
  const { device, matrices, rows, argument } = state;
  const parts = [...combined];
  const scales = [...target.openings];
  let rho = 0n;
  const blind = (scale: bigint, blinding: bigint): void => {
    if (blinding !== 0n) rho = Fr.add(rho, Fr.mul(scale, blinding));
  };
  for (const [m, weights] of target.matrices.entries())
    for (const [i, c] of weights.entries()) blind(c, matrices[m].blindings[i]);
  for (const kind of ['P', 'A', 'B', 'C'] as const)
    for (const [i, c] of target.pads[kind].entries()) {
      parts.push(rows[kind].vectors[i]);
      scales.push(c);
      blind(c, rows[kind].blindings[i]);
    }
  return { w: linearCombination(device, parts, scales, argument.columns), rho };
}

/** Vectors that one kernel takes: as many as there may be, it would be long, and a new one for each number of them. */
const AT_ONCE = 8;

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
