/**
 * Index arithmetic in normal form: sums of integer multiples of atoms (variables, floor divisions, remainders, products
 * of variables, entries of index tensors) plus a constant, in order of first appearance. Equal functions written
 * differently mostly become the same expression, so views compose to plain accesses and proofs of bounds stay short.
 *
 * `var` numbers here are ids of variables of the checker, unique in a program; an equation renumbers them when it is made.
 */
import type { Compare, IndexExpr } from '../../ir/tensor/program.ts';

/** Bounds of a variable, both inclusive. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** What a variable or the entry of an index tensor can be. */
export interface Bounds {
  variable(id: number): Interval;
  entry(tensor: number): Interval;
  /** What exhaustive checks have found, by the shape of the question, and how many points they may still visit. */
  readonly proofs: { readonly known: Map<string, unknown>; points: number };
}

interface Linear {
  readonly constant: number;
  readonly parts: ReadonlyMap<string, { readonly atom: IndexExpr; readonly factor: number }>;
}

/** Index arithmetic left the integers a double holds exactly. */
export class IndexOverflow extends RangeError {}

const safe = (n: number): number => {
  if (!Number.isSafeInteger(n)) throw new IndexOverflow('index arithmetic over 2^53');
  return n === 0 ? 0 : n;
};

/** A structural key: equal keys mean equal expressions. */
export function indexKey(e: IndexExpr): string {
  switch (e.kind) {
    case 'const':
      return String(e.value);
    case 'var':
      return `v${String(e.var)}`;
    case 'add':
    case 'sub':
    case 'mul':
      return `(${indexKey(e.left)} ${e.kind} ${indexKey(e.right)})`;
    case 'div':
    case 'mod':
      return `(${indexKey(e.left)} ${e.kind} ${String(e.by)})`;
    case 'entry':
      return `t${String(e.tensor)}[${e.at.map(indexKey).join(',')}]`;
  }
}

export const constant = (value: number): IndexExpr => ({ kind: 'const', value: safe(value) });
export const variable = (id: number): IndexExpr => ({ kind: 'var', var: id });

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
  for (const [key, { atom, factor }] of a.parts) {
    if (factor % by === 0) whole.set(key, { atom, factor: factor / by });
    else rest.set(key, { atom, factor });
  }
  const quotient = Math.floor(a.constant / by);
  return {
    quotient: { constant: quotient, parts: whole },
    rest: { constant: a.constant - quotient * by, parts: rest },
  };
}

/** floor(e / by), `by` >= 1. */
export function floorQuotient(e: IndexExpr, by: number, bounds: Bounds): IndexExpr {
  const { quotient, rest } = split(e, by);
  const remainder = rebuild(rest);
  const { lo, hi } = interval(remainder, bounds);
  const low = Math.floor(lo / by);
  if (low === Math.floor(hi / by)) return rebuild(combine(quotient, linear(constant(low)), 1));
  const atom: IndexExpr =
    remainder.kind === 'div'
      ? { kind: 'div', left: remainder.left, by: safe(remainder.by * by) }
      : { kind: 'div', left: remainder, by };
  return rebuild(combine(quotient, single(atom), 1));
}

/** e - by * floor(e / by), `by` >= 1. */
export function remainder(e: IndexExpr, by: number, bounds: Bounds): IndexExpr {
  const rest = rebuild(split(e, by).rest);
  const { lo, hi } = interval(rest, bounds);
  const low = Math.floor(lo / by);
  if (low === Math.floor(hi / by)) return minus(rest, constant(low * by));
  return { kind: 'mod', left: rest, by };
}

/** An interval that holds every value of `e`. */
export function interval(e: IndexExpr, bounds: Bounds): Interval {
  switch (e.kind) {
    case 'const':
      return { lo: e.value, hi: e.value };
    case 'var':
      return bounds.variable(e.var);
    case 'entry':
      return bounds.entry(e.tensor);
    case 'add':
    case 'sub':
    case 'mul': {
      const a = interval(e.left, bounds);
      const b = interval(e.right, bounds);
      if (e.kind === 'add') return { lo: safe(a.lo + b.lo), hi: safe(a.hi + b.hi) };
      if (e.kind === 'sub') return { lo: safe(a.lo - b.hi), hi: safe(a.hi - b.lo) };
      const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi].map(safe);
      return { lo: Math.min(...corners), hi: Math.max(...corners) };
    }
    case 'div': {
      const a = interval(e.left, bounds);
      return { lo: Math.floor(a.lo / e.by), hi: Math.floor(a.hi / e.by) };
    }
    case 'mod': {
      const a = interval(e.left, bounds);
      const low = Math.floor(a.lo / e.by);
      if (low === Math.floor(a.hi / e.by)) return { lo: a.lo - low * e.by, hi: a.hi - low * e.by };
      return { lo: 0, hi: e.by - 1 };
    }
  }
}

