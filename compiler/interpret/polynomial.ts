/**
 * Evaluates polynomials over integer tensors, exactly. Where the proved ranges show that nothing passes 2^53, doubles
 * do the same arithmetic as bigints.
 *
 * Index arithmetic is read here once more, apart from `compiler/ir/indices`, which everything else goes by: what is compared
 * with this reading is then not compared with itself.
 */
import type { Compare, IndexExpr, Polynomial, Tensor, TensorId, Term } from '../ir/tensor/program.ts';

/** The values of the tensors that are known so far. */
export interface Store {
  readonly tensors: readonly Tensor[];
  values(id: TensorId): readonly bigint[];
  /** The same as doubles; only for tensors whose range is within 2^53. */
  numbers(id: TensorId): Float64Array;
}

/** Values of an equation's indices, then of those bound inside. Evaluators write the inner ones. */
export type Point = number[];

const LIMIT = 1n << 53n;
const magnitude = (lo: bigint, hi: bigint): bigint => (-lo > hi ? -lo : hi);

type IndexFunction = (at: Point) => number;

/** Index arithmetic as a function of the point. */
export function compileIndex(e: IndexExpr, store: Store): IndexFunction {
  switch (e.kind) {
    case 'const': {
      const { value } = e;
      return () => value;
    }
    case 'var': {
      const id = e.var;
      return (at) => at[id];
    }
    case 'add':
    case 'sub':
    case 'mul': {
      const left = compileIndex(e.left, store);
      const right = compileIndex(e.right, store);
      if (e.kind === 'add') return (at) => left(at) + right(at);
      if (e.kind === 'sub') return (at) => left(at) - right(at);
      return (at) => left(at) * right(at);
    }
    case 'div':
    case 'mod': {
      const left = compileIndex(e.left, store);
      const { by } = e;
      if (e.kind === 'div') return (at) => Math.floor(left(at) / by);
      return (at) => {
        const value = left(at);
        return value - by * Math.floor(value / by);
      };
    }
    case 'entry': {
      const offset = compileOffset(e.at, store.tensors[e.tensor].shape, store);
      const numbers = store.numbers(e.tensor);
      return (at) => numbers[offset(at)];
    }
  }
}

/** The row-major position of an access. */
function compileOffset(at: readonly IndexExpr[], shape: readonly number[], store: Store): IndexFunction {
  const parts = at.map((e) => compileIndex(e, store));
  return (point) => {
    let offset = 0;
    for (let k = 0; k < parts.length; k++) {
      const index = parts[k](point);
      if (!(index >= 0 && index < shape[k])) throw new RangeError('internal error: an access outside its tensor');
      offset = offset * shape[k] + index;
    }
    return offset;
  };
}

export function compileGuards(guards: readonly Compare[], store: Store): (at: Point) => boolean {
  const tests = guards.map(({ left, op, right }) => {
    const [a, b] = [compileIndex(left, store), compileIndex(right, store)];
    switch (op) {
      case '<':
        return (at: Point) => a(at) < b(at);
      case '<=':
        return (at: Point) => a(at) <= b(at);
      case '==':
        return (at: Point) => a(at) === b(at);
      case '!=':
        return (at: Point) => a(at) !== b(at);
      case '>=':
        return (at: Point) => a(at) >= b(at);
      case '>':
        return (at: Point) => a(at) > b(at);
    }
  });
  return (at) => tests.every((test) => test(at));
}

/** Variables of index arithmetic that stand at or after `first`. */
function mentions(e: IndexExpr, id: number): boolean {
  switch (e.kind) {
    case 'const':
      return false;
    case 'var':
      return e.var === id;
    case 'add':
    case 'sub':
    case 'mul':
      return mentions(e.left, id) || mentions(e.right, id);
    case 'div':
    case 'mod':
      return mentions(e.left, id);
    case 'entry':
      return e.at.some((at) => mentions(at, id));
  }
}

/** How far the position of an access moves when variable `id` grows by one, if always equally far. */
function strideOf(at: readonly IndexExpr[], shape: readonly number[], id: number): number | undefined {
  let stride = 0;
  for (const [k, e] of at.entries()) {
    const step = slope(e, id);
    if (step === undefined) return undefined;
    stride = stride * shape[k] + step;
  }
  return stride;
}

