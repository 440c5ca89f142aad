/** Operations of the WebGPU device on vectors of field elements and integers. */
import * as contraction from '../../../kernels/wgsl/vectors/contract.ts';
import * as kernels from '../../../kernels/wgsl/vectors/elementwise.ts';
import { Fr } from '../../../field/spec.ts';
import type { Device, FrVector, IntVector } from '../../device.ts';
import { contractRows } from '../../rows.ts';
import * as check from '../../shapes.ts';
import { integerOperations } from './integers.ts';
import type { Store } from '../memory/store.ts';
import { sumcheckOperations, sumVector } from './sumcheck.ts';
import type { GpuData } from '../memory/vectors.ts';

type ScalarOperations = Omit<
  Device,
  | 'name'
  | 'exclusive'
  | 'scope'
  | 'keep'
  | 'memory'
  | 'close'
  | 'decodePoints'
  | 'generators'
  | 'msm'
  | 'prepareGenerators'
  | 'commit'
>;

/** Invocations that a contraction is spread over, where it has enough terms. */
const SPREAD = 2 ** 15;
/** Terms of a share at least. */
const MIN_TERMS = 32;

export function scalarOperations(store: Store): ScalarOperations {
  const { gpu, host } = store;
  const vector = (v: FrVector | IntVector): GpuData => store.onGpu(v);

  const operations: ScalarOperations = {
    frVector: (values) => store.frVector(values),
    intVector: (values) => store.intVector(values),
    readFr: (v) => store.readFr(v),
    slice<V extends IntVector | FrVector>(v: V, offset: number, length: number): V {
      check.checkSlice('slice', offset, length, v.length);
      return store.slice(v, offset, length);
    },

    eq(point, length = 2 ** point.length) {
      check.checkEqLength(point.length, length);
      if (store.belongsOnHost(length)) return store.adopt(host.eq(point, length));
      // An outer product of two small tables, which the host makes.
      const low = point.length >> 1;
      const [a, b] = [point.slice(0, point.length - low), point.slice(point.length - low)];
      const out = store.newFr(length);
      const [high, rest] = [a, b].map((p) => vector(store.adopt(host.eq(p))));
      const params = store.params().quad(length, low).vector(out.gpu!).vector(high).vector(rest);
      gpu.dispatch(kernels.outerProduct, params.finish(), length);
      return out;
    },

    lift(v) {
      if (store.onHost([v], v.length)) return store.adopt(host.lift(store.hostOf(v)));
      const out = store.newFr(v.length);
      const params = store.params().quad(v.length).vector(out.gpu!).vector(vector(v));
      gpu.dispatch(kernels.lift(v.bytes), params.finish(), v.length);
      return out;
    },

    gather<V extends IntVector | FrVector>(v: V, index: Int32Array): V {
      check.checkIndex(index, v.length);
      if (store.onHost([v], index.length)) return store.adopt(host.gather(store.hostOf(v), index));
      const at = vector(store.intVector(index));
      const length = index.length;
      if (v.kind === 'fr') {
        const out = store.newFr(length);
        const params = store.params().quad(length).vector(out.gpu!).vector(vector(v)).vector(at);
        gpu.dispatch(kernels.gatherFr, params.finish(), length);
        return out as FrVector as V;
      }
      const out = store.newInt(length, v.bytes);
      const words = Math.ceil((length * v.bytes) / 4);
      const params = store.params().quad(words, length).vector(out.gpu!).vector(vector(v)).vector(at);
      gpu.dispatch(kernels.gatherInt(v.bytes), params.finish(), words);
      return out as IntVector as V;
    },

    contract(v, shape, weights) {
      check.checkContract(v, shape, weights);
      const [outer, reduce, inner] = shape;
      if (store.onHost([v, weights], v.length))
        return store.adopt(host.contract(store.hostOf(v), shape, store.hostOf(weights)));
      return contract(store, v, outer * inner, reduce, inner, weights);
    },

    combineRows(v, columns, rows, weights) {
      check.checkRows(v, columns, rows, weights);
      if (store.onHost([v, weights], rows.length * columns))
        return store.adopt(host.combineRows(store.hostOf(v), columns, rows, store.hostOf(weights)));
      return contractRows(operations, v, columns, rows, weights);
    },

    ...sumcheckOperations(store),
    ...integerOperations(store),
  };
  return operations;
}

function contract(
  store: Store,
  v: FrVector | IntVector,
  outputs: number,
  reduce: number,
  inner: number,
  weights: FrVector,
): FrVector {
  const { gpu } = store;
  const out = store.newFr(outputs);
  if (outputs === 0) return out;
  const shares = Math.max(1, Math.min(Math.ceil(SPREAD / outputs), Math.floor(reduce / MIN_TERMS)));
  const rows = inner < 16;
  const digits = v.kind === 'int' ? v.bytes / 2 : 1;
  const partial = store.looseFr(digits * shares * outputs);
  const temporary: { free(): void }[] = [partial];
  const w = store.onGpu(weights);
  const limbs = v.kind === 'int' ? gpu.allocate(16 * contraction.LIMB_QUADS * Math.max(1, reduce)) : undefined;
  try {
    if (limbs) {
      const split = store.params().quad(reduce).vector(w).quad(limbs.arena, limbs.quad);
      gpu.dispatch(contraction.splitWeights, split.finish(), reduce);
    }
    for (let digit = 0; digit < digits; digit++) {
      const params = store
        .params()
        .quad(outputs * shares, outputs, shares)
        .vector({ ...partial.gpu!, offset: digit * shares * outputs })
        .vector(store.onGpu(v))
        .quad(reduce, inner);
      if (limbs) params.quad(limbs.arena, limbs.quad);
      else params.vector(w);
      const kernel =
        v.kind === 'int' ? contraction.contractInt(gpu.fr, v.bytes, digit, rows) : contraction.contractFr(rows);
      gpu.dispatch(kernel, params.finish(), outputs * shares);
    }
    // Integers were shifted by half their range.
    const shift = v.kind === 'int' ? 1n << BigInt(8 * v.bytes - 1) : 0n;
    const total = store.looseFr(1);
    temporary.push(total);
    if (v.kind === 'int') sumVector(store, { ...w, length: reduce }, total.gpu!, 1, reduce);
    const params = store
      .params()
      .quad(outputs, shares, digits)
      .vector(out.gpu!)
      .vector(partial.gpu!)
      .vector(v.kind === 'int' ? total.gpu! : { ...total.gpu!, length: 0 })
      .fr(Fr.create(shift))
      .fr(1n << 16n);
    gpu.dispatch(contraction.combine, params.finish(), outputs);
  } finally {
    for (const t of temporary) t.free();
    if (limbs) gpu.free(limbs);
  }
  return out;
}