/** The value of `e` without entries of index tensors. */
export function evaluateIndex(e: IndexExpr, value: (id: number) => number): number {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'var':
      return value(e.var);
    case 'add':
      return evaluateIndex(e.left, value) + evaluateIndex(e.right, value);
    case 'sub':
      return evaluateIndex(e.left, value) - evaluateIndex(e.right, value);
    case 'mul':
      return evaluateIndex(e.left, value) * evaluateIndex(e.right, value);
    case 'div':
      return Math.floor(evaluateIndex(e.left, value) / e.by);
    case 'mod': {
      const left = evaluateIndex(e.left, value);
      return left - e.by * Math.floor(left / e.by);
    }
    case 'entry':
      throw new Error('internal error: an entry of an index tensor in static index arithmetic');
  }
}

/** The variables of `e`, those that choose an entry of an index tensor included. */
export function variablesOf(e: IndexExpr, into: Set<number> = new Set()): Set<number> {
  switch (e.kind) {
    case 'const':
      break;
    case 'var':
      into.add(e.var);
      break;
    case 'add':
    case 'sub':
    case 'mul':
      variablesOf(e.left, into);
      variablesOf(e.right, into);
      break;
    case 'div':
    case 'mod':
      variablesOf(e.left, into);
      break;
    case 'entry':
      for (const at of e.at) variablesOf(at, into);
  }
  return into;
}

/** Whether `e` reads an index tensor. */
export function readsData(e: IndexExpr): boolean {
  switch (e.kind) {
    case 'const':
    case 'var':
      return false;
    case 'add':
    case 'sub':
    case 'mul':
      return readsData(e.left) || readsData(e.right);
    case 'div':
    case 'mod':
      return readsData(e.left);
    case 'entry':
      return true;
  }
}

/** `e` with every variable replaced. */
export function substitute(e: IndexExpr, replace: (id: number) => IndexExpr): IndexExpr {
  switch (e.kind) {
    case 'const':
      return e;
    case 'var':
      return replace(e.var);
    case 'add':
    case 'sub':
    case 'mul':
      return { kind: e.kind, left: substitute(e.left, replace), right: substitute(e.right, replace) };
    case 'div':
    case 'mod':
      return { kind: e.kind, left: substitute(e.left, replace), by: e.by };
    case 'entry':
      return { kind: 'entry', tensor: e.tensor, at: e.at.map((at) => substitute(at, replace)) };
  }
}

/** Linear parts of an expression for proofs of bounds: variables with their factors, and everything else. */
export function variableFactors(e: IndexExpr): { id: number; factor: number }[] {
  const found: { id: number; factor: number }[] = [];
  for (const { atom, factor } of linear(e).parts.values())
    if (atom.kind === 'var') found.push({ id: atom.var, factor });
  return found;
}

const OPPOSITE = { '<': '>=', '<=': '>', '==': '!=', '!=': '==', '>=': '<', '>': '<=' } as const;

/** The comparison that holds exactly where `g` does not. */
export const opposite = (g: Compare): Compare => ({ left: g.left, op: OPPOSITE[g.op], right: g.right });

/** A key by which a comparison and its opposite are recognised: same `key`, other `sign`. */
export function compareKey(g: Compare): { key: string; sign: boolean } {
  const sign = g.op === '<' || g.op === '==' || g.op === '>';
  const op = sign ? g.op : OPPOSITE[g.op];
  return { key: `${indexKey(g.left)} ${op} ${indexKey(g.right)}`, sign };
}

export function holds(left: number, op: Compare['op'], right: number): boolean {
  switch (op) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '>=':
      return left >= right;
    case '>':
      return left > right;
  }
}
