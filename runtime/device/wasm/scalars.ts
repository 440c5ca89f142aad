/**
 * Operations of the WASM device on vectors of field elements and integers.
 */
import { ARGUMENTS } from '../../kernels/expression.ts';
import { Fr, toFr } from '../../field/spec.ts';
import type { Device, FrVector, IntVector, Integers, Kernel, SumcheckPoint } from '../device.ts';
import { evaluate, print, tableCount, type Expression } from '../expression.ts';
import type { Scopes } from '../scopes.ts';
import * as check from '../shapes.ts';
import { FR_SIZE } from './buckets.ts';
import type { Context } from './context.ts';
import { addressOf, entryBytes, WasmIntVector, WasmVector } from './vectors.ts';

/** Nanoseconds on one thread, for deciding what is worth a second one. */
const COST = { product: 25, wide: 10, small: 1.5, copy: 2, integer: 0.5 } as const;

type ScalarOperations = Pick<
  Device,
  | 'frVector'
  | 'intVector'
  | 'readFr'
  | 'eq'
  | 'contract'
  | 'inner'
  | 'multiplyIntegers'
  | 'histogram'
  | 'lift'
  | 'gather'
  | 'map'
  | 'slice'
  | 'prepare'
  | 'round'
  | 'fold'
>;

export function scalarOperations(ctx: Context, scopes: Scopes<{ free(): void }>): ScalarOperations {
  const { heap, views } = ctx;
  const own = <V extends { free(): void }>(v: V): V => {
    scopes.own(v);
    return v;
  };
  const newFr = (length: number) => own(new WasmVector('fr', length, heap.allocate(length * FR_SIZE), heap));
  const newInt = (length: number, bytes: 2 | 4 | 8) =>
    own(new WasmIntVector(length, bytes, heap.allocate(length * bytes), heap));
  /** Values for the time of `body`, in one block with room for as many words. */
  const uploaded = <T>(values: readonly bigint[], body: (address: number) => T): T =>
    ctx.temporary(values.length * FR_SIZE, (address) => {
      ctx.writeFr(address, values);
      return body(address);
    });
  const sumOf = (values: readonly bigint[]) => values.reduce((a, b) => Fr.add(a, b), 0n);

  const contractIntegers = (
    v: IntVector,
    reduce: number,
    inner: number,
    weights: FrVector,
    out: { address: number; length: number },
  ) =>
    ctx.temporary(2 * FR_SIZE * reduce, (halves) => {
      ctx.launch('splitWeights', reduce, COST.copy * 10, halves, [addressOf(weights)]);
      const source = addressOf(v);
      const top = v.bytes / 2 - 1;
      const run = (target: number, part: number) =>
        ctx.launch(`contractInt${8 * v.bytes}`, out.length, reduce * COST.small, target, [
          source,
          halves,
          reduce,
          inner,
          part,
        ]);
      run(out.address, top);
      if (top === 0) return;
      ctx.temporary(FR_SIZE * out.length, (more) => {
        for (let part = top - 1; part >= 0; part--) {
          run(more, part);
          ctx.launch('shiftAdd', out.length, COST.product, out.address, [more]);
        }
      });
    });

  return {
    frVector(values) {
      const address = heap.allocate(values.length * FR_SIZE);
      const v = own(new WasmVector('fr', values.length, address, heap));
      ctx.writeFr(address, values);
      return v;
    },

    intVector(values: Integers) {
      const v = newInt(values.length, values.BYTES_PER_ELEMENT as 2 | 4 | 8);
      views.u8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), v.address);
      return v;
    },

    readFr: async (v) => ctx.readFr(addressOf(v), v.length),

    eq(point, length = 2 ** point.length) {
      check.checkEqLength(point.length, length);
      const v = newFr(length);
      if (length === 0) return v;
      uploaded([1n, ...point], (elements) => {
        views.u8.copyWithin(v.address, elements, elements + FR_SIZE);
        for (let k = point.length - 1, size = 1; k >= 0; k--, size *= 2) {
          const both = Math.min(size, Math.max(0, length - size));
          const x = elements + FR_SIZE * (k + 1);
          ctx.launch('eqLevel', Math.min(size, length), COST.product, v.address, [size, both, x]);
        }
      });
      return v;
    },

    contract(v, shape, weights) {
      check.checkContract(v, shape, weights);
      const [outer, reduce, inner] = shape;
      const out = newFr(outer * inner);
      if (v.kind === 'int') contractIntegers(v, reduce, inner, weights, out);
      else
        ctx.launch('contractFr', out.length, reduce * COST.wide, out.address, [
          addressOf(v),
          addressOf(weights),
          reduce,
          inner,
        ]);
      return out;
    },

    async inner(a, b) {
      const length = Math.min(a.length, b.length);
      return ctx.temporary(2 * FR_SIZE * ctx.pool.threads, (target) => {
        const parts = ctx.launch('inner', length, COST.wide, target, [addressOf(a), addressOf(b)], 2 * FR_SIZE);
        return sumOf(ctx.readFr(target, 2 * parts));
      });
    },

    multiplyIntegers: async (left, right, shape) => multiplyIntegers(ctx, left, right, shape),

    async histogram(v, first, size) {
      return ctx.temporary(4 * size, (target) => {
        const address = addressOf(v);
        views.u8.fill(0, target, target + 4 * size);
        const bad = ctx.exports.histogram(target, address, v.bytes, first, size, 0, v.length);
        if (bad >= 0) throw check.histogramError(integerAt(ctx, v, bad), bad, first, size);
        return views.i32.slice(target / 4, target / 4 + size);
      });
    },

    lift(v) {
      const out = newFr(v.length);
      ctx.launch('lift', v.length, COST.product, out.address, [addressOf(v), v.bytes]);
      return out;
    },

    gather<V extends IntVector | FrVector>(v: V, index: Int32Array): V {
      check.checkIndex(index, v.length);
      const out = v.kind === 'fr' ? newFr(index.length) : newInt(index.length, v.bytes);
      ctx.temporary(4 * index.length, (at) => {
        views.i32.set(index, at / 4);
        ctx.launch('gather', index.length, COST.copy, out.address, [addressOf(v), at, entryBytes(v)]);
      });
      return out as FrVector | IntVector as V;
    },

    slice<V extends IntVector | FrVector>(v: V, offset: number, length: number): V {
      check.checkSlice('slice', offset, length, v.length);
      const address = addressOf(v) + offset * entryBytes(v);
      const parent = v as unknown as WasmVector<'fr'>;
      const view =
        v.kind === 'fr'
          ? new WasmVector('fr', length, address, parent)
          : new WasmIntVector(length, v.bytes, address, parent);
      return own(view) as FrVector | IntVector as V;
    },

    prepare: (expression) => ({ expression }),

    map({ expression }, tables, constants, length) {
      check.checkArguments(expression, tables.length, constants.length);
      const out = newFr(length);
      withArguments(ctx, uploaded, expression, tables, constants, { target: out.address }, (args) => {
        const cost = products(expression) * COST.product;
        ctx.launchModule(`map ${print(expression)}`, () => ctx.core.map(expression), length, cost, [args]);
      });
      return out;
    },

    async round(kernel, tables, constants, variables, points, weights) {
      check.checkTables(tables, variables);
      check.checkArguments(kernel.expression, tables.length, constants.length);
      return round(ctx, uploaded, kernel, tables, constants, variables, points, weights);
    },

    fold(tables, variables, x) {
      check.checkTables(tables, variables);
      const half = 2 ** (variables - 1);
      return uploaded([x], (at) =>
        tables.map((t) => {
          const out = newFr(Math.min(half, t.length));
          ctx.launch('fold', out.length, COST.product, out.address, [addressOf(t), t.length, half, at]);
          return out;
        }),
      );
    },
  };
}

