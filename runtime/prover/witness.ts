/**
 * The integers of every tensor of a program, from its inputs, in order of evaluation. Exact: matrix products whose sums
 * are proved to fit 64 bits run on the device, everything else in plain loops.
 */
import type {
  AxisBinding,
  GadgetEquation,
  GadgetProgram,
  GadgetTensor,
  GadgetTerm,
} from '../../compiler/gadget/program.ts';
import type { Device, Integers, IntVector } from '../device/device.ts';
import { allocate, entry, fromBigints, isWide, rangeBits, setEntry, type IntegerArray } from '../protocol/integers.ts';
import { bitsFor } from '../protocol/scalar.ts';
import { maskValues, viewMap } from '../protocol/views.ts';

export type Witness = ReadonlyMap<number, IntegerArray>;

/** `inputs`: all public inputs and committed tensors, row-major, each inside its range. */
export async function evaluateProgram(
  device: Device,
  program: GadgetProgram,
  inputs: Witness,
): Promise<Map<number, IntegerArray>> {
  const known = new Map(inputs);
  for (const e of program.equations) known.set(e.target, await evaluateEquation(device, program, e, known));
  return known;
}

/** The entries of any tensor: given, evaluated, constant, or a view. Views and constants are kept once made. */
export function tensorEntries(program: GadgetProgram, known: Map<number, IntegerArray>, id: number): IntegerArray {
  const have = known.get(id);
  if (have) return have;
  const t = program.tensors[id];
  const made = makeEntries(program, known, t);
  known.set(id, made);
  return made;
}

function makeEntries(program: GadgetProgram, known: Map<number, IntegerArray>, t: GadgetTensor): IntegerArray {
  const c = t.class;
  if (c.kind === 'constant') return c.values ? fromBigints(t.range, c.values) : maskValues(t.shape, c.guards ?? []);
  if (c.kind !== 'view') throw new Error(`internal error: ${t.name} has no value`);
  const of = tensorEntries(program, known, c.of);
  const map = viewMap(t.shape, program.tensors[c.of].shape, c.at, c.guards);
  const out = allocate(program.tensors[c.of].range, map.length);
  for (const [i, position] of map.entries()) if (position >= 0) setEntry(out, i, entry(of, position));
  return out;
}

async function evaluateEquation(
  device: Device,
  program: GadgetProgram,
  e: GadgetEquation,
  known: Map<number, IntegerArray>,
): Promise<IntegerArray> {
  const t = program.tensors[e.target];
  if (e.terms.length === 1) {
    const product = await matrixProduct(device, program, t, e.terms[0], known);
    if (product) return product;
  }
  const out = allocate(
    t.range,
    t.shape.reduce((n, d) => n * d, 1),
  );
  const sums = Array.from({ length: out.length }, () => 0n);
  for (const term of e.terms) addTerm(program, t, term, known, sums);
  for (const [i, v] of sums.entries()) setEntry(out, i, v);
  return out;
}

/** A loop of a term: over an output index, a summed reduced index, or an axis that only one factor has. */
interface Loop {
  readonly length: number;
  /** Stride in the target (0 for reduced) and in each factor. */
  readonly target: number;
  readonly factors: readonly number[];
}

const strides = (shape: readonly number[]): number[] =>
  shape.map((_, j) => shape.slice(j + 1).reduce((n, d) => n * d, 1));

