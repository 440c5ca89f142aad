/**
 * The last step: a Sigma protocol for a linear form on a committed vector and for products of committed scalars, its
 * response compressed by halvings (Attema and Cramer, ePrint 2020/152, sections 3 and 4).
 *
 * # Statement
 * For W = Com(w; rho) (a public combination of committed rows) and C_Q = Com(Q; rho_Q):
 *   <w, E> + <kappa, Q> = constant,   Q_ab = Q_a Q_b for every triple row.
 *
 * # Protocol
 *   P: D = Com(d), D' = Com(d_Q), delta = <d, E> + <kappa, d_Q>,
 *      T0 = Com(sum chi^t d_a d_b), T1 = Com(sum chi^t (Q_a d_b + Q_b d_a - d_ab))
 *   V: e
 *   P: z = d + e w, z_Q = d_Q + e Q, and the blindings' responses; z travels after `folds` halvings
 *   V: <z, E> + <kappa, z_Q> = delta + e constant, and with random weights in one multi-scalar multiplication
 *      Com(z) = D + e W,   Com(z_Q) = D' + e C_Q,   Com(sum chi^t (z_a z_b - e z_ab)) = T0 + e T1
 * T1 has to be a commitment: in the clear it would be a function of the witness once z_ab is known.
 *
 * # Soundness and zero knowledge
 * Special sound: two e give w, Q and the linear relation, three the products; each halving is 3-special-sound. z and z_Q
 * are uniform, and D, D', delta, T0 follow from the equations for any T1: perfect honest-verifier zero knowledge.
 */
import type { OpeningPlan, OpeningClaim } from './opening-argument.ts';
import { padIndex } from '../form.ts';
import { neg } from '../scalar.ts';
import type { Transcript } from '../transcript.ts';

/** kappa and the constant, from the form the opening argument ends with. */
export function linearForm(t: OpeningClaim, plan: OpeningPlan): { kappa: bigint[]; constant: bigint } {
  const kappa = Array.from({ length: plan.lastPads }, () => 0n);
  for (const [p, c] of t.value.pads) kappa[padIndex(p)] = neg(c);
  return { kappa, constant: t.value.constant };
}

/** Positions in the row Q of the factors and the product of triple row t. */
export function lastTriple(plan: OpeningPlan, t: number): { a: number; b: number; ab: number } {
  const first = plan.lastPads - 3 * plan.tripleRows;
  return { a: first + t, b: first + plan.tripleRows + t, ab: first + 2 * plan.tripleRows + t };
}

/** Points of a proof, in order; each 48 bytes. */
export interface ProofPoints {
  /** Rows of each witness matrix. */
  witness: Uint8Array[][];
  P: Uint8Array[];
  A: Uint8Array[];
  B: Uint8Array[];
  C: Uint8Array[];
  Q: Uint8Array;
  D: Uint8Array;
  DQ: Uint8Array;
  T0?: Uint8Array;
  T1?: Uint8Array;
  folds: { left: Uint8Array; right: Uint8Array }[];
}

/** Scalars of a proof, in order; each 32 bytes, canonical. */
export interface ProofScalars {
  messages: bigint[];
  last: bigint[];
  delta: bigint;
  z: bigint[];
  zRho: bigint;
  zQ: bigint[];
  zRhoQ: bigint;
  zT?: bigint;
}

export interface ProofBody {
  readonly points: ProofPoints;
  readonly scalars: ProofScalars;
}

/** The messages before the challenge e, which everything after depends on. */
export function absorbAnnouncement(transcript: Transcript, points: ProofPoints, delta: bigint): void {
  transcript.absorb('sigma D', points.D);
  transcript.absorb('sigma DQ', points.DQ);
  if (points.T0 && points.T1) {
    transcript.absorb('sigma T0', points.T0);
    transcript.absorb('sigma T1', points.T1);
  }
  transcript.absorbScalar('sigma delta', delta);
}

/** The answers that are not folded. */
export function absorbResponse(transcript: Transcript, s: ProofScalars): void {
  transcript.absorbScalar('sigma zRho', s.zRho);
  for (const v of s.zQ) transcript.absorbScalar('sigma zQ', v);
  transcript.absorbScalar('sigma zRhoQ', s.zRhoQ);
  if (s.zT !== undefined) transcript.absorbScalar('sigma zT', s.zT);
}

export function foldChallenge(transcript: Transcript, left: Uint8Array, right: Uint8Array): bigint {
  transcript.absorb('fold left', left);
  transcript.absorb('fold right', right);
  return transcript.challenge('fold');
}
