/** Turns what an equation means into a tensor and an equation of the program: integers, one scale, proved ranges. */
import type { Span } from '../../../grammar/span.ts';
import type {
  Compare,
  Definition,
  Factor,
  IndexExpr,
  Polynomial,
  Range,
  Rational,
  Tensor,
  TensorType,
  Visibility,
} from '../../ir/tensor/program.ts';
import { ONE, ZERO, divide, gcdRational, multiply, powerOfTwo } from '../../ir/numbers/rational.ts';
import { SUM_BITS } from '../../ir/numbers/limits.ts';
import { roundForm } from '../../ir/numbers/rounding.ts';
import { variable } from '../../ir/indices/expression.ts';
import { addTensor, formatType, typeRange } from '../context.ts';
import type { Session } from '../context.ts';
import { belowMaximum } from './maxima.ts';
import { polynomialRange } from '../numbers/ranges.ts';
import type { IntegerTerm } from '../numbers/ranges.ts';
import { rangeOf } from '../numbers/tables.ts';
import { constantPoly, guardPoly, renameFactor, renameGuard } from '../numbers/polynomial.ts';
import type { Poly, Quantity } from '../numbers/polynomial.ts';
import { failing } from '../numbers/quantity.ts';

/** What the right-hand side of an equation is, over variable ids. */
export type Meaning =
  | { readonly kind: 'polynomial'; readonly p: Poly }
  | {
      readonly kind: 'round';
      readonly of: Quantity;
      readonly type: TensorType & { readonly kind: 'fixed' };
      /** The calibration key that gave the type. */
      readonly key?: string;
      readonly clamp?: Range;
    }
  /** `argument` has the target's shape. */
  | { readonly kind: 'table'; readonly table: number; readonly argument: number }
  | {
      readonly kind: 'max' | 'argmax';
      readonly over: readonly number[];
      readonly guards: readonly Compare[];
      readonly of: Poly;
    };

export interface Target {
  readonly name: string;
  /** Variable ids of the axes. */
  readonly indices: readonly number[];
  readonly visibility: Visibility;
  readonly role: 'output' | 'inner';
  readonly span: Span;
  /** The source expression, for messages about its numbers. */
  readonly value: Span;
}

export interface IntegerPoly {
  readonly terms: readonly IntegerTerm[];
  readonly scale: Rational;
  readonly range: Range;
}

/** Clears scales and denominators: integer coefficients without a common divisor, times one positive rational. */
export function toIntegers(session: Session, p: Poly): IntegerPoly {
  const real = p.map((t) => ({
    ...t,
    coefficient: t.factors.reduce((c, f) => multiply(c, session.tensors[f.tensor].scale), t.coefficient),
  }));
  const common = real.reduce((g, t) => gcdRational(g, t.coefficient), ZERO);
  const scale = common.num === 0n ? ONE : common;
  const terms = real.map((t) => ({ ...t, coefficient: divide(t.coefficient, scale).num }));
  const range = polynomialRange(terms, (id) => session.tensors[id].range, session.bounds);
  const below = range.hi > 0n && belowMaximum(session, terms);
  return { terms, scale, range: below ? { lo: range.lo, hi: 0n } : range };
}

function checkWidth(session: Session, range: Range, target: Target): void {
  const limit = 1n << BigInt(SUM_BITS);
  if (range.hi < limit && -range.lo < limit) return;
  const bits = (range.hi > -range.lo ? range.hi : -range.lo).toString(2).length + 1;
  return session.reporter.fail({
    code: 'ZKL415',
    about: { bits },
    span: target.value,
    label: `the proof's field holds ${SUM_BITS}`,
    help: 'round an inner part to fewer bits',
  });
}

