/**
 * The summand of a sumcheck, or an elementwise function: a small expression over tables and constants of Fr. The same
 * tree is interpreted by the reference device, counted for its degree, and emitted as WASM (later WGSL) by the others.
 */
export type Expression =
  | { readonly kind: 'table'; readonly index: number }
  /** Position in the `constants` passed with each call: values known only at run time, such as challenges. */
  | { readonly kind: 'constant'; readonly index: number }
  | { readonly kind: 'add' | 'sub' | 'mul'; readonly left: Expression; readonly right: Expression };

export const table = (index: number): Expression => ({ kind: 'table', index });
export const constant = (index: number): Expression => ({ kind: 'constant', index });
export const add = (left: Expression, right: Expression): Expression => ({ kind: 'add', left, right });
export const sub = (left: Expression, right: Expression): Expression => ({ kind: 'sub', left, right });
export const mul = (left: Expression, right: Expression): Expression => ({ kind: 'mul', left, right });

/** Folds an expression bottom-up; everything else here, and every generator, is an instance of it. */
export function evaluate<T>(
  e: Expression,
  on: {
    table(index: number): T;
    constant(index: number): T;
    add(a: T, b: T): T;
    sub(a: T, b: T): T;
    mul(a: T, b: T): T;
  },
): T {
  switch (e.kind) {
    case 'table':
      return on.table(e.index);
    case 'constant':
      return on.constant(e.index);
    default:
      return on[e.kind](evaluate(e.left, on), evaluate(e.right, on));
  }
}

/** Computes once for each expression object. */
export function remembered<T>(of: (e: Expression) => T): (e: Expression) => T {
  const known = new WeakMap<Expression, { readonly value: T }>();
  return (e) => {
    let entry = known.get(e);
    if (entry === undefined) known.set(e, (entry = { value: of(e) }));
    return entry.value;
  };
}

/** Degree in the table variables: the degree of the sumcheck's round polynomial. */
export const degree: (e: Expression) => number = remembered((e) =>
  evaluate(e, {
    table: () => 1,
    constant: () => 0,
    add: (a, b) => Math.max(a, b),
    sub: (a, b) => Math.max(a, b),
    mul: (a, b) => a + b,
  }),
);

/**
 * The coefficient of X^degree(e) when every table is replaced by its slope: terms of lower degree are left out, so that
 * `t0 * t1 + t2` gives `t0 * t1`. This is what a round returns at the point 'inf'.
 */
export function leading(e: Expression): Expression {
  if (e.kind === 'table' || e.kind === 'constant') return e;
  const [left, right] = [degree(e.left), degree(e.right)];
  if (e.kind === 'mul' || left === right) return { kind: e.kind, left: leading(e.left), right: leading(e.right) };
  if (left > right) return leading(e.left);
  if (e.kind === 'add') return leading(e.right);
  const top = leading(e.right);
  return sub(sub(top, top), top);
}

/** How many tables (constants) the expression reads: one more than the highest index. */
export const tableCount: (e: Expression) => number = remembered((e) => count(e, 'table'));
export const constantCount: (e: Expression) => number = remembered((e) => count(e, 'constant'));

function count(e: Expression, kind: 'table' | 'constant'): number {
  const index = (k: 'table' | 'constant') => (i: number) => (k === kind ? i + 1 : 0);
  return evaluate(e, {
    table: index('table'),
    constant: index('constant'),
    add: Math.max,
    sub: Math.max,
    mul: Math.max,
  });
}

/** Stable text, e.g. `(t0 * t1 + c0 * t2)`: the key of kernel caches. */
export const print: (e: Expression) => string = remembered((e) =>
  evaluate<string>(e, {
    table: (i) => `t${i}`,
    constant: (i) => `c${i}`,
    add: (a, b) => `(${a} + ${b})`,
    sub: (a, b) => `(${a} - ${b})`,
    mul: (a, b) => `${a} * ${b}`,
  }),
);

/** Whether an expression is 0 wherever all tables are, whatever the constants: what lies beyond the tables adds nothing. */
export const vanishesAtZero: (e: Expression) => boolean = remembered((e) =>
  evaluate<boolean>(e, {
    table: () => true,
    constant: () => false,
    add: (a, b) => a && b,
    sub: (a, b) => a && b,
    mul: (a, b) => a || b,
  }),
);

/** The tables of an expression that is nothing but their product. */
export const tableFactors: (e: Expression) => readonly number[] | undefined = remembered((e) => {
  if (e.kind === 'table') return [e.index];
  if (e.kind !== 'mul') return undefined;
  const [left, right] = [tableFactors(e.left), tableFactors(e.right)];
  return left && right && [...left, ...right];
});

/** A sum in which each product is a constant times a sum of tables. */
export interface LinearSum {
  readonly multiples: readonly { readonly constant: number; readonly of: Expression; readonly negative: boolean }[];
  readonly rest: readonly { readonly of: Expression; readonly negative: boolean }[];
}

/** The expression as such a sum, if it is one and has a product. */
export const linearSum: (e: Expression) => LinearSum | undefined = remembered((e) => {
  const [multiples, rest]: [LinearSum['multiples'][number][], LinearSum['rest'][number][]] = [[], []];
  const walk = (of: Expression, negative: boolean): boolean => {
    if (of.kind === 'add' || of.kind === 'sub')
      return walk(of.left, negative) && walk(of.right, of.kind === 'sub' ? !negative : negative);
    if (of.kind !== 'mul') return rest.push({ of, negative }) > 0;
    const [factor, sum] = of.left.kind === 'constant' ? [of.left, of.right] : [of.right, of.left];
    if (factor.kind !== 'constant' || products(sum) > 0 || constantCount(sum) > 0) return false;
    return multiples.push({ constant: factor.index, of: sum, negative }) > 0;
  };
  return walk(e, false) && multiples.length > 0 ? { multiples, rest } : undefined;
});

/** Field products in an expression. */
export const products: (e: Expression) => number = remembered((e) =>
  evaluate<number>(e, {
    table: () => 0,
    constant: () => 0,
    add: (a, b) => a + b,
    sub: (a, b) => a + b,
    mul: (a, b) => a + b + 1,
  }),
);

/** Bits of a position that say what is added to an element; see `IndexedTable`. */
export const SPLIT_BITS = 10;

/** Where a round's polynomial is evaluated: a small integer, or its leading coefficient. */
export type SumcheckPoint = number | 'inf';
