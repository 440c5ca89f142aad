/**
 * A complete argument: a protocol over some matrices, closed and non-interactive. Program proofs and the range
 * proof of a commitment are the two there are.
 *
 * Order of the transcript: the statement, the points of the witness rows, those of the pad rows P, A, B, C and Q, and
 * only then the first challenge.
 */
import { ProtocolContext, type Meter, type PadPlan } from './context.ts';
import { planOpening, type OpeningPlan } from './commitment/opening-argument.ts';
import type { MatrixShape } from './commitment/hyrax.ts';
import type { ProofBody, ProofPoints, ProofScalars } from './commitment/sigma.ts';
import { bytesScalar, scalarBytes, Transcript } from './transcript.ts';
import { r } from './scalar.ts';

export interface Argument {
  /** Registered commitments first, then the matrices whose rows travel in the proof. */
  readonly matrices: readonly MatrixShape[];
  readonly registered: number;
  readonly columns: number;
  readonly folds: number;
  readonly pads: PadPlan;
  readonly opening: OpeningPlan;
}

const nothing = (): void => undefined;
const uncounted: Meter = { message: nothing, pads: nothing, summands: nothing, open: nothing };

/** Runs the protocol, the same function that both roles run, once without values to count its messages. */
export async function planArgument(
  shape: Pick<Argument, 'matrices' | 'registered' | 'columns' | 'folds'>,
  protocol: (ctx: ProtocolContext) => Promise<void>,
  meter?: Meter,
): Promise<Argument> {
  // Without a meter the weights of all openings would be made, which nothing asks for.
  const ctx = new ProtocolContext(new Transcript(), { masked: () => 0n, clear: () => 0n }, meter ?? uncounted);
  await protocol(ctx);
  const pads = ctx.plan();
  // The row Q is one row: with very many products its columns have to be more than the program's.
  let { columns } = shape;
  while (planOpening(pads, columns, shape.folds).lastPads > columns) columns *= 2;
  return { ...shape, columns, pads, opening: planOpening(pads, columns, shape.folds) };
}

/** Lengths of the pad rows of a kind that uses `count` pads. */
export const padRowLengths = (count: number, columns: number): number[] =>
  Array.from({ length: Math.ceil(count / columns) }, (_, i) => Math.min(columns, count - i * columns));

export function absorbRows(transcript: Transcript, points: ProofPoints): void {
  for (const [m, rows] of points.witness.entries()) for (const p of rows) transcript.absorb(`witness ${m}`, p);
  for (const kind of ['P', 'A', 'B', 'C'] as const) for (const p of points[kind]) transcript.absorb(`pads ${kind}`, p);
  transcript.absorb('pads Q', points.Q);
}

/** Of a point, compressed. A proof's body begins with those of its matrices' rows, one matrix after the other. */
export const POINT_BYTES = 48;
const SCALAR_SIZE = 32;

interface Counts {
  readonly witness: number[];
  readonly plain: number;
  readonly triple: number;
  readonly messages: number;
  readonly last: number;
  readonly lastPads: number;
  readonly folds: number;
  readonly response: number;
}

function counts(a: Argument): Counts {
  return {
    witness: a.matrices.slice(a.registered).map((m) => m.rows),
    plain: a.opening.plainRows,
    triple: a.opening.tripleRows,
    messages: a.pads.labels.length,
    last: a.opening.lastPads - a.opening.tripleRows,
    lastPads: a.opening.lastPads,
    folds: a.folds,
    response: a.columns / 2 ** a.folds,
  };
}

/** Points of a proof: a function of the program alone. */
export function pointCount(a: Argument): number {
  const c = counts(a);
  return c.witness.reduce((s, n) => s + n, 0) + c.plain + 3 * c.triple + 3 + (c.triple > 0 ? 2 : 0) + 2 * c.folds;
}

/** Bytes of a proof, likewise. */
export function bodySize(a: Argument): number {
  const c = counts(a);
  const scalars = c.messages + c.last + 1 + c.response + 1 + c.lastPads + 1 + (c.triple > 0 ? 1 : 0);
  return POINT_BYTES * pointCount(a) + SCALAR_SIZE * scalars;
}

/** All points of a proof, in the order in which they travel. */
export const pointList = (p: ProofPoints): Uint8Array[] => [
  ...p.witness.flat(),
  ...p.P,
  ...p.A,
  ...p.B,
  ...p.C,
  p.Q,
  p.D,
  p.DQ,
  ...(p.T0 && p.T1 ? [p.T0, p.T1] : []),
  ...p.folds.flatMap((f) => [f.left, f.right]),
];

/** All scalars of a proof, likewise. */
export const scalarList = (s: ProofScalars): bigint[] => [
  ...s.messages,
  ...s.last,
  s.delta,
  ...s.z,
  s.zRho,
  ...s.zQ,
  s.zRhoQ,
  ...(s.zT === undefined ? [] : [s.zT]),
];

export function encodeBody(a: Argument, { points, scalars }: ProofBody): Uint8Array {
  const out = new Uint8Array(bodySize(a));
  let at = 0;
  for (const bytes of [...pointList(points), ...scalarList(scalars).map(scalarBytes)]) {
    out.set(bytes, at);
    at += bytes.length;
  }
  if (at !== out.length) throw new Error(`internal error: the proof has ${at} bytes, its program says ${out.length}`);
  return out;
}

/** Reads a proof's points (still encoded) and scalars; a reason if the bytes cannot be a proof of this argument. */
export function decodeBody(a: Argument, bytes: Uint8Array): ProofBody | string {
  if (bytes.length !== bodySize(a)) return `the proof has ${bytes.length} bytes, this program's have ${bodySize(a)}`;
  const c = counts(a);
  let at = 0;
  const point = (): Uint8Array => bytes.subarray(at, (at += POINT_BYTES));
  const pointsOf = (n: number): Uint8Array[] => Array.from({ length: n }, point);
  let canonical = true;
  const scalar = (): bigint => {
    const v = bytesScalar(bytes.subarray(at, (at += SCALAR_SIZE)));
    canonical &&= v < r;
    return v;
  };
  const scalarsOf = (n: number): bigint[] => Array.from({ length: n }, scalar);
  const products = c.triple > 0;
  const points: ProofPoints = {
    witness: c.witness.map(pointsOf),
    P: pointsOf(c.plain),
    A: pointsOf(c.triple),
    B: pointsOf(c.triple),
    C: pointsOf(c.triple),
    Q: point(),
    D: point(),
    DQ: point(),
    ...(products ? { T0: point(), T1: point() } : {}),
    folds: Array.from({ length: c.folds }, () => ({ left: point(), right: point() })),
  };
  const scalars = {
    messages: scalarsOf(c.messages),
    last: scalarsOf(c.last),
    delta: scalar(),
    z: scalarsOf(c.response),
    zRho: scalar(),
    zQ: scalarsOf(c.lastPads),
    zRhoQ: scalar(),
    ...(products ? { zT: scalar() } : {}),
  };
  return canonical ? { points, scalars } : 'a scalar of the proof is not below the field order';
}
