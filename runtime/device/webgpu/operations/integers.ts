/** Operations of the WebGPU device on integers alone. */
import * as kernels from '../../../kernels/wgsl/vectors/integers.ts';
import type { Device, IntMatrices } from '../../device.ts';
import * as check from '../../shapes.ts';
import type { Store } from '../memory/store.ts';

export function integerOperations(store: Store): Pick<Device, 'multiplyIntegers' | 'histogram'> {
  const { gpu, host } = store;
  return {
    async multiplyIntegers(left, right, shape) {
      check.checkProduct(left, right, shape);
      const [batch, outer, reduce, inner] = shape;
      const size = batch * outer * inner;
      const [a, b] = [left.vector, right.vector];
      if (store.onHost([a, b], size * reduce)) {
        const onHost = (m: IntMatrices): IntMatrices => ({ ...m, vector: store.hostOf(m.vector) });
        return host.multiplyIntegers(onHost(left), onHost(right), shape);
      }
      if (size === 0) return new BigInt64Array(0);
      const out = store.looseInt(size, 8);
      try {
        const params = store
          .params()
          .quad(size)
          .vector(out.gpu!)
          .vector(store.onGpu(a))
          .vector(store.onGpu(b))
          .quad(outer, reduce, inner)
          .quad(left.offset, ...left.strides)
          .quad(right.offset, ...right.strides);
        gpu.dispatch(kernels.multiplyIntegers(a.bytes, b.bytes), params.finish(), size);
        const bytes = await store.readInt(out);
        return new BigInt64Array(bytes.buffer, bytes.byteOffset, size);
      } finally {
        out.free();
      }
    },

    async histogram(v, first, size) {
      if (store.onHost([v], v.length)) return host.histogram(store.hostOf(v), first, size);
      const counters = gpu.counters(size + 1);
      try {
        const from = BigInt.asUintN(64, BigInt(first));
        const params = store
          .params()
          .quad(v.length)
          .vector(store.onGpu(v))
          .quad(Number(from & 0xffffffffn), Number(from >> 32n), size);
        gpu.dispatch(kernels.histogram(v.bytes), params.finish(), v.length, counters);
        const [bytes] = await gpu.readMany([{ buffer: counters, offset: 0, bytes: 4 * (size + 1) }]);
        const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size + 1);
        if (words[size] !== 0) {
          const bad = 0xffffffff - words[size];
          throw check.histogramError(await valueAt(store, v, bad), bad, first, size);
        }
        return new Int32Array(words.buffer, words.byteOffset, size).slice();
      } finally {
        gpu.submit();
        counters.destroy();
      }
    },
  };
}

async function valueAt(store: Store, v: Parameters<Device['histogram']>[0], i: number): Promise<bigint> {
  const one = store.slice(v, i, 1);
  await store.bringToHost([one]);
  const bytes = store.host.raw.intToBytes(store.hostOf(one));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (v.bytes === 8) return view.getBigInt64(0, true);
  return BigInt(v.bytes === 4 ? view.getInt32(0, true) : view.getInt16(0, true));
}