type Uploaded = <T>(values: readonly bigint[], body: (address: number) => T) => T;

/** Products in an expression, at least 1: what its evaluation costs. */
const products = (e: Expression): number =>
  Math.max(
    1,
    evaluate<number>(e, {
      table: () => 0,
      constant: () => 0,
      add: (a, b) => a + b,
      sub: (a, b) => a + b,
      mul: (a, b) => a + b + 1,
    }),
  );

/** Whether an expression is 0 wherever all tables are, whatever the constants. */
const vanishesAtZero = (e: Expression): boolean =>
  evaluate<boolean>(e, {
    table: () => true,
    constant: () => false,
    add: (a, b) => a && b,
    sub: (a, b) => a && b,
    mul: (a, b) => a || b,
  });

/** Lays out the argument block of a program kernel. */
function withArguments<T>(
  ctx: Context,
  uploaded: Uploaded,
  expression: Expression,
  tables: readonly FrVector[],
  constants: readonly bigint[],
  words: Partial<Record<Exclude<keyof typeof ARGUMENTS, 'tables'>, number>>,
  body: (args: number) => T,
): T {
  return uploaded(constants, (at) =>
    ctx.temporary(4 * (ARGUMENTS.tables + 2 * tables.length), (args) => {
      const i32 = ctx.views.i32;
      const named = { ...words, constants: at, one: ctx.core.one };
      for (const [name, value] of Object.entries(named))
        i32[args / 4 + ARGUMENTS[name as keyof typeof ARGUMENTS]] = value;
      for (let t = 0; t < tableCount(expression); t++)
        i32.set([addressOf(tables[t]), tables[t].length], args / 4 + ARGUMENTS.tables + 2 * t);
      return body(args);
    }),
  );
}

