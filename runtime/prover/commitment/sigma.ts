/** The prover's side of `protocol/commitment/sigma.ts`. */
import type { Device, FrVector } from '../../device/device.ts';
import type { OpeningClaim } from '../../protocol/commitment/opening-argument.ts';
import * as Fr from '../../protocol/scalar.ts';
import {
  absorbResponse,
  absorbAnnouncement,
  foldChallenge,
  lastTriple,
  linearForm,
  type ProofPoints,
  type ProofScalars,
} from '../../protocol/commitment/sigma.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import { combinedRow, linearCombination, type ProverState } from './rows.ts';

/** Completes `points` and `scalars`. `combined`: the row combination of each merged opening. */
export async function respond(
  state: ProverState,
  combined: readonly FrVector[],
  transcript: Transcript,
  claim: OpeningClaim,
  points: ProofPoints,
  scalars: ProofScalars,
): Promise<void> {
  const { device, argument, pads, rows, randomness } = state;
  const plan = argument.opening;
  const { kappa } = linearForm(claim, plan);
  const { w, rho } = combinedRow(state, combined, claim);
  const e = device.eq(claim.point);

  const d = device.frVector(randomness.scalars(plan.columns));
  const dQ = randomness.scalars(plan.lastPads);
  const [rhoD, rhoDQ, s0, s1] = randomness.scalars(4);
  scalars.delta = Fr.add(await device.inner(d, e), dot(dQ, kappa));

  const chi = plan.tripleRows > 0 ? transcript.challenge('sigma chi') : 0n;
  let [t0, t1] = [0n, 0n];
  for (let t = plan.tripleRows - 1; t >= 0; t--) {
    const { a, b, ab } = lastTriple(plan, t);
    t0 = Fr.add(Fr.mul(chi, t0), Fr.mul(dQ[a], dQ[b]));
    t1 = Fr.add(Fr.mul(chi, t1), Fr.reduce(pads.Q[a] * dQ[b] + pads.Q[b] * dQ[a] - dQ[ab]));
  }
  const row = (vector: FrVector, blinding: bigint) => ({ vector, offset: 0, length: vector.length, blinding });
  const masks = [row(d, rhoD), row(device.frVector(dQ), rhoDQ)];
  if (plan.tripleRows > 0) masks.push(row(device.frVector([t0]), s0), row(device.frVector([t1]), s1));
  [points.D, points.DQ, points.T0, points.T1] = await device.commit(masks);
  absorbAnnouncement(transcript, points, scalars.delta);
  const c = transcript.challenge('sigma e');

  scalars.zRho = Fr.add(rhoD, Fr.mul(c, rho));
  scalars.zQ = dQ.map((x, i) => Fr.add(x, Fr.mul(c, pads.Q[i])));
  scalars.zRhoQ = Fr.add(rhoDQ, Fr.mul(c, rows.Q.blindings[0]));
  if (plan.tripleRows > 0) scalars.zT = Fr.add(s0, Fr.mul(c, s1));
  absorbResponse(transcript, scalars);
  const z = await device.readFr(linearCombination(device, [d, w], [1n, c], plan.columns));
  scalars.z = plan.folds > 0 ? await fold(device, transcript, claim, z, points, plan.folds) : z;
}

/** Halves the response `folds` times: z' = z_lo + x z_hi against G' = x G_lo + G_hi, the form folded with the generators. */
async function fold(
  device: Device,
  transcript: Transcript,
  claim: OpeningClaim,
  z: bigint[],
  points: ProofPoints,
  folds: number,
): Promise<bigint[]> {
  const columns = z.length;
  const weight = transcript.challenge('fold weight');
  let e = Fr.eqTable(claim.point);
  // scale[k]: what the folds so far multiply generator block k by.
  let scale = [1n];
  for (let i = 0; i < folds; i++) {
    const half = z.length / 2;
    const [lo, hi] = [z.slice(0, half), z.slice(half)];
    const crossed = (values: readonly bigint[], upper: boolean, form: bigint): FrVector => {
      const row = Array.from({ length: columns + 1 }, () => 0n);
      for (const [k, s] of scale.entries()) {
        const first = k * 2 * half + (upper ? half : 0);
        for (const [j, v] of values.entries()) row[first + j] = Fr.mul(s, v);
      }
      row[columns] = Fr.mul(weight, form);
      return device.frVector(row);
    };
    const rows = [crossed(lo, true, dot(lo, e.slice(half))), crossed(hi, false, dot(hi, e.slice(0, half)))];
    const [left, right] = await device.commit(
      rows.map((vector) => ({ vector, offset: 0, length: columns + 1, blinding: 0n })),
    );
    points.folds.push({ left, right });
    const x = foldChallenge(transcript, left, right);
    z = lo.map((v, j) => Fr.add(v, Fr.mul(x, hi[j])));
    e = e.slice(0, half).map((v, j) => Fr.add(Fr.mul(x, v), e[half + j]));
    scale = scale.flatMap((s) => [Fr.mul(s, x), s]);
  }
  return z;
}

const dot = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  a.reduce((s, v, i) => Fr.add(s, Fr.mul(v, b[i])), 0n);
