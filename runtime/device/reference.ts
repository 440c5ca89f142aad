/**
 * The reference device: every operation as its definition reads, on bigints and @noble/curves. Slow, and the specification of all others.
 */
import type { SumcheckPoint } from '../kernels/expression.ts';
import { checkFr, Fr, toFr } from '../field/spec.ts';
import { blindingGenerator, generatorBytes, type GeneratorCache } from '../curve/generators.ts';
import { AFFINE_BYTES, POINT_BYTES } from '../curve/params.ts';
import { compress, decompress, fromAffineBytes, Point, sumOfProducts } from '../curve/spec.ts';
import type {
  CommitRow,
  Device,
  FrVector,
  IndexedTable,
  IntMatrices,
  IntVector,
  Integers,
  PointVector,
  RealMatrices,
  AnyTable,
} from './device.ts';
import { evaluate, leading, SPLIT_BITS, type Expression } from '../kernels/expression.ts';
import { Scopes } from './scopes.ts';
import * as check from './shapes.ts';
import { Turns } from './turns.ts';

/** A vector with its entries; freed ones keep none, and say so. */
class Vector<Kind extends string, T> {
  readonly kind: Kind;
  readonly length: number;
  #entries: readonly T[] | undefined;
  /** What this is a part of, from where on. */
  readonly #whole: { readonly vector: Vector<Kind, T>; readonly offset: number } | undefined;

  constructor(kind: Kind, entries: readonly T[], whole?: { vector: Vector<Kind, T>; offset: number }) {
    this.kind = kind;
    this.length = entries.length;
    this.#entries = entries;
    this.#whole = whole;
  }