function round(
  ctx: Context,
  uploaded: Uploaded,
  { expression }: Kernel,
  tables: readonly FrVector[],
  constants: readonly bigint[],
  variables: number,
  points: readonly SumcheckPoint[],
  weights: { readonly outer?: FrVector; readonly inner?: FrVector; readonly innerBits: number } | undefined,
): bigint[] {
  const half = 2 ** (variables - 1);
  let { outer, inner } = weights ?? {};
  let innerBits = weights?.innerBits ?? 0;
  if (inner === undefined && (outer === undefined || innerBits === 0)) {
    // One weight for each position, or none: a single block.
    [outer, inner, innerBits] = [undefined, outer, variables - 1];
  }
  const longest = Math.max(0, ...tables.slice(0, tableCount(expression)).map((t) => Math.min(half, t.length)));
  const within = outer === undefined ? half : Math.min(half, outer.length * 2 ** innerBits);
  const total = vanishesAtZero(expression) ? Math.min(longest, within) : within;
  const words = {
    half,
    outer: outer === undefined ? 0 : addressOf(outer),
    outerLength: outer?.length ?? 0,
    inner: inner === undefined ? 0 : addressOf(inner),
    innerLength: inner?.length ?? 0,
    innerBits,
  };
  const stride = 2 * FR_SIZE * points.length;
  return withArguments(ctx, uploaded, expression, tables, constants, words, (args) =>
    ctx.temporary(stride * ctx.pool.threads, (target) => {
      const key = `round ${points.join()} ${print(expression)}`;
      const cost = points.length * (products(expression) * COST.product + COST.wide);
      const parts = ctx.launchModule(
        key,
        () => ctx.core.round(expression, points),
        total,
        cost,
        [target, args],
        stride,
      );
      const values = ctx.readFr(target, 2 * points.length * parts);
      return points.map((_, k) => {
        let sum = 0n;
        for (let part = 0; part < parts; part++) {
          const at = 2 * (part * points.length + k);
          sum += values[at] + values[at + 1];
        }
        return toFr(sum);
      });
    }),
  );
}

function integerAt(ctx: Context, v: IntVector, i: number): bigint {
  const view = new DataView(ctx.views.memory.buffer, addressOf(v) + i * v.bytes, v.bytes);
  if (v.bytes === 8) return view.getBigInt64(0, true);
  return BigInt(v.bytes === 4 ? view.getInt32(0, true) : view.getInt16(0, true));
}

function multiplyIntegers(
  ctx: Context,
  left: IntVector,
  right: IntVector,
  shape: readonly [number, number, number],
): BigInt64Array {
  check.checkProduct(left, right, shape);
  const [outer, reduce, inner] = shape;
  const size = outer * inner;
  return ctx.temporary(8 * size, (target) => {
    const read = () => new BigInt64Array(ctx.views.memory.buffer.slice(target, target + 8 * size));
    if (left.bytes !== 2 || right.bytes !== 2) {
      const args = [addressOf(left), addressOf(right), left.bytes, right.bytes, reduce, inner];
      ctx.launch('multiplyAny', outer, reduce * inner, target, args);
      return read();
    }
    const stride = Math.ceil(reduce / 8) * 8;
    return ctx.temporary(2 * stride * (outer + inner), (rows) => {
      const columns = rows + 2 * stride * outer;
      packRows(ctx, rows, addressOf(left), outer, reduce, stride, reduce, 1);
      packRows(ctx, columns, addressOf(right), inner, reduce, stride, 1, inner);
      // The larger dimension is spread over the threads; a single row may stand for a column of results.
      if (outer === 1) ctx.launch('multiply16', inner, reduce * COST.integer, target, [columns, rows, stride, 1]);
      else ctx.launch('multiply16', outer, inner * reduce * COST.integer, target, [rows, columns, stride, inner]);
      return read();
    });
  });
}

/** Copies a matrix of int16 into rows of `stride` entries, zero beyond `length`. */
function packRows(
  ctx: Context,
  target: number,
  source: number,
  rows: number,
  length: number,
  stride: number,
  rowStep: number,
  entryStep: number,
): void {
  const memory = new Int16Array(ctx.views.memory.buffer);
  for (let r = 0; r < rows; r++) {
    const to = target / 2 + r * stride;
    const from = source / 2 + r * rowStep;
    if (entryStep === 1) memory.copyWithin(to, from, from + length);
    else for (let d = 0; d < length; d++) memory[to + d] = memory[from + d * entryStep]!;
    memory.fill(0, to + length, to + stride);
  }
}
