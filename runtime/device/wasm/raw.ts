/** Raw access to the memory of a WASM device. */
import { AFFINE_BYTES } from '../../curve/params.ts';
import { checkFr } from '../../field/spec.ts';
import { FR_SIZE, POINT_SIZE } from '../../kernels/wasm/emit/layout.ts';
import { INFINITY_MARK } from '../../kernels/wasm/curve/curve.ts';
import type { RawMemory } from '../host.ts';
import { writeWords, type Context } from './context.ts';
import { addressOf, WasmIntVector, WasmVector } from './vectors.ts';

const FR_BYTES = 32;

export function rawMemory(ctx: Context): RawMemory {
  const { heap, views } = ctx;
  const copy = (address: number, bytes: number): Uint8Array => views.u8.slice(address, address + bytes);
  return {
    frFromBytes(bytes) {
      const length = bytes.length / FR_BYTES;
      const address = heap.allocate(length * FR_SIZE);
      ctx.temporary(bytes.length, (words) => {
        views.u8.set(bytes, words);
        ctx.exports.frFromWords(address, words, 0, length);
      });
      const vector = new WasmVector('fr', length, address, heap);
      return { vector, free: () => vector.free() };
    },

    frFromValues(values, first) {
      const words = new BigUint64Array(4 * values.length);
      for (const [i, value] of values.entries()) writeWords(words, 4 * i, checkFr(value, `entry ${first + i}`), 4);
      return new Uint8Array(words.buffer);
    },

    frToBytes: (v) =>
      ctx.temporary(FR_BYTES * v.length, (words) => {
        ctx.exports.frToWords(words, addressOf(v), 0, v.length);
        return copy(words, FR_BYTES * v.length);
      }),

    intFromBytes(bytes, width) {
      const address = heap.allocate(bytes.length);
      views.u8.set(bytes, address);
      const vector = new WasmIntVector(bytes.length / width, width, address, heap);
      return { vector, free: () => vector.free() };
    },

    intToBytes: (v) => copy(addressOf(v), v.bytes * v.length),

    pointsToBytes: (v) =>
      ctx.temporary(AFFINE_BYTES * v.length, (words) => {
        const address = addressOf(v);
        ctx.exports.fqToWords(words, address, 0, 2 * v.length);
        const out = copy(words, AFFINE_BYTES * v.length);
        for (let i = 0; i < v.length; i++)
          if (views.f64[(address + POINT_SIZE * i) / 8] === INFINITY_MARK)
            out.fill(0, AFFINE_BYTES * i, AFFINE_BYTES * (i + 1));
        return out;
      }),
  };
}