/** Renumbers variables: the target's indices, then `over`, then each term's own. */
function toProgram(session: Session, of: IntegerPoly, fixed: readonly number[]): Polynomial {
  return {
    scale: of.scale,
    terms: of.terms.map((t) => {
      const order = [...fixed, ...t.reduced];
      const replace = (id: number): IndexExpr => variable(order.indexOf(id));
      return {
        coefficient: t.coefficient,
        reduced: t.reduced.map((id) => session.variables[id]),
        guards: t.guards.map((g) => renameGuard(g, replace)),
        factors: t.factors.map((f) => renameFactor(f, replace)),
      };
    }),
  };
}

/** Adds the equation and its tensor. */
export function emit(session: Session, target: Target, meaning: Meaning): Tensor {
  const made = define(session, target, meaning);
  checkWidth(session, made.range, target);
  const tensor = addTensor(session, {
    name: target.name,
    shape: target.indices.map((id) => session.variables[id].size),
    scale: made.scale,
    range: made.range,
    ...(made.type === undefined ? {} : { type: made.type }),
    ...(made.key === undefined ? {} : { key: made.key }),
    visibility: target.visibility,
    role: target.role,
    span: target.span,
  });
  session.equations.push({
    target: tensor.id,
    indices: target.indices.map((id) => session.variables[id]),
    definition: made.definition,
    span: target.span,
  });
  return tensor;
}

interface Made {
  readonly definition: Definition;
  readonly scale: Rational;
  readonly range: Range;
  readonly type?: TensorType;
  readonly key?: string;
}

function define(session: Session, target: Target, meaning: Meaning): Made {
  switch (meaning.kind) {
    case 'polynomial': {
      const integers = toIntegers(session, meaning.p);
      const polynomial = toProgram(session, integers, target.indices);
      const viewed = viewedTensor(session, meaning.p);
      return {
        definition: { kind: 'polynomial', polynomial },
        scale: integers.scale,
        range: integers.range,
        ...(viewed?.type === undefined ? {} : { type: viewed.type }),
        ...(viewed?.key === undefined ? {} : { key: viewed.key }),
      };
    }
    case 'round': {
      const made = defineRound(session, target, meaning);
      return meaning.key === undefined ? made : { ...made, key: meaning.key };
    }
    case 'table': {
      const table = session.tables[meaning.table];
      return {
        definition: { kind: 'table', table: meaning.table, argument: meaning.argument },
        scale: typeScale(table.result),
        range: rangeOf(table),
        type: table.result,
      };
    }
    case 'max':
    case 'argmax': {
      const integers = toIntegers(session, meaning.of);
      const over = meaning.over.map((id) => session.variables[id]);
      const order = [...target.indices, ...meaning.over];
      const replace = (id: number): IndexExpr => variable(order.indexOf(id));
      const definition: Definition = {
        kind: meaning.kind,
        over,
        guards: meaning.guards.map((g) => renameGuard(g, replace)),
        of: toProgram(session, integers, order),
      };
      if (meaning.kind === 'max') return { definition, scale: integers.scale, range: integers.range };
      const type: TensorType = { kind: 'index', size: over[0].size };
      return { definition, scale: ONE, range: typeRange(type), type };
    }
  }
}

export const typeScale = (type: TensorType): Rational => (type.kind === 'index' ? ONE : powerOfTwo(-type.frac));

/** The tensor whose entries a polynomial only moves: they keep its type. */
function viewedTensor(session: Session, p: Poly): Tensor | undefined {
  const [term] = p;
  if (p.length !== 1 || term.factors.length !== 1 || term.reduced.length > 0) return undefined;
  return term.coefficient.num === 1n && term.coefficient.den === 1n
    ? session.tensors[term.factors[0].tensor]
    : undefined;
}

