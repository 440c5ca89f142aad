/** The polynomial of a round, from as few of its values as fix it: what a prover evaluates, and what follows from that. */
import * as Fr from '../../protocol/scalar.ts';
import { interpolation, roundPoints, type RoundPoint } from '../../protocol/sumcheck/sumcheck.ts';

/** What t(0) and t(1) add up to: (1 - tau) t(0) + tau t(1), or t(0) + t(1) without a weight. */
export interface RoundSum {
  readonly claim: bigint;
  readonly weight?: { readonly tau: bigint; readonly inverse: bigint };
}

/** Of degree d at least 1, with its value at 1, and those at `roundPoints(d)`. */
export class RoundPolynomial {
  readonly #degree: number;
  readonly #values: readonly bigint[];
  readonly #one: bigint;

  /** The values at 1 and at `roundPoints(d)`. */
  constructor(values: readonly bigint[], one: bigint) {
    this.#degree = values.length;
    this.#values = values;
    this.#one = one;
  }

  /** Where it has to be evaluated: at d points where its sum is known, else at d + 1. */
  static points(degree: number, sum: RoundSum | undefined): RoundPoint[] {
    return sum === undefined ? [...roundPoints(degree), 1] : roundPoints(degree);
  }

  /** From the values at `points`. */
  static of(values: readonly bigint[], sum: RoundSum | undefined): RoundPolynomial {
    if (sum === undefined) return new RoundPolynomial(values.slice(0, -1), values[values.length - 1]);
    const { claim, weight } = sum;
    if (weight === undefined) return new RoundPolynomial(values, Fr.sub(claim, values[0]));
    const rest = Fr.sub(claim, Fr.mul(Fr.sub(1n, weight.tau), values[0]));
    return new RoundPolynomial(values, Fr.mul(rest, weight.inverse));
  }

  /** Its value, or the coefficient of X^d. */
  at(x: bigint | 'inf'): bigint {
    const [zero, top, ...others] = this.#values;
    if (x === 'inf') return this.#degree === 1 ? Fr.sub(this.#one, zero) : top;
    if (x === 0n) return zero;
    if (x === 1n) return this.#one;
    const { at, leading } = weightsAt(this.#degree, x);
    let sum = at[0] * zero + at[1] * this.#one;
    if (this.#degree > 1) sum += leading * top;
    for (const [k, v] of others.entries()) sum += at[k + 2] * v;
    return Fr.reduce(sum);
  }
}

type Weights = ReturnType<typeof interpolation>;

/** Of a degree, by position: all polynomials of a round are evaluated at the same few, and challenges never come back. */
const KEPT = 16;
const known = new Map<number, Map<bigint, Weights>>();

function weightsAt(degree: number, x: bigint): Weights {
  let own = known.get(degree);
  if (own === undefined) {
    own = new Map<bigint, Weights>();
    known.set(degree, own);
  }
  let weights = own.get(x);
  if (weights === undefined) {
    if (own.size >= KEPT) own.clear();
    own.set(x, (weights = interpolation(degree, x)));
  }
  return weights;
}