function slope(e: IndexExpr, id: number): number | undefined {
  if (!mentions(e, id)) return 0;
  if (e.kind === 'var') return 1;
  if (e.kind === 'add' || e.kind === 'sub') {
    const [left, right] = [slope(e.left, id), slope(e.right, id)];
    if (left === undefined || right === undefined) return undefined;
    return e.kind === 'add' ? left + right : left - right;
  }
  if (e.kind === 'mul' && e.left.kind === 'const') {
    const right = slope(e.right, id);
    return right === undefined ? undefined : e.left.value * right;
  }
  return undefined;
}

/** The integer of a polynomial at a point; `outer` variables are given, the rest is summed over. */
export function compilePolynomial(p: Polynomial, outer: number, store: Store): (at: Point) => bigint {
  const terms = p.terms.map((term) => compileTerm(term, outer, store));
  return (at) => {
    let sum = 0n;
    for (const term of terms) sum += term(at);
    return sum;
  };
}

function compileTerm(term: Term, outer: number, store: Store): (at: Point) => bigint {
  const sizes = term.reduced.map((v) => v.size);
  const last = sizes.length - 1;
  const inner = outer + last;
  const offsets = term.factors.map((f) => compileOffset(f.at, store.tensors[f.tensor].shape, store));
  const strides = term.factors.map((f) => strideOf(f.at, store.tensors[f.tensor].shape, inner));
  const split = term.guards.filter((g) => !mentions(g.left, inner) && !mentions(g.right, inner));
  const line = last >= 0 && split.length === term.guards.length && strides.every((s) => s !== undefined);
  const holds = compileGuards(term.guards, store);

  const factorLimit = term.factors.reduce((m, f) => {
    const { lo, hi } = store.tensors[f.tensor].range;
    return m * (magnitude(lo, hi) || 1n);
  }, 1n);
  const points = sizes.reduce((n, size) => n * BigInt(size), 1n);
  const small = factorLimit * points < LIMIT && term.factors.every((f) => narrow(store.tensors[f.tensor]));
  const data = term.factors.map((f) => (small ? store.numbers(f.tensor) : store.values(f.tensor)));

  // The sum over the last variable, or the one product where there is none.
  const run = line
    ? lineSum(
        data,
        offsets,
        strides.map((s) => s ?? 0),
        sizes[last],
        inner,
        small,
      )
    : pointProduct(data, offsets, small);
  const depth = line ? last : sizes.length;

  return (at) => {
    let sum = 0n;
    const go = (k: number): void => {
      if (k === depth) {
        if (holds(at)) sum += run(at);
        return;
      }
      for (let v = 0; v < sizes[k]; v++) {
        at[outer + k] = v;
        go(k + 1);
      }
    };
    if (line) at[inner] = 0;
    go(0);
    return term.coefficient * sum;
  };
}

const narrow = (tensor: Tensor): boolean => magnitude(tensor.range.lo, tensor.range.hi) < LIMIT;

type Data = readonly (readonly bigint[] | Float64Array)[];

function pointProduct(data: Data, offsets: readonly IndexFunction[], small: boolean): (at: Point) => bigint {
  return (at) => {
    let product = small ? 1 : 1n;
    for (let k = 0; k < data.length; k++) {
      const value = data[k][offsets[k](at)];
      product = typeof product === 'number' ? product * Number(value) : product * BigInt(value);
    }
    return BigInt(product);
  };
}

function lineSum(
  data: Data,
  offsets: readonly IndexFunction[],
  strides: readonly number[],
  size: number,
  inner: number,
  small: boolean,
): (at: Point) => bigint {
  const count = data.length;
  return (at) => {
    at[inner] = 0;
    const start = offsets.map((offset) => offset(at));
    if (small && count === 2) {
      const [a, b] = data as readonly Float64Array[];
      let [i, j] = start;
      let sum = 0;
      for (let v = 0; v < size; v++, i += strides[0], j += strides[1]) sum += a[i] * b[j];
      return BigInt(sum);
    }
    if (small) {
      let sum = 0;
      for (let v = 0; v < size; v++) {
        let product = 1;
        for (let k = 0; k < count; k++) product *= Number(data[k][start[k] + v * strides[k]]);
        sum += product;
      }
      return BigInt(sum);
    }
    let sum = 0n;
    for (let v = 0; v < size; v++) {
      let product = 1n;
      for (let k = 0; k < count; k++) product *= data[k][start[k] + v * strides[k]] as bigint;
      sum += product;
    }
    return sum;
  };
}
