/**
 * The sum of fractions in a binary tree (Papini and Haböck, ePrint 2023/1284): what a lookup argument needs so that no
 * inverse is ever committed.
 *
 * # Statement
 * The fractions at the leaves add up to 0. Absent leaves are 0 / 1.
 *
 * # Protocol
 * The root's numerator is the constant 0; its denominator is a function of the witness and so a masked message. Each
 * layer is one sumcheck, from the root to the leaves, with p0 q1 + p1 q0 + lambda q0 q1 at its end: three products on four
 * messages, hence copies of q0 and q1 in a triple of their own. What remains is one claim about the leaves' numerators
 * and one about their denominators, at one point, for the caller to settle.
 *
 * # Soundness
 * Per layer 1 / r (lambda) + 3 depth / r + 1 / r (the child's bit).
 *
 * # Cost
 * About 9 field products a leaf and 8 messages a layer plus 2 per round.
 */
import type { ProtocolContext } from '../context.ts';
import { combine, constantForm, value, type Form } from '../form.ts';
import { neg, sub } from '../scalar.ts';
import { sumcheck, type RoundProver } from '../sumcheck/sumcheck.ts';

/** What the prover computes: the tree. */
export interface TreeProver {
  /** After alpha and beta: builds all layers and returns the root's denominator. */
  build(alpha: bigint, beta: bigint): Promise<bigint>;
  /** The sumcheck of layer j (2^j outputs, claims at `point`). */
  layer(j: number, point: readonly bigint[], lambda: bigint): Promise<RoundProver & { children(): Promise<bigint[]> }>;
}

/** The claims that are left: the multilinear extensions of the leaves' numerators and denominators at `point`. */
export interface LeafClaims {
  readonly point: readonly bigint[];
  readonly numerator: Form;
  readonly denominator: Form;
}

/** `root`: the prover's value of the root's denominator. */
export async function fractionTreeProtocol(
  ctx: ProtocolContext,
  depth: number,
  root: bigint | undefined,
  prover?: TreeProver,
): Promise<LeafClaims> {
  let numerator: Form = constantForm(0n);
  let denominator = ctx.send('lookup root', root);
  let point: bigint[] = [];
  for (let j = 0; j < depth; j++) {
    const label = `lookup layer ${j}`;
    const lambda = ctx.challenge(label, 1);
    const claim = combine([
      [1n, numerator],
      [lambda, denominator],
    ]);
    const layer = await prover?.layer(j, point, lambda);
    const degrees = point.map(() => 2);
    const { point: x, claim: last } = await sumcheck(ctx, label, claim, degrees, layer, point);
    const v = await layer?.children();
    const p0 = ctx.sendFactor(`${label} p0`, v?.[0]);
    const q1 = ctx.sendFactor(`${label} q1`, v?.[3]);
    const p1 = ctx.sendFactor(`${label} p1`, v?.[1]);
    const q0 = ctx.sendFactor(`${label} q0`, v?.[2]);
    ctx.assertZero(
      value(
        combine([
          [1n, ctx.product(p0, q1)],
          [1n, ctx.product(p1, q0)],
          [lambda, ctx.product(q0, q1)],
          [neg(1n), last],
        ]),
      ),
    );
    const y = ctx.challenge(`${label} child`, 1);
    const between = (a: Form, b: Form): Form =>
      combine([
        [sub(1n, y), a],
        [y, b],
      ]);
    numerator = between(p0.form, p1.form);
    denominator = between(q0.form, q1.form);
    point = [y, ...x];
  }
  return { point, numerator, denominator };
}
