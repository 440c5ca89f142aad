/**
 * Index arithmetic in normal form: sums of integer multiples of atoms (variables, floor divisions, remainders, products
 * of variables, entries of index tensors) plus a constant, in order of first appearance. Equal functions written
 * differently mostly become the same expression, so views compose to plain accesses and proofs of bounds stay short.
 */
import type { IndexExpr } from '../tensor/program.ts';
import { indexKey, plain, type IndexFold } from './expression.ts';
import { interval, type IndexBounds } from './interval.ts';

interface Linear {
  readonly constant: number;
  readonly parts: ReadonlyMap<string, { readonly atom: IndexExpr; readonly factor: number }>;
}

/** Index arithmetic left the integers a double holds exactly. */
export class IndexOverflow extends RangeError {}

/** @throws IndexOverflow */
export const safe = (n: number): number => {
  if (!Number.isSafeInteger(n)) throw new IndexOverflow('index arithmetic over 2^53');
  return n === 0 ? 0 : n;
};

/** @throws IndexOverflow */
export const constant = (value: number): IndexExpr => plain.constant(safe(value));

function linear(e: IndexExpr): Linear {
  switch (e.kind) {
    case 'const':
      return { constant: e.value, parts: new Map() };
    case 'add':
      return combine(linear(e.left), linear(e.right), 1);
    case 'sub':
      return combine(linear(e.left), linear(e.right), -1);
    case 'mul': {
      const left = linear(e.left);
      const right = linear(e.right);
      if (left.parts.size === 0) return times(right, left.constant);
      if (right.parts.size === 0) return times(left, right.constant);
      return single(e);
    }
    default:
      return single(e);
  }
}

const single = (atom: IndexExpr): Linear => ({ constant: 0, parts: new Map([[indexKey(atom), { atom, factor: 1 }]]) });

function times(a: Linear, factor: number): Linear {
  if (factor === 0) return { constant: 0, parts: new Map() };
  const parts = new Map([...a.parts].map(([k, p]) => [k, { atom: p.atom, factor: safe(p.factor * factor) }]));
  return { constant: safe(a.constant * factor), parts };
}

function combine(a: Linear, b: Linear, sign: 1 | -1): Linear {
  const parts = new Map(a.parts);
  for (const [key, { atom, factor }] of b.parts) {
    const sum = safe((parts.get(key)?.factor ?? 0) + sign * factor);
    if (sum === 0) parts.delete(key);
    else parts.set(key, { atom, factor: sum });
  }
  return { constant: safe(a.constant + sign * b.constant), parts };
}

function rebuild(a: Linear): IndexExpr {
  let out: IndexExpr | undefined;
  for (const { atom, factor } of a.parts.values()) {
    const size = Math.abs(factor);
    const part: IndexExpr = size === 1 ? atom : { kind: 'mul', left: constant(size), right: atom };
    if (out === undefined) out = factor > 0 ? part : { kind: 'mul', left: constant(factor), right: atom };
    else out = { kind: factor > 0 ? 'add' : 'sub', left: out, right: part };
  }
  if (out === undefined) return constant(a.constant);
  if (a.constant === 0) return out;
  return { kind: a.constant > 0 ? 'add' : 'sub', left: out, right: constant(Math.abs(a.constant)) };
}

export const plus = (a: IndexExpr, b: IndexExpr): IndexExpr => rebuild(combine(linear(a), linear(b), 1));
export const minus = (a: IndexExpr, b: IndexExpr): IndexExpr => rebuild(combine(linear(a), linear(b), -1));
export const product = (a: IndexExpr, b: IndexExpr): IndexExpr => rebuild(linear({ kind: 'mul', left: a, right: b }));

/** `e / by` where it leaves no remainder whatever the variables are; otherwise undefined. `by` >= 1. */
export function exactQuotient(e: IndexExpr, by: number): IndexExpr | undefined {
  const a = linear(e);
  if (a.constant % by !== 0 || [...a.parts.values()].some((p) => p.factor % by !== 0)) return undefined;
  const parts = new Map([...a.parts].map(([k, p]) => [k, { atom: p.atom, factor: p.factor / by }]));
  return rebuild({ constant: a.constant / by, parts });
}

/** The multiples of `by` in `e`, divided by it, and what remains: e = by * quotient + rest. */
function split(e: IndexExpr, by: number): { quotient: Linear; rest: Linear } {
  const a = linear(e);
  const whole = new Map<string, { atom: IndexExpr; factor: number }>();
  const rest = new Map<string, { atom: IndexExpr; factor: number }>();
  for (const [key, { atom, factor }] of a.parts)
    if (factor % by === 0) whole.set(key, { atom, factor: factor / by });
    else rest.set(key, { atom, factor });
  const quotient = Math.floor(a.constant / by);
  return {
    quotient: { constant: quotient, parts: whole },
    rest: { constant: a.constant - quotient * by, parts: rest },
  };
}

/** floor(e / by), `by` >= 1. */
export function floorQuotient(e: IndexExpr, by: number, bounds: IndexBounds): IndexExpr {
  const { quotient, rest } = split(e, by);
  const remainder = rebuild(rest);
  const { lo, hi } = interval(remainder, bounds, safe);
  const low = Math.floor(lo / by);
  if (low === Math.floor(hi / by)) return rebuild(combine(quotient, linear(constant(low)), 1));
  const atom: IndexExpr =
    remainder.kind === 'div'
      ? { kind: 'div', left: remainder.left, by: safe(remainder.by * by) }
      : { kind: 'div', left: remainder, by };
  return rebuild(combine(quotient, single(atom), 1));
}

/** e - by * floor(e / by), `by` >= 1. */
export function remainder(e: IndexExpr, by: number, bounds: IndexBounds): IndexExpr {
  const rest = rebuild(split(e, by).rest);
  const { lo, hi } = interval(rest, bounds, safe);
  const low = Math.floor(lo / by);
  if (low === Math.floor(hi / by)) return minus(rest, constant(low * by));
  return { kind: 'mod', left: rest, by };
}

/** An expression as a constant and multiples of atoms. */
export function linearParts(e: IndexExpr): {
  readonly constant: number;
  readonly terms: readonly { readonly atom: IndexExpr; readonly factor: number }[];
} {
  const { constant, parts } = linear(e);
  return { constant, terms: [...parts.values()] };
}

/** Linear parts of an expression for proofs of bounds: variables with their factors, and everything else. */
export function variableFactors(e: IndexExpr): { id: number; factor: number }[] {
  const found: { id: number; factor: number }[] = [];
  for (const { atom, factor } of linear(e).parts.values())
    if (atom.kind === 'var') found.push({ id: atom.var, factor });
  return found;
}

/** The fold that writes an expression in normal form, without the floor divisions and remainders that bounds decide. */
export const normalised = (bounds: IndexBounds): IndexFold<IndexExpr> => ({
  ...plain,
  constant,
  add: plus,
  sub: minus,
  mul: product,
  div: (left, by) => floorQuotient(left, by, bounds),
  mod: (left, by) => remainder(left, by, bounds),
});