function defineRound(session: Session, target: Target, meaning: Meaning & { readonly kind: 'round' }): Made {
  const { of, type, clamp } = meaning;
  const form = of.root === 'p' ? 'sqrt(P)' : of.root === 'q' ? 'P/sqrt(Q)' : of.q === undefined ? 'P' : 'P/Q';
  const p = toIntegers(session, of.p);
  const q = of.q === undefined ? undefined : toIntegers(session, of.q);
  checkWidth(session, p.range, target);
  if (q !== undefined) checkWidth(session, q.range, target);
  if (q !== undefined && q.range.hi < 1n)
    return session.reporter.fail({ code: 'ZKL429', span: target.value, label: 'its largest value is 0 or less' });

  if (form === 'sqrt(P)' && p.range.hi < 0n)
    return session.reporter.fail({ code: 'ZKL430', span: target.value, label: 'its largest value is below 0' });
  const bounds = roundedRange(form, p, q, type.frac);
  const limits = clamp ?? typeRange(type);
  if (clamp === undefined && (bounds.lo > limits.hi || bounds.hi < limits.lo))
    return session.reporter.fail({
      code: 'ZKL409',
      about: { type: formatType(type) },
      span: target.value,
      label: 'every value overflows',
    });
  const inside = (v: bigint): bigint => (v < limits.lo ? limits.lo : v > limits.hi ? limits.hi : v);
  const fits = bounds.lo >= limits.lo && bounds.hi <= limits.hi;
  const times = multiply(p.scale, powerOfTwo(type.frac));
  if (form === 'P' && fits && times.den === 1n) return exactRound(session, target, p, times.num, type);
  return {
    definition: {
      kind: 'round',
      form,
      p: toProgram(session, p, target.indices),
      ...(q === undefined ? {} : { q: toProgram(session, q, target.indices) }),
      frac: type.frac,
      ...(clamp === undefined || fits ? {} : { clamp }),
    },
    scale: powerOfTwo(-type.frac),
    range: { lo: inside(bounds.lo), hi: inside(bounds.hi) },
    type,
  };
}

/** A `round` that has nothing to round, of values that are proved to fit: the polynomial itself, in units of the type. */
function exactRound(session: Session, target: Target, p: IntegerPoly, times: bigint, type: TensorType): Made {
  const terms = p.terms.map((t) => ({ ...t, coefficient: t.coefficient * times }));
  const scale = typeScale(type);
  const polynomial = toProgram(session, { ...p, terms, scale }, target.indices);
  const range = { lo: p.range.lo * times, hi: p.range.hi * times };
  return { definition: { kind: 'polynomial', polynomial }, scale, range, type };
}

/** The rounded value at the corners of the ranges of P and Q: it is monotone in each. */
function roundedRange(
  form: 'P' | 'P/Q' | 'sqrt(P)' | 'P/sqrt(Q)',
  p: IntegerPoly,
  q: IntegerPoly | undefined,
  frac: number,
): Range {
  const ps = [p.range.lo, p.range.hi].map((v) => (form === 'sqrt(P)' && v < 0n ? 0n : v));
  // A divisor is an integer at least 1 times its scale: looked up where the interval does not show it.
  const qs = q === undefined ? [1n] : [q.range.lo < 1n ? 1n : q.range.lo, q.range.hi];
  const corners = ps.flatMap((a) =>
    qs.map((b) =>
      roundForm(form, multiply({ num: a, den: 1n }, p.scale), multiply({ num: b, den: 1n }, q?.scale ?? ONE), frac),
    ),
  );
  return corners.reduce((r, v) => ({ lo: v < r.lo ? v : r.lo, hi: v > r.hi ? v : r.hi }), {
    lo: corners[0],
    hi: corners[0],
  });
}

/** A quantity that is as given where the guards hold, and 0 elsewhere. */
export function guardQuantity(of: Quantity, guards: readonly Compare[]): Quantity {
  if (guards.length === 0) return of;
  const p = guardPoly(of.p, guards);
  if (of.q === undefined) return { ...of, p };
  const elsewhere = failing(guards).flatMap((g) => guardPoly(constantPoly(ONE), g));
  return { ...of, p, q: [...guardPoly(of.q, guards), ...elsewhere] };
}

/** The factor that reads all of a tensor at these variables. */
export const entryFactor = (tensor: number, indices: readonly number[]): Factor => ({
  tensor,
  at: indices.map(variable),
});
