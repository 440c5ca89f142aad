/**
 * Sumcheck: that a polynomial adds up to a claim over the hypercube, turned into a claim about its value at a random point (Lund,
 * Fortnow, Karloff, Nisan; Thaler, "Proofs, Arguments and Zero-Knowledge", section 4.1).
 *
 * # Soundness
 * The sum of the rounds' degrees over r, one more for each round that is weighted.
 *
 * # Files
 * Here: the rounds, as both roles run them. `claim-reduction.ts`: level by level, claims about tensors become claims about the factors of their
 * equations; `stacks.ts`: summands that are alike, as one; `final-evaluations.ts`: the factors at the point.
 * Prover, in `prover/sumcheck/`: `claim-reduction.ts` computes the rounds of a level, `member.ts` those of a summand, `round-polynomial.ts` what follows from a round's values, `factor-tables.ts` what
 * rounds run over. The verifier has nothing of its own
 * here but evaluations of public tensors (`statement/publics.ts`). Two more sumchecks are a layer of `lookup/fraction-tree.ts` and the columns of
 * `commitment/opening-argument.ts`.
 *
 * # Messages
 * Of a round whose polynomial g has degree d: g at the first d of the points 0, infinity (the leading
 * coefficient), -1, 2, -2, 3, ...; g(1) is never sent. It is derived from the claim, so that a round leaves no check:
 *   plain     g(0) + g(1) = claim
 *   weighted  (1 - tau) t(0) + tau t(1) = claim, where g = eq(tau, X) t(X) and t is what is sent (Gruen, ePrint 2024/108)
 * Every value is an affine form in the pads, so the next claim g(x) is one, too.
 */
import { combine, type Form } from '../form.ts';
import { add, half, inv, inverseOfEach, mul, neg, reduce, sub } from '../scalar.ts';

export type RoundPoint = number | 'inf';

/** The points at which a round polynomial of degree d is sent: d of them. */
export function roundPoints(degree: number): RoundPoint[] {
  const points: RoundPoint[] = [];
  for (let i = 0; i < degree; i++) points.push(i === 0 ? 0 : i === 1 ? 'inf' : finite(i - 2));
  return points;
}

/** -1, 2, -2, 3, -3, ... */
const finite = (i: number): number => (i === 0 ? -1 : i % 2 === 1 ? (i + 3) / 2 : -(i + 2) / 2);

/** What a sumcheck needs of a `ProtocolContext`. */
export interface RoundContext {
  send(label: string, v: bigint | undefined): Form;
  challenge(label: string, degree: number): bigint;
}

/** What the prover computes. `round` returns the values at `points`; `bind` fixes the round's variable. */
export interface RoundProver {
  round(points: readonly RoundPoint[]): Promise<bigint[]>;
  bind(x: bigint): Promise<void>;
}

/** Thrown by the verifier's role for transcripts that honest challenges produce with negligible probability. */
export class ProtocolRejection extends Error {}

/**
 * Runs one round per entry of `degrees`. `weights`: the taus of a weighted sumcheck, one per round.
 * Returns the challenges and the claim about the summand at that point.
 */
export async function sumcheck(
  ctx: RoundContext,
  label: string,
  claim: Form,
  degrees: readonly number[],
  prover?: RoundProver,
  weights?: readonly bigint[],
): Promise<{ point: bigint[]; claim: Form }> {
  const point: bigint[] = [];
  const steps: ReturnType<typeof nextClaim>[] = [];
  // A weight of 0 is refused where it is used, in a round that sends something.
  const inverses = weights && inverseOfEach(weights.map((w) => w || 1n));
  for (let i = 0; i < degrees.length; i++) {
    const points = roundPoints(degrees[i]);
    const values = await prover?.round(points);
    const sent = points.map((_, k) => ctx.send(`${label} round ${i}`, values?.[k]));
    const x = ctx.challenge(`${label} round ${i}`, degrees[i] + (weights ? 1 : 0));
    steps.push(nextClaim(sent, x, weights && inverses && { tau: weights[i], inverse: inverses[i] }));
    point.push(x);
    await prover?.bind(x);
  }
  // All at once, from the last round back: what is sent in a round is multiplied in those after it.
  let after = 1n;
  const parts: Part[] = [];
  for (const { scale, own } of steps.reverse()) {
    for (const [c, form] of own) parts.push([mul(after, c), form]);
    after = mul(after, scale);
  }
  return { point, claim: combine([[after, claim], ...parts]) };
}

type Part = readonly [scale: bigint, form: Form];

/** g(x) (plain) or t(x) (weighted) from the claim, times `scale`, and the values sent. */
function nextClaim(
  sent: readonly Form[],
  x: bigint,
  weight: { readonly tau: bigint; readonly inverse: bigint } | undefined,
): { readonly scale: bigint; readonly own: readonly Part[] } {
  // Degree 0 sends nothing: g is constant, g(0) = g(1) = claim / 2; weighted: t = claim.
  if (sent.length === 0) return { scale: weight ? 1n : half, own: [] };
  if (weight?.tau === 0n) throw new ProtocolRejection('a sumcheck weight is 0');
  const { at, leading } = interpolation(sent.length, x);
  // The value at 1 is the claim's share in it and the one of g(0).
  const [share, ofZero] = weight ? [weight.inverse, mul(sub(weight.tau, 1n), weight.inverse)] : [1n, neg(1n)];
  const own: Part[] = [[add(at[0], mul(at[1], ofZero)), sent[0]]];
  if (sent.length > 1) own.push([leading, sent[1]]);
  for (const [k, form] of sent.slice(2).entries()) own.push([at[k + 2], form]);
  return { scale: mul(at[1], share), own };
}

const cache = new Map<number, { nodes: bigint[]; inverse: bigint[] }>();

/**
 * Weights w with g(x) = at[0] g(0) + at[1] g(1) + leading * g(inf) + at[2] g(-1) + at[3] g(2) + ... for deg g <= degree.
 * With V(x) = prod (x - node), g - g(inf) V has degree below the number of nodes and the same values at them.
 */
export function interpolation(degree: number, x: bigint): { at: bigint[]; leading: bigint } {
  let entry = cache.get(degree);
  if (!entry) {
    const nodes = [0n, 1n, ...Array.from({ length: Math.max(0, degree - 2) }, (_, i) => reduce(BigInt(finite(i))))];
    const inverse = nodes.map((a) => inv(nodes.reduce((p, b) => (a === b ? p : mul(p, sub(a, b))), 1n)));
    entry = { nodes, inverse };
    cache.set(degree, entry);
  }
  const { nodes, inverse } = entry;
  const at = nodes.map((a, i) => nodes.reduce((p, b) => (a === b ? p : mul(p, sub(x, b))), inverse[i]));
  return { at, leading: nodes.reduce((p, b) => mul(p, sub(x, b)), 1n) };
}
