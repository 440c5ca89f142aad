/**
 * The simulator of the zero-knowledge proof: a transcript that a verifier accepts, made without any witness by whoever may
 * choose the challenges. That it exists is why a proof says nothing beyond its statement; that it fails under challenges
 * it did not choose is soundness.
 */
import type { Device, PointVector } from '../../runtime/device/device.ts';
import { absorbRows, encodeBody, type Argument } from '../../runtime/protocol/argument.ts';
import { openingArgument } from '../../runtime/protocol/commitment/opening-argument.ts';
import { ProtocolContext, type Channel } from '../../runtime/protocol/context.ts';
import * as Fr from '../../runtime/protocol/scalar.ts';
import {
  absorbAnnouncement,
  foldChallenge,
  lastTriple,
  linearForm,
  type ProofPoints,
} from '../../runtime/protocol/commitment/sigma.ts';
import { Transcript } from '../../runtime/protocol/transcript.ts';
import { Draw } from './draw.ts';

/** A transcript whose challenges are chosen beforehand, whatever is absorbed: a programmed random oracle. */
export class ChosenTranscript extends Transcript {
  readonly #draw: Draw;

  constructor(seed: number) {
    super();
    this.#draw = new Draw('challenges', seed);
  }

  override challenge(_label: string): bigint {
    return this.#draw.scalar();
  }
}

/**
 * The bytes of a proof by `protocol` that is accepted under `ChosenTranscript(seed)`, true or not. Every message and every
 * response is drawn at random; the masks of the last step are what the verifier's equations say they have to be.
 */
export async function simulate(
  device: Device,
  argument: Argument,
  registered: readonly PointVector[],
  protocol: (ctx: ProtocolContext) => Promise<void>,
  seed: number,
): Promise<Uint8Array> {
  const draw = new Draw('simulator', seed);
  const scalars = (count: number): bigint[] => Array.from({ length: count }, () => draw.scalar());
  const { opening: plan, pads } = argument;
  return device.scope(async () => {
    await device.prepareGenerators(argument.columns + 1);
    const random = (count: number): Promise<Uint8Array[]> =>
      device.commit(
        scalars(count).map((v) => ({ vector: device.frVector([v]), offset: 0, length: 1, blinding: draw.scalar() })),
      );
    const witness: Uint8Array[][] = [];
    for (const m of argument.matrices.slice(argument.registered)) witness.push(await random(m.rows));
    const none = new Uint8Array(0);
    const points: ProofPoints = {
      witness,
      P: await random(plan.plainRows),
      A: await random(plan.tripleRows),
      B: await random(plan.tripleRows),
      C: await random(plan.tripleRows),
      Q: (await random(1))[0],
      D: none,
      DQ: none,
      folds: [],
    };
    const messages = scalars(pads.labels.length);
    const last = scalars(plan.lastPads - plan.tripleRows);
    const [z, zQ] = [scalars(argument.columns), scalars(plan.lastPads)];
    const [zRho, zRhoQ, zT] = scalars(3);

    const transcript = new ChosenTranscript(seed);
    absorbRows(transcript, points);
    const reading = (from: readonly bigint[]): Channel => {
      let at = 0;
      return { masked: () => from[at++], clear: () => from[at++] };
    };
    const ctx = new ProtocolContext(transcript, reading(messages));
    await protocol(ctx);
    const claim = await openingArgument(ctx, argument.matrices, plan, { channel: reading(last) });
    const { kappa, constant } = linearForm(claim, plan);
    const chi = plan.tripleRows > 0 ? transcript.challenge('sigma chi') : 0n;
    const e = transcript.challenge('sigma e');

    const delta = Fr.sub(Fr.add(dot(z, Fr.eqTable(claim.point)), dot(kappa, zQ)), Fr.mul(e, constant));
    const minusE = (weights: readonly bigint[]) => device.frVector(weights.map((c) => Fr.neg(Fr.mul(e, c))));
    const committed = async (values: readonly bigint[], blinding: bigint) => ({
      points: await device.generators(values.length),
      scalars: device.frVector([...values, blinding]),
    });
    const own = await decode(device, [...witness.flat(), ...points.P, ...points.A, ...points.B, ...points.C]);
    const weights = [
      ...claim.matrices.slice(argument.registered).flat(),
      ...(['P', 'A', 'B', 'C'] as const).flatMap((k) => claim.pads[k]),
    ];
    points.D = await device.msm([
      await committed(z, zRho),
      ...registered.map((p, m) => ({ points: p, scalars: minusE(claim.matrices[m]) })),
      { points: own, scalars: minusE(weights) },
    ]);
    points.DQ = await device.msm([
      await committed(zQ, zRhoQ),
      { points: await decode(device, [points.Q]), scalars: minusE([1n]) },
    ]);
    if (plan.tripleRows > 0) {
      [points.T1] = await random(1);
      let products = 0n;
      for (let t = plan.tripleRows - 1; t >= 0; t--) {
        const { a, b, ab } = lastTriple(plan, t);
        products = Fr.reduce(chi * products + zQ[a] * zQ[b] - e * zQ[ab]);
      }
      points.T0 = await device.msm([
        await committed([products], zT),
        { points: await decode(device, [points.T1]), scalars: minusE([1n]) },
      ]);
    }
    absorbAnnouncement(transcript, points, delta);
    const response =
      argument.folds > 0 ? await halve(device, transcript, Fr.eqTable(claim.point), z, points, argument.folds) : z;
    const answers = { messages, last, delta, z: response, zRho, zQ, zRhoQ, ...(plan.tripleRows > 0 ? { zT } : {}) };
    return encodeBody(argument, { points, scalars: answers });
  });
}

