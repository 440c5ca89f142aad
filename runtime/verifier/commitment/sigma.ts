/** The verifier's side of `protocol/commitment/sigma.ts`. */
import type { Argument } from '../../protocol/argument.ts';
import type { OpeningClaim } from '../../protocol/commitment/opening-argument.ts';
import {
  absorbResponse,
  absorbAnnouncement,
  foldChallenge,
  lastTriple,
  linearForm,
  type ProofBody,
  type ProofPoints,
} from '../../protocol/commitment/sigma.ts';
import * as Fr from '../../protocol/scalar.ts';
import type { Transcript } from '../../protocol/transcript.ts';

/** What an argument asks of the group: that these multiples, all together, add up to the point at infinity. */
export interface GroupEquation {
  /** Of the rows of each registered matrix. */
  readonly registered: readonly (readonly bigint[])[];
  /** Of the proof's points, in the order in which they travel. */
  readonly own: readonly bigint[];
  /** Of the generators: as many as columns, the one after them, and H. */
  readonly generators: readonly bigint[];
}

/** Checks the scalar equation, and makes all group equations one, with random weights; a reason if the proof is refused already. */
export function sigmaEquation(
  argument: Argument,
  transcript: Transcript,
  claim: OpeningClaim,
  { points: encoded, scalars }: ProofBody,
): GroupEquation | string {
  const plan = argument.opening;
  const { kappa, constant } = linearForm(claim, plan);
  const chi = plan.tripleRows > 0 ? transcript.challenge('sigma chi') : 0n;
  absorbAnnouncement(transcript, encoded, scalars.delta);
  const e = transcript.challenge('sigma e');
  absorbResponse(transcript, scalars);

  const folding = foldForm(argument, transcript, claim, encoded);
  // <z, E> as it should be: from here on a claim about the committed response.
  const form = Fr.sub(Fr.add(scalars.delta, Fr.mul(e, constant)), dot(kappa, scalars.zQ));
  const ended = dot(folding.e, scalars.z);
  if (plan.folds === 0 && form !== ended) return 'the linear form of the response does not match';
  for (const v of scalars.z) transcript.absorbScalar('sigma z', v);
  const kQ = transcript.challenge('group batch');
  const kT = Fr.mul(kQ, kQ);

  let products = 0n;
  for (let t = plan.tripleRows - 1; t >= 0; t--) {
    const { a, b, ab } = lastTriple(plan, t);
    products = Fr.reduce(chi * products + scalars.zQ[a] * scalars.zQ[b] - e * scalars.zQ[ab]);
  }

  const eAll = Fr.mul(e, folding.product);
  const own = [
    ...claim.matrices.slice(argument.registered).flat(),
    ...(['P', 'A', 'B', 'C'] as const).flatMap((k) => claim.pads[k]),
  ].map((c) => Fr.mul(eAll, c));
  own.push(Fr.mul(kQ, e), folding.product, kQ);
  if (plan.tripleRows > 0) own.push(kT, Fr.mul(kT, e));
  own.push(...folding.scalars);

  const generators = generatorScalars(argument.columns, folding.blocks, scalars.z);
  for (const [i, v] of scalars.zQ.entries()) generators[i] = Fr.sub(generators[i], Fr.mul(kQ, v));
  if (plan.tripleRows > 0) generators[0] = Fr.sub(generators[0], Fr.mul(kT, products));
  // The generator after the columns carries the linear form through the halvings.
  generators.push(plan.folds > 0 ? Fr.mul(folding.weight, Fr.sub(Fr.mul(folding.product, form), ended)) : 0n);
  const blinding = Fr.add(
    Fr.mul(folding.product, scalars.zRho),
    Fr.add(Fr.mul(kQ, scalars.zRhoQ), Fr.mul(kT, scalars.zT ?? 0n)),
  );
  generators.push(Fr.neg(blinding));

  return {
    registered: claim.matrices.slice(0, argument.registered).map((rows) => rows.map((c) => Fr.mul(eAll, c))),
    own,
    generators,
  };
}

interface Folding {
  /** eq(c, .) after the folds. */
  readonly e: bigint[];
  /** What each block of generators is multiplied by. */
  readonly blocks: bigint[];
  /** Product of the fold challenges: what the claim before the folds is multiplied by. */
  readonly product: bigint;
  /** Scalars of the points of the folds, left and right of each. */
  readonly scalars: bigint[];
  readonly weight: bigint;
}

function foldForm({ folds }: Argument, transcript: Transcript, claim: OpeningClaim, encoded: ProofPoints): Folding {
  const e = Fr.eqTable(claim.point.slice(folds));
  if (folds === 0) return { e, blocks: [1n], product: 1n, scalars: [], weight: 0n };
  const weight = transcript.challenge('fold weight');
  // Halves of eq(c, .) differ by its first factor alone, 1 - c_j and c_j.
  let factor = 1n;
  let blocks = [1n];
  const xs: bigint[] = [];
  for (const [j, { left, right }] of encoded.folds.entries()) {
    const x = foldChallenge(transcript, left, right);
    factor = Fr.mul(factor, Fr.add(Fr.mul(x, Fr.sub(1n, claim.point[j])), claim.point[j]));
    blocks = blocks.flatMap((s) => [Fr.mul(s, x), s]);
    xs.push(x);
  }
  // P_(j+1) = L_j + x_j P_j + x_j^2 R_j
  const scalars: bigint[] = [];
  for (let j = 0; j < xs.length; j++) {
    const after = xs.slice(j + 1).reduce(Fr.mul, 1n);
    scalars.push(after, Fr.mul(after, Fr.mul(xs[j], xs[j])));
  }
  return { e: e.map((v) => Fr.mul(factor, v)), blocks, product: xs.reduce(Fr.mul, 1n), scalars, weight };
}

const generatorScalars = (columns: number, blocks: readonly bigint[], z: readonly bigint[]): bigint[] =>
  blocks.flatMap((s) => z.map((v) => Fr.neg(Fr.mul(s, v)))).slice(0, columns);

const dot = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  a.reduce((s, v, i) => Fr.add(s, Fr.mul(v, b[i])), 0n);