/** The loops of a term and the coefficient of its raw sum. */
function loopsOf(program: GadgetProgram, t: GadgetTensor, term: GadgetTerm): { loops: Loop[]; coefficient: bigint } {
  const targetStrides = strides(t.shape);
  const factorStrides = term.factors.map((f) => strides(program.tensors[f.tensor].shape));
  const along = (match: (a: AxisBinding) => boolean): number[] =>
    term.factors.map((f, k) => f.axes.reduce((s, a, j) => (match(a) ? s + factorStrides[k][j] : s), 0));
  const outputs = t.shape.map((length, o): Loop => {
    const v = term.shared.indexOf(o);
    const factors = along(
      (a) => (a.kind === 'output' && a.output === o) || (v >= 0 && a.kind === 'summed' && a.variable === v),
    );
    return { length, target: targetStrides[o], factors };
  });
  const summed = term.variables
    .map((length, v): Loop => ({ length, target: 0, factors: along((a) => a.kind === 'summed' && a.variable === v) }))
    .slice(term.shared.length);
  let coefficient = term.coefficient;
  const halves: Loop[] = [];
  for (const [k, f] of term.factors.entries())
    for (const [j, a] of f.axes.entries())
      if (a.kind === 'half') {
        const length = program.tensors[f.tensor].shape[j];
        coefficient /= BigInt(2 ** bitsFor(length));
        halves.push({ length, target: 0, factors: term.factors.map((_, i) => (i === k ? factorStrides[k][j] : 0)) });
      }
  return { loops: [...outputs, ...summed, ...halves], coefficient };
}

function addTerm(
  program: GadgetProgram,
  t: GadgetTensor,
  term: GadgetTerm,
  known: Map<number, IntegerArray>,
  sums: bigint[],
): void {
  const { loops, coefficient } = loopsOf(program, t, term);
  const entries = term.factors.map((f) => tensorEntries(program, known, f.tensor));
  const offsets = term.factors.map(() => 0);
  const run = (depth: number, target: number): void => {
    if (depth === loops.length) {
      let product = coefficient;
      for (const [k, a] of entries.entries()) product *= entry(a, offsets[k]);
      sums[target] += product;
      return;
    }
    const { length, target: step, factors } = loops[depth];
    for (let i = 0; i < length; i++) {
      run(depth + 1, target + i * step);
      for (const [k, s] of factors.entries()) offsets[k] += s;
    }
    for (const [k, s] of factors.entries()) offsets[k] -= length * s;
  };
  run(0, 0);
}

/**
 * A batch of matrix products: two factors, one reduced index, every other index in the target in the order batch, left,
 * right. Undefined if the term is something else or could exceed 63 bits.
 */
async function matrixProduct(
  device: Device,
  program: GadgetProgram,
  t: GadgetTensor,
  term: GadgetTerm,
  known: Map<number, IntegerArray>,
): Promise<IntegerArray | undefined> {
  if (term.factors.length !== 2 || term.coefficient !== 1n || rangeBits(t.range) > 63 || rangeBits(t.range) <= 32)
    return undefined;
  if (term.free.length > 0 || term.variables.length !== term.shared.length + 1) return undefined;
  if (term.factors.some((f) => f.axes.some((a) => a.kind === 'half'))) return undefined;
  const { loops } = loopsOf(program, t, term);
  const outputs = loops.slice(0, t.shape.length);
  const kinds = outputs.map((l) =>
    l.factors[0] > 0 && l.factors[1] > 0 ? 'batch' : l.factors[0] > 0 ? 'left' : 'right',
  );
  const swap = kinds.indexOf('right') >= 0 && kinds.indexOf('right') < kinds.lastIndexOf('left');
  const [leftFactor, rightFactor] = swap ? [1, 0] : [0, 1];
  const order = swap ? ['batch', 'right', 'left'] : ['batch', 'left', 'right'];
  if (kinds.some((k, i) => i > 0 && order.indexOf(k) < order.indexOf(kinds[i - 1]))) return undefined;
  const reduce = loops[t.shape.length];
  const of = (kind: string): Loop[] => outputs.filter((_, i) => kinds[i] === kind);
  const [batch, left, right] = order.map(of);
  const size = (ls: readonly Loop[]): number => ls.reduce((n, l) => n * l.length, 1);
  const [batches, outer, inner] = [size(batch), size(left), size(right)];

  const x = tensorEntries(program, known, term.factors[leftFactor].tensor);
  const y = tensorEntries(program, known, term.factors[rightFactor].tensor);
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