/** The halvings of the response, which are a public function of it: z' = z_lo + x z_hi against G' = x G_lo + G_hi. */
async function halve(
  device: Device,
  transcript: Transcript,
  form: bigint[],
  z: bigint[],
  points: ProofPoints,
  folds: number,
): Promise<bigint[]> {
  const columns = z.length;
  const weight = transcript.challenge('fold weight');
  let scales = [1n];
  for (let i = 0; i < folds; i++) {
    const half = z.length / 2;
    const [lo, hi, formLo, formHi] = [z.slice(0, half), z.slice(half), form.slice(0, half), form.slice(half)];
    const crossed = (values: readonly bigint[], shift: number, linear: bigint) => {
      const row = Array.from({ length: columns + 1 }, () => 0n);
      for (const [k, s] of scales.entries())
        for (const [j, v] of values.entries()) row[2 * half * k + shift + j] = Fr.mul(s, v);
      row[columns] = Fr.mul(weight, linear);
      return { vector: device.frVector(row), offset: 0, length: columns + 1, blinding: 0n };
    };
    const [left, right] = await device.commit([crossed(lo, half, dot(lo, formHi)), crossed(hi, 0, dot(hi, formLo))]);
    points.folds.push({ left, right });
    const x = foldChallenge(transcript, left, right);
    z = lo.map((v, j) => Fr.add(v, Fr.mul(x, hi[j])));
    form = formLo.map((v, j) => Fr.add(Fr.mul(x, v), formHi[j]));
    scales = scales.flatMap((s) => [Fr.mul(s, x), s]);
  }
  return z;
}

const dot = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  a.reduce((s, v, i) => Fr.add(s, Fr.mul(v, b[i])), 0n);

async function decode(device: Device, encoded: readonly Uint8Array[]): Promise<PointVector> {
  const bytes = new Uint8Array(48 * encoded.length);
  for (const [i, p] of encoded.entries()) bytes.set(p, 48 * i);
  const decoded = await device.decodePoints(bytes);
  if ('bad' in decoded) throw new Error(`point ${decoded.bad} is no point`);
  return decoded;
}
