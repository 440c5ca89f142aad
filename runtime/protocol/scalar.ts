/** Arithmetic of Fr on canonical bigints in [0, r), for the protocol's few scalars. Bulk work is the devices'. */

/** The largest of any number of numbers, and of `least`. */
export const largest = (values: readonly number[], least = 0): number =>
  values.reduce((most, n) => Math.max(most, n), least);

/** Order of the scalar field of BLS12-381. */
export const r = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

export const reduce = (a: bigint): bigint => {
  const m = a % r;
  return m < 0n ? m + r : m;
};
export const add = (a: bigint, b: bigint): bigint => {
  const c = a + b;
  return c >= r ? c - r : c;
};
export const sub = (a: bigint, b: bigint): bigint => (a >= b ? a - b : a - b + r);
export const neg = (a: bigint): bigint => (a === 0n ? 0n : r - a);
export const mul = (a: bigint, b: bigint): bigint => (a * b) % r;

/** @throws RangeError for 0. */
export function inv(a: bigint): bigint {
  if (a === 0n) throw new RangeError('0 has no inverse');
  let [u, v, x, y] = [a, r, 1n, 0n];
  while (u !== 0n) {
    const q = v / u;
    [u, v] = [v - q * u, u];
    [x, y] = [y - q * x, x];
  }
  return reduce(y);
}

/** Inverses of all, at the price of one and three products each. @throws RangeError if one is 0. */
export function inverseOfEach(values: readonly bigint[]): bigint[] {
  let product = 1n;
  const before = values.map((v) => {
    const p = product;
    product = mul(product, v);
    return p;
  });
  let rest = inv(product);
  const out = before.slice();
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = mul(rest, before[i]);
    rest = mul(rest, values[i]);
  }
  return out;
}

/** base^0, base^1, ... (`count` of them) */
export function powers(base: bigint, count: number): bigint[] {
  const out: bigint[] = [];
  for (let i = 0, p = 1n; i < count; i++, p = mul(p, base)) out.push(p);
  return out;
}

export const half = (r + 1n) / 2n;

/** The table of eq(point, .), first variable most significant, cut to `length` entries. */
export function eqTable(point: readonly bigint[], length = 2 ** point.length): bigint[] {
  let t = [1n];
  for (let j = 0; j < point.length; j++) {
    // After variable j only the prefixes that lead to an index below `length` matter.
    const keep = Math.ceil(length / 2 ** (point.length - 1 - j));
    const next: bigint[] = [];
    for (const v of t) {
      const one = mul(v, point[j]);
      next.push(sub(v, one));
      if (next.length < keep) next.push(one);
    }
    t = next.slice(0, keep);
  }
  return t;
}

/** eq(a, b) = prod (a_j b_j + (1 - a_j)(1 - b_j)) */
export function eqEval(a: readonly bigint[], b: readonly bigint[]): bigint {
  let e = 1n;
  for (let j = 0; j < a.length; j++) {
    const ab = mul(a[j], b[j]);
    e = mul(e, reduce(1n - a[j] - b[j] + 2n * ab));
  }
  return e;
}

/**
 * eq(point's first k coordinates, i) for many pairs of k and i < 2^k, whose most significant bit belongs to the first coordinate: each
 * prefix of bits is worked out once.
 */
export function eqPrefixes(point: readonly bigint[]): (k: number, i: number) => bigint {
  // The prefix of k bits with the value i has the number 2^k + i.
  const known = new Map([[1, 1n]]);
  const at = (node: number, k: number): bigint => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const above = at(Math.floor(node / 2), k - 1);
    const one = mul(above, point[k - 1]);
    const [even, zero] = [2 * Math.floor(node / 2), sub(above, one)];
    known.set(even, zero).set(even + 1, one);
    return node === even ? zero : one;
  };
  return (k, i) => at(2 ** k + i, k);
}

/** sum over i < length of eq(point, i), without the table. */
export function eqSum(point: readonly bigint[], length: number): bigint {
  if (length === 2 ** point.length) return 1n;
  // Where length has a 1, all indices with a 0 there, and length's bits above, are below it.
  let [sum, path] = [0n, 1n];
  for (let j = 0; j < point.length; j++) {
    const zero = mul(path, sub(1n, point[j]));
    if (Math.floor(length / 2 ** (point.length - 1 - j)) % 2 === 1) {
      sum = add(sum, zero);
      path = mul(path, point[j]);
    } else path = zero;
  }
  return sum;
}

/** Variables of a multilinear table for an index of the given length, at most 2^32. */
export function bitsFor(length: number): number {
  if (length > 2 ** 32) throw new RangeError(`an index of length ${length}: at most 2^32 are supported`);
  return length <= 1 ? 0 : 32 - Math.clz32(length - 1);
}
