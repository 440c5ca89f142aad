/** What flows from an equation's target to what it is made of, by the kind of equation. */
import { variable } from '../../ir/indices/expression.ts';
import { ONE, divide, multiply, negate, rational } from '../../ir/numbers/rational.ts';
import { roundForm } from '../../ir/numbers/rounding.ts';
import type { Definition, Equation, IndexExpr, Polynomial, Rational, TensorId } from '../../ir/tensor/program.ts';
import { addVariable, copier } from '../context.ts';
import { entryFactor, toIntegers } from '../equations/emit.ts';
import {
  constantValue,
  factorPoly,
  multiplyPoly,
  negatePoly,
  renameFactor,
  renameGuard,
  scalePoly,
} from '../numbers/polynomial.ts';
import type { Poly } from '../numbers/polynomial.ts';
import { pullBack } from './pull.ts';
import { axesOf, beside, flow, refuse, roundedCotangent } from './state.ts';
import type { Reverse } from './state.ts';
import { derivativeTable, isOwnDerivative } from './tables.ts';
import type { CutOff } from './tables.ts';
import { realTerms } from './terms.ts';

type Round = Extract<Definition, { readonly kind: 'round' }>;

/** Adds what flows from an equation with this cotangent, over the variables of the target's axes, to all that it reads. */
export function contributions(reverse: Reverse, equation: Equation, cotangent: Poly): void {
  const { definition } = equation;
  switch (definition.kind) {
    case 'constant':
    case 'argmax':
      return;
    case 'polynomial':
      return through(reverse, equation, definition.polynomial, cotangent);
    case 'round':
      return throughRound(reverse, equation, definition, cotangent);
    case 'table':
      return throughTable(reverse, equation, definition.table, definition.argument, cotangent);
    case 'max':
      return refuse(reverse, equation, { code: 'ZKL521', label: 'what is trained flows through this maximum' });
  }
}

const product = ({ session }: Reverse, ...factors: readonly Poly[]): Poly =>
  factors.reduce((a, b) => multiplyPoly(a, b, copier(session)));

/** Back through a sum of products: to each factor flow the others, times the cotangent. */
function through(reverse: Reverse, equation: Equation, of: Polynomial, cotangent: Poly): void {
  const { session, plan } = reverse;
  const outputs = axesOf(reverse, equation.target);
  for (const term of realTerms(session, of, outputs))
    for (const [k, { tensor }] of term.factors.entries()) {
      if (!plan.active.has(tensor)) continue;
      const p = pullBack(session, term, k, outputs, cotangent, axesOf(reverse, tensor));
      if (p === undefined)
        return refuse(reverse, equation, {
          code: 'ZKL522',
          label: `how \`${session.tensors[tensor].name}\` is indexed cannot be turned around`,
        });
      flow(reverse, tensor, p);
    }
}

/** The target's own entry. */
const valueOf = (reverse: Reverse, { target }: Equation): Poly =>
  factorPoly(entryFactor(target, axesOf(reverse, target)));

const isActive = ({ plan }: Reverse, p: Polynomial): boolean =>
  p.terms.some((t) => t.factors.some((f) => plan.active.has(f.tensor)));

function throughRound(reverse: Reverse, equation: Equation, { form, p, q }: Round, cotangent: Poly): void {
  if (form === 'P') return through(reverse, equation, p, cotangent);
  const { session } = reverse;
  const axes = axesOf(reverse, equation.target);
  const y = valueOf(reverse, equation);
  if (form === 'sqrt(P)') {
    if (session.tensors[equation.target].range.lo < 1n)
      return refuse(reverse, equation, { code: 'ZKL524', label: 'this root may be 0, where it has no derivative' });
    const half = quotient(reverse, equation, cotangent, scalePoly(y, rational(2)));
    return through(reverse, equation, p, half);
  }
  const divisor = q as Polynomial;
  const constant = constantValue(realTerms(session, p, axes));
  if (constant !== undefined && constant.num !== 0n) {
    // 1 / Q = y / c: the divisor's cotangent takes no division.
    const square = product(reverse, y, y);
    const [powers, over]: [Poly, Rational] =
      form === 'P/Q'
        ? [square, constant]
        : [product(reverse, square, y), multiply(rational(2), multiply(constant, constant))];
    const own = scalePoly(product(reverse, powers, cotangent), negate(divide(ONE, over)));
    return through(reverse, equation, divisor, own);
  }
  if (form === 'P/sqrt(Q)')
    return refuse(reverse, equation, { code: 'ZKL524', label: 'P / sqrt(Q) of a P that is not constant' });
  const share = quotient(reverse, equation, cotangent, realTerms(session, divisor, axes));
  through(reverse, equation, p, share);
  if (isActive(reverse, divisor)) through(reverse, equation, divisor, negatePoly(product(reverse, share, y)));
}

/** A cotangent divided, rounded to a type of its own: key and name are the target's with `/share`. */
const quotient = (reverse: Reverse, { target }: Equation, p: Poly, q: Poly): Poly =>
  factorPoly(entryFactor(roundedCotangent(reverse, target, { p, q }, '/share'), axesOf(reverse, target)));

/** Back through a table: the cotangent times the derivative's entry at the same argument. */
function throughTable(reverse: Reverse, equation: Equation, table: number, argument: TensorId, cotangent: Poly): void {
  const { session } = reverse;
  const { target } = equation;
  const axes = axesOf(reverse, target);
  const cutOff = cutOffOf(reverse, argument);
  const slope = isOwnDerivative(session.tables[table], cutOff)
    ? target
    : slopeOf(reverse, equation, table, argument, cutOff);
  const p = product(reverse, cotangent, factorPoly(entryFactor(slope, axes)));
  const to = axesOf(reverse, argument);
  flow(reverse, argument, moved(p, axes, to));
}

/** The same function of other variables. */
function moved(p: Poly, from: readonly number[], to: readonly number[]): Poly {
  const replace = (id: number): IndexExpr => variable(from.includes(id) ? to[from.indexOf(id)] : id);
  return p.map((t) => ({
    ...t,
    guards: t.guards.map((g) => renameGuard(g, replace)),
    factors: t.factors.map((f) => renameFactor(f, replace)),
  }));
}

function slopeOf(reverse: Reverse, equation: Equation, id: number, argument: TensorId, cutOff: CutOff): TensorId {
  const { session } = reverse;
  const { target, span } = equation;
  const table = derivativeTable(session, id, cutOff, span);
  if (table === undefined)
    return refuse(reverse, equation, {
      code: 'ZKL525',
      label: `\`${session.tables[id].name}\` is not an expression that can be differentiated`,
    });
  return beside(reverse, target, '/slope', { kind: 'table', table, argument });
}

/** At which ends of its table's domain an argument was cut off: where what is rounded there exceeds it. */
function cutOffOf({ session }: Reverse, argument: TensorId): CutOff {
  const equation = session.equations.findLast((e) => e.target === argument);
  if (equation?.definition.kind !== 'round' || equation.definition.clamp === undefined) return { lo: false, hi: false };
  const { p, frac, clamp, form } = equation.definition;
  if (form !== 'P') return { lo: true, hi: true };
  const axes = equation.indices.map(({ name, size }) => addVariable(session, name, size));
  const { range, scale } = toIntegers(session, realTerms(session, p, axes));
  const end = (v: bigint): bigint => roundForm('P', multiply(rational(v), scale), ONE, frac);
  return { lo: end(range.lo) < clamp.lo, hi: end(range.hi) > clamp.hi };
}