  get entries(): readonly T[] {
    if (this.#entries === undefined) throw new Error('this vector was freed with its scope');
    if (this.#whole === undefined) return this.#entries;
    const { vector, offset } = this.#whole;
    return vector.entries.slice(offset, offset + this.length);
  }

  write(entries: readonly T[], offset = 0): void {
    if (this.#whole) this.#whole.vector.write(entries, this.#whole.offset + offset);
    else
      this.#entries = this.entries.map((v, i) =>
        i < offset || i >= offset + entries.length ? v : entries[i - offset],
      );
  }

  free(): void {
    this.#entries = undefined;
  }
}

class IntegerVector extends Vector<'int', bigint> {
  readonly bytes: 2 | 4 | 8;

  constructor(entries: readonly bigint[], bytes: 2 | 4 | 8) {
    super('int', entries);
    this.bytes = bytes;
  }
}

type ScalarVector = Vector<'fr', bigint>;
type Points = Vector<'points', Point>;

const scalars = (v: FrVector): readonly bigint[] => (v as ScalarVector).entries;
const integers = (v: IntVector): readonly bigint[] => (v as IntegerVector).entries;
const points = (v: PointVector): readonly Point[] => (v as Points).entries;
const asFr = (v: AnyTable): readonly bigint[] =>
  v.kind === 'fr' ? scalars(v) : v.kind === 'int' ? integers(v).map(toFr) : picked(v);

function picked({ entries, index, split }: IndexedTable): bigint[] {
  const from = scalars(entries);
  const entry = (i: number): bigint => {
    if (i < 0 || i >= from.length) throw new RangeError(`position ${i} of ${from.length} entries`);
    return from[i];
  };
  const lows = 2 ** SPLIT_BITS;
  return integers(index).map((v) => {
    const i = Number(v);
    return split ? Fr.add(entry(i % lows), entry(lows + Math.floor(i / lows))) : entry(i);
  });
}

/** The value of an expression where table i has the value values[i]. */
const valueOf = (e: Expression, values: readonly bigint[], constants: readonly bigint[]): bigint =>
  evaluate<bigint>(e, {
    table: (i) => values[i],
    constant: (i) => constants[i],
    add: (a, b) => Fr.add(a, b),
    sub: (a, b) => Fr.sub(a, b),
    mul: (a, b) => Fr.mul(a, b),
  });

/** @param options.generators where to keep generators between runs. */
const entriesOf = ({ vector, offset, strides }: IntMatrices) => {
  const all = integers(vector);
  return (b: number, i: number, j: number): bigint => all[offset + b * strides[0] + i * strides[1] + j * strides[2]];
};

export function createReferenceDevice(options: { readonly generators?: GeneratorCache } = {}): Device {
  const scopes = new Scopes<{ free(): void }>((v) => v.free());
  const turns = new Turns();
  const own = <V extends { free(): void }>(v: V): V => {
    scopes.own(v);
    return v;
  };
  const fr = (entries: readonly bigint[]): FrVector => own(new Vector('fr', entries));

  const generatorPoints = async (count: number): Promise<Point[]> => {
    const bytes = await generatorBytes(count, options.generators);
    return Array.from({ length: count }, (_, i) =>
      fromAffineBytes(bytes.subarray(i * AFFINE_BYTES, (i + 1) * AFFINE_BYTES)),
    );
  };

  return {
    name: 'reference',
    exclusive: (body) => turns.exclusive(body),
    scope: (body) => scopes.scope(body),
    keep: (body) => scopes.keep(body),

    frVector: (values) => fr(values.map((value, i) => checkFr(value, `entry ${i}`))),
    intVector: (values: Integers) =>
      own(new IntegerVector(Array.from(values, BigInt), values.BYTES_PER_ELEMENT as 2 | 4 | 8)),
    readFr: async (v) => [...scalars(v)],

    eq(point, length = 2 ** point.length) {
      check.checkEqLength(point.length, length);
      const term = (i: number) =>
        point.reduce((product, x, j) => {
          const bit = Math.floor(i / 2 ** (point.length - 1 - j)) % 2;
          return Fr.mul(product, bit === 1 ? x : Fr.sub(1n, x));
        }, 1n);
      return fr(Array.from({ length }, (_, i) => term(i)));
    },

    contract(v, shape, weights) {
      check.checkContract(v, shape, weights);
      const [outer, reduce, inner] = shape;
      const [a, w] = [asFr(v), scalars(weights)];
      const out = Array.from({ length: outer * inner }, () => 0n);
      for (let o = 0; o < outer; o++)
        for (let d = 0; d < reduce; d++)
          for (let i = 0; i < inner; i++) out[o * inner + i] += w[d] * a[(o * reduce + d) * inner + i];
      return fr(out.map(toFr));
    },

    combineRows(v, columns, rows, weights) {
      check.checkRows(v, columns, rows, weights);
      const [a, w] = [asFr(v), scalars(weights)];
      const out = Array.from({ length: columns }, () => 0n);
      for (const [k, row] of rows.entries()) for (let j = 0; j < columns; j++) out[j] += w[k] * a[row * columns + j];
      return fr(out.map(toFr));
    },

    inner: async (a, b) =>
      scalars(a).reduce((sum, x, i) => (i < b.length ? Fr.add(sum, Fr.mul(x, scalars(b)[i])) : sum), 0n),

    async decodePoints(bytes) {
      if (bytes.length % POINT_BYTES !== 0) return { bad: Math.floor(bytes.length / POINT_BYTES), reason: 'encoding' };
      const decoded: Point[] = [];
      for (let i = 0; i < bytes.length / POINT_BYTES; i++) {
        const point = decompress(bytes.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES));
        if (typeof point === 'string') return { bad: i, reason: point };
        decoded.push(point);
      }
      return own(new Vector('points', decoded));
    },

    async generators(count) {
      const all = [...(await generatorPoints(count)), fromAffineBytes(blindingGenerator())];
      return own(new Vector('points', all));
    },

    async msm(parts) {
      check.checkMsm(parts);
      const sums = parts.map((part) =>
        sumOfProducts(points(part.points).slice(0, part.scalars.length), scalars(part.scalars)),
      );
      return compress(sums.reduce((a, b) => a.add(b), Point.ZERO));
    },

    prepareGenerators: async (count) => void (await generatorPoints(count)),

    async commit(rows: readonly CommitRow[]) {
      for (const row of rows) check.checkSlice('commit', row.offset, row.length, row.vector.length);
      const bases = await generatorPoints(Math.max(0, ...rows.map((row) => row.length)));
      const h = fromAffineBytes(blindingGenerator());
      return rows.map(({ vector, offset, length, blinding }) => {
        const row = asFr(vector).slice(offset, offset + length);
        return compress(sumOfProducts([...bases.slice(0, length), h], [...row, checkFr(blinding, 'blinding')]));
      });
    },

    async multiplyIntegers(left, right, shape) {
      check.checkProduct(left, right, shape);
      const [batch, outer, reduce, inner] = shape;
      const [a, b] = [entriesOf(left), entriesOf(right)];
      const out = new BigInt64Array(batch * outer * inner);
      let at = 0;
      for (let k = 0; k < batch; k++)
        for (let o = 0; o < outer; o++)
          for (let i = 0; i < inner; i++, at++) for (let d = 0; d < reduce; d++) out[at] += a(k, o, d) * b(k, d, i);
      return out;
    },

    async multiplyReals(left, right, shape) {
      check.checkProduct(left, right, shape);
      const [batch, outer, reduce, inner] = shape;
      const out = new Float64Array(batch * outer * inner);
      const entry = ({ values, offset, strides: [x, y, z] }: RealMatrices, i: number, j: number, k: number): number =>
        values[offset + i * x + j * y + k * z];
      let at = 0;
      for (let k = 0; k < batch; k++)
        for (let o = 0; o < outer; o++)
          for (let i = 0; i < inner; i++, at++)
            for (let d = 0; d < reduce; d++) out[at] += entry(left, k, o, d) * entry(right, k, d, i);
      return out;
    },

    async histogram(v, first, size) {
      const out = new Int32Array(size);
      for (const [i, value] of integers(v).entries()) {
        const k = Number(value) - first;
        if (k < 0 || k >= size) throw check.histogramError(value, i, first, size);
        out[k]++;
      }
      return out;
    },

    lift: (v) => fr(integers(v).map(toFr)),

    gather<V extends IntVector | FrVector>(v: V, index: Int32Array): V {
      check.checkIndex(index, v.length);
      const pick = (entries: readonly bigint[]) => Array.from(index, (i) => (i < 0 ? 0n : entries[i]));
      return (v.kind === 'fr' ? fr(pick(scalars(v))) : own(new IntegerVector(pick(integers(v)), v.bytes))) as V;
    },

    map({ expression }, tables, constants, length, into) {
      check.checkArguments(expression, tables.length, constants.length);
      check.checkIndexed(tables);
      check.checkInto(into, length);
      const all = tables.map(asFr);
      const at = (i: number) => all.map((t) => t[i] ?? 0n);
      const values = Array.from({ length }, (_, i) => valueOf(expression, at(i), constants));
      if (into === undefined) return fr(values);
      (into as ScalarVector).write(values);
      return into;
    },

    space: (length) => fr(Array.from({ length }, () => 0n)),

    slice<V extends IntVector | FrVector>(v: V, offset: number, length: number): V {
      check.checkSlice('slice', offset, length, v.length);
      const part = (entries: readonly bigint[]) => entries.slice(offset, offset + length);
      if (v.kind === 'int') return own(new IntegerVector(part(integers(v)), v.bytes)) as IntVector as V;
      return own(new Vector('fr', part(scalars(v)), { vector: v as ScalarVector, offset })) as FrVector as V;
    },

    prepare: (expression) => ({ expression }),

    async round({ expression }, tables, constants, variables, at, weights) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      check.checkArguments(expression, tables.length, constants.length);
      const half = 2 ** (variables - 1);
      const innerSize = 2 ** (weights?.innerBits ?? 0);
      const all = tables.map(asFr);
      const entry = (v: FrVector | undefined, i: number) => (v === undefined ? 1n : (scalars(v)[i] ?? 0n));
      const sumAt = (x: SumcheckPoint) => {
        const e = x === 'inf' ? leading(expression) : expression;
        let sum = 0n;
        for (let j = 0; j < half; j++) {
          const values = all.map((t) => {
            const lo = t[j] ?? 0n;
            const slope = Fr.sub(t[j + half] ?? 0n, lo);
            return x === 'inf' ? slope : Fr.add(lo, Fr.mul(toFr(x), slope));
          });
          const weight = Fr.mul(entry(weights?.outer, Math.floor(j / innerSize)), entry(weights?.inner, j % innerSize));
          sum = Fr.add(sum, Fr.mul(weight, valueOf(e, values, constants)));
        }
        return sum;
      };
      return at.map(sumAt);
    },

    fold(tables, variables, x) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      const half = 2 ** (variables - 1);
      return tables.map(asFr).map((t) => {
        const bind = (lo: bigint, hi: bigint) => Fr.add(lo, Fr.mul(x, Fr.sub(hi, lo)));
        const length = Math.min(half, t.length);
        return fr(Array.from({ length }, (_, j) => bind(t[j], t[j + half] ?? 0n)));
      });
    },

    memory: () => ({ limit: Infinity, used: 0, peak: 0, element: 32 }),

    close: async () => turns.close(),
  };
}
