/** Matrix products beyond doubles, on the device: exact in 64-bit integers. */
import type { GadgetProgram, GadgetTensor, GadgetTerm } from '../../compiler/gadget/program.ts';
import type { Device, Integers, IntVector } from '../device/device.ts';
import { isWide, rangeBits, type IntegerArray } from '../protocol/integers.ts';
import { fitsDouble, loopsOf, type Loop } from './sums.ts';

/**
 * The target's entries where they need more than 53 bits, at most 63, and are a batch of matrix products: two factors, one
 * reduced index, every other index in the target in the order batch, left, right. Undefined for any other equation.
 */
export async function matrixProduct(
  device: Device,
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  entries: (id: number) => IntegerArray,
): Promise<BigInt64Array | undefined> {
  const [term] = terms;
  if (terms.length !== 1 || term.factors.length !== 2 || fitsDouble(t.range) || rangeBits(t.range) > 63)
    return undefined;
  const { loops, coefficient } = loopsOf(program, t, term);
  const reduced = loops.filter((l) => l.target === 0);
  const outputs = loops.filter((l) => l.target > 0);
  if (coefficient !== 1n || reduced.length > 1 || outputs.some((l) => l.factors.every((step) => step === 0)))
    return undefined;
  // A loop of one iteration is left out.
  const reduce = reduced.at(0) ?? { length: 1, target: 0, factors: [0, 0] };
  if (reduced.length === 1 && reduce.factors.includes(0)) return undefined;
  const kinds = outputs.map((l) =>
    l.factors[0] > 0 && l.factors[1] > 0 ? 'batch' : l.factors[0] > 0 ? 'left' : 'right',
  );
  const swap = kinds.indexOf('right') >= 0 && kinds.indexOf('right') < kinds.lastIndexOf('left');
  const [leftFactor, rightFactor] = swap ? [1, 0] : [0, 1];
  const order = swap ? ['batch', 'right', 'left'] : ['batch', 'left', 'right'];
  if (kinds.some((k, i) => i > 0 && order.indexOf(k) < order.indexOf(kinds[i - 1]))) return undefined;
  const of = (kind: string): Loop[] => outputs.filter((_, i) => kinds[i] === kind);
  const [batch, left, right] = order.map(of);
  const size = (ls: readonly Loop[]): number => ls.reduce((n, l) => n * l.length, 1);
  const [batches, outer, inner] = [size(batch), size(left), size(right)];

  const x = entries(term.factors[leftFactor].tensor);
  const y = entries(term.factors[rightFactor].tensor);
  if (isWide(x) || isWide(y)) return undefined;
  const out = new BigInt64Array(batches * outer * inner);
  await device.scope(async () => {
    const lefts = arranged(device, x, [...batch, ...left, reduce], term, leftFactor);
    const rights = arranged(device, y, [...batch, reduce, ...right], term, rightFactor);
    for (let b = 0; b < batches; b++) {
      const own = device.slice(lefts, b * outer * reduce.length, outer * reduce.length);
      const other = device.slice(rights, b * reduce.length * inner, reduce.length * inner);
      out.set(await device.multiplyIntegers(own, other, [outer, reduce.length, inner]), b * outer * inner);
    }
  });
  return out;
}

/** Arrangements depend on the program alone; a prover meets the same ones with every proof. */
const arrangements = new WeakMap<GadgetTerm, Map<number, Int32Array>>();

/** A factor's entries on the device, in the order of the given loops. */
function arranged(
  device: Device,
  entries: Integers,
  loops: readonly Loop[],
  term: GadgetTerm,
  factor: number,
): IntVector {
  const vector = device.intVector(entries);
  const inOrder = loops.every((l, j) => l.factors[factor] === loops.slice(j + 1).reduce((n, x) => n * x.length, 1));
  if (inOrder) return vector;
  const known = arrangements.get(term) ?? new Map<number, Int32Array>();
  arrangements.set(term, known);
  const map = known.get(factor) ?? arrangement(loops, factor);
  known.set(factor, map);
  return device.gather(vector, map);
}

function arrangement(loops: readonly Loop[], factor: number): Int32Array {
  let map = Int32Array.of(0);
  for (const l of loops) {
    const step = l.factors[factor];
    const next = new Int32Array(map.length * l.length);
    for (let k = 0; k < map.length; k++) for (let i = 0; i < l.length; i++) next[k * l.length + i] = map[k] + i * step;
    map = next;
  }
  return map;
}
