/**
 * Index arithmetic. The files of this folder are the only ones that take an `IndexExpr` apart, whatever it is that an
 * expression is turned into: everything else is a fold. (`compiler/interpret` has readings of its own, so that it can tell
 * where these are wrong.)
 */
import type { IndexExpr, TensorId } from '../tensor/program.ts';

/** What each kind of node becomes. */
export interface IndexFold<T> {
  constant(value: number): T;
  variable(id: number): T;
  add(left: T, right: T): T;
  sub(left: T, right: T): T;
  mul(left: T, right: T): T;
  /** Floor division by a positive constant. */
  div(left: T, by: number): T;
  /** The remainder of that, in [0, by). */
  mod(left: T, by: number): T;
  /** An entry of an index tensor. Its place is not folded before: `fold` does it, where that is wanted. */
  entry(tensor: TensorId, at: readonly IndexExpr[], fold: (e: IndexExpr) => T): T;
}

/** Folds an expression, left before right and bottom-up; indices of an entry are left to its handler. */
export function foldIndex<T>(e: IndexExpr, on: IndexFold<T>): T {
  switch (e.kind) {
    case 'const':
      return on.constant(e.value);
    case 'var':
      return on.variable(e.var);
    case 'add':
    case 'sub':
    case 'mul':
      return on[e.kind](foldIndex(e.left, on), foldIndex(e.right, on));
    case 'div':
    case 'mod':
      return on[e.kind](foldIndex(e.left, on), e.by);
    case 'entry':
      return on.entry(e.tensor, e.at, (at) => foldIndex(at, on));
  }
}

const constant = (value: number): IndexExpr => ({ kind: 'const', value });
export const variable = (id: number): IndexExpr => ({ kind: 'var', var: id });

/** The nodes as they are: a fold with these copies an expression. */
export const plain: IndexFold<IndexExpr> = {
  constant,
  variable,
  add: (left, right) => ({ kind: 'add', left, right }),
  sub: (left, right) => ({ kind: 'sub', left, right }),
  mul: (left, right) => ({ kind: 'mul', left, right }),
  div: (left, by) => ({ kind: 'div', left, by }),
  mod: (left, by) => ({ kind: 'mod', left, by }),
  entry: (tensor, at, fold) => ({ kind: 'entry', tensor, at: at.map(fold) }),
};

const isConstant = (e: IndexExpr, value: number): boolean => e.kind === 'const' && e.value === value;

/**
 * The nodes, less what can be seen at the node itself: nothing added, a factor 1, arithmetic on constants. For all that sums
 * of products allow there is `normal.ts`.
 */
export const simplified: IndexFold<IndexExpr> = {
  ...plain,
  add: (left, right) => {
    if (isConstant(right, 0)) return left;
    return left.kind === 'const' && right.kind === 'const'
      ? constant(left.value + right.value)
      : plain.add(left, right);
  },
  sub: (left, right) => {
    if (isConstant(right, 0)) return left;
    return left.kind === 'const' && right.kind === 'const'
      ? constant(left.value - right.value)
      : plain.sub(left, right);
  },
  mul: (left, right) => (isConstant(right, 1) ? left : plain.mul(left, right)),
  div: (left, by) => (left.kind === 'const' ? constant(Math.floor(left.value / by)) : plain.div(left, by)),
  mod: (left, by) => (left.kind === 'const' ? constant(remainder(left.value, by)) : plain.mod(left, by)),
};

/** The remainder in [0, by) of any safe integer: products of a rounded quotient would not be exact beyond 2^53. */
export function remainder(value: number, by: number): number {
  const r = value % by;
  // Not -0, which is another key.
  return r < 0 ? r + by : r + 0;
}

/** The expression with some kinds of nodes replaced. */
export const mapIndex = (e: IndexExpr, replace: Partial<IndexFold<IndexExpr>>): IndexExpr =>
  foldIndex(e, { ...plain, ...replace });

/** Replaces every variable of an expression, those that choose an entry of an index tensor included. */
export function substitution(
  replace: (id: number) => IndexExpr,
  make: IndexFold<IndexExpr> = plain,
): (e: IndexExpr) => IndexExpr {
  const on = { ...make, variable: replace };
  return (e) => foldIndex(e, on);
}

/** Numbers the variables of an expression otherwise. */
export const renaming = (rename: (id: number) => number): ((e: IndexExpr) => IndexExpr) =>
  substitution((id) => variable(rename(id)));

/** Calls `visit` with every variable and entry, left before right, an entry before its indices. */
function visitLeaves(e: IndexExpr, visit: (e: IndexExpr) => void): void {
  switch (e.kind) {
    case 'const':
      return;
    case 'var':
      return visit(e);
    case 'add':
    case 'sub':
    case 'mul':
      visitLeaves(e.left, visit);
      return visitLeaves(e.right, visit);
    case 'div':
    case 'mod':
      return visitLeaves(e.left, visit);
    case 'entry':
      visit(e);
      for (const at of e.at) visitLeaves(at, visit);
  }
}

/** The variables in order of appearance, those that choose an entry of an index tensor included. */
export function variablesOf(e: IndexExpr, into = new Set<number>()): Set<number> {
  visitLeaves(e, (leaf) => {
    if (leaf.kind === 'var') into.add(leaf.var);
  });
  return into;
}

/** The variables of several expressions, ascending. */
export function variablesOfAll(expressions: readonly IndexExpr[]): number[] {
  const found = new Set<number>();
  for (const e of expressions) variablesOf(e, found);
  return [...found].sort((a, b) => a - b);
}

/** The index tensors read, in order of appearance, each as often as it is. */
export function tensorsOf(e: IndexExpr, into: TensorId[] = []): TensorId[] {
  visitLeaves(e, (leaf) => {
    if (leaf.kind === 'entry') into.push(leaf.tensor);
  });
  return into;
}

const reading: IndexFold<boolean> = {
  constant: () => false,
  variable: () => false,
  add: (left, right) => left || right,
  sub: (left, right) => left || right,
  mul: (left, right) => left || right,
  div: (left) => left,
  mod: (left) => left,
  entry: () => true,
};

/** Whether an entry of an index tensor is read. */
export const readsData = (e: IndexExpr): boolean => foldIndex(e, reading);

const keys: IndexFold<string> = {
  constant: (value) => String(value),
  variable: (id) => `v${id}`,
  add: (left, right) => `(${left} add ${right})`,
  sub: (left, right) => `(${left} sub ${right})`,
  mul: (left, right) => `(${left} mul ${right})`,
  div: (left, by) => `(${left} div ${by})`,
  mod: (left, by) => `(${left} mod ${by})`,
  entry: (tensor, at, fold) => `t${tensor}[${at.map(fold).join(',')}]`,
};

/** A structural key: equal keys mean equal expressions. */
export const indexKey = (e: IndexExpr): string => foldIndex(e, keys);
