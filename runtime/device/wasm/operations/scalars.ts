/**
 * Operations of the WASM device on vectors of field elements and integers.
 */
import { Fr } from '../../../field/spec.ts';
import type { Device, FrVector, IntVector, Integers } from '../../device.ts';
import type { Scopes } from '../../scopes.ts';
import { contractRows } from '../../rows.ts';
import * as check from '../../shapes.ts';
import { FR_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import type { Context } from '../context.ts';
import { contractIntegers } from './contract.ts';
import { integerOperations } from './integers.ts';
import { sumcheckOperations } from './sumcheck.ts';
import { addressOf, entryBytes, WasmIntVector, WasmVector } from '../vectors.ts';

/** Nanoseconds on one thread, for deciding what is worth a second one. */
const COST = { product: 25, wide: 10, copy: 2 } as const;

type ScalarOperations = Pick<
  Device,
  | 'frVector'
  | 'intVector'
  | 'readFr'
  | 'eq'
  | 'contract'
  | 'combineRows'
  | 'inner'
  | 'multiplyIntegers'
  | 'histogram'
  | 'lift'
  | 'gather'
  | 'map'
  | 'space'
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
  const sumOf = (values: readonly bigint[]) => values.reduce((a, b) => Fr.add(a, b), 0n);

  const operations: ScalarOperations = {
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
      ctx.withFr([1n, ...point], (elements) => {
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
      if (v.kind === 'int') contractIntegers(ctx, v, { reduce, inner }, weights, out);
      else
        ctx.launch('contractFr', out.length, reduce * COST.wide, out.address, [
          addressOf(v),
          addressOf(weights),
          reduce,
          inner,
        ]);
      return out;
    },

    combineRows(v, columns, rows, weights) {
      check.checkRows(v, columns, rows, weights);
      if (v.kind === 'fr') return contractRows(operations, v, columns, rows, weights);
      const out = newFr(columns);
      contractIntegers(ctx, v, { reduce: rows.length, inner: columns, rows }, weights, out);
      return out;
    },

    async inner(a, b) {
      const length = Math.min(a.length, b.length);
      return ctx.temporary(2 * FR_SIZE * ctx.pool.threads, (target) => {
        const parts = ctx.launch('inner', length, COST.wide, target, [addressOf(a), addressOf(b)], 2 * FR_SIZE);
        return sumOf(ctx.readFr(target, 2 * parts));
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
          : new WasmIntVector(length, v.bytes, address, v as unknown as WasmIntVector);
      return own(view) as FrVector | IntVector as V;
    },

    ...integerOperations(ctx),
    ...sumcheckOperations(ctx, newFr),
  };
  return operations;
}
