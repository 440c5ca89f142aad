/** Tensors that both parties know: public inputs and outputs, constants, and views of them. */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { FrVector, IntVector, VerifierDevice } from '../../device/device.ts';
import { isWide, type IntegerArray } from '../../integers/arrays.ts';
import { constantOf, mapOf, partsOf, tableOf } from './data.ts';
import { pointNumbers, type AxisPoints } from '../sumcheck/stacks.ts';
import type { ProgramRole } from '../program.ts';
import { mul, reduce } from '../scalar.ts';

/** Integers of the public inputs and outputs, by tensor. */
export type PublicTensors = ReadonlyMap<number, IntegerArray>;

/** Entries of a tensor on the device. */
export type DeviceTensor = IntVector | FrVector;

/** Small integers as they are, wide ones as field elements. */
export const upload = (device: VerifierDevice, a: IntegerArray): DeviceTensor =>
  isWide(a) ? device.frVector(a.map(reduce)) : device.intVector(a);

/** Uploads what is asked for, once each. */
export class UploadedPublics {
  readonly #device: VerifierDevice;
  readonly #program: GadgetProgram;
  readonly #publics: PublicTensors;
  readonly #uploaded = new Map<number, DeviceTensor>();

  constructor(device: VerifierDevice, program: GadgetProgram, publics: PublicTensors) {
    this.#device = device;
    this.#program = program;
    this.#publics = publics;
  }

  tensor(id: number): DeviceTensor {
    const vector = this.#uploaded.get(id) ?? this.#make(id);
    this.#uploaded.set(id, vector);
    return vector;
  }

  #make(id: number): DeviceTensor {
    const c = this.#program.tensors[id].class;
    if (c.kind === 'constant') return upload(this.#device, constantOf(this.#program, id));
    if (c.kind === 'selector')
      return this.#device.intVector(selectorEntries(this.#program.tensors[id].shape, this.entries(c.of)));
    if (c.kind === 'digits' || c.kind === 'view')
      return this.#device.gather(this.tensor(c.of), mapOf(this.#program, id));
    return upload(this.#device, this.entries(id));
  }

  entries(id: number): IntegerArray {
    const values = this.#publics.get(id);
    if (!values) throw new Error(`internal error: ${this.#program.tensors[id].name} is not public`);
    return values;
  }

  /** sum over i of eq(point of i, i) eq(point of v, index[i]), without the selector's zeros. */
  async selectorAt(of: number, point: AxisPoints): Promise<bigint> {
    const { shape } = this.#program.tensors[of];
    const index = this.entries(of);
    const picked = this.#device.gather(
      this.#device.eq(point[point.length - 1]),
      Int32Array.from({ length: index.length }, (_, i) => Number(index[i])),
    );
    return this.#device.inner(eqOver(this.#device, shape, point.slice(0, -1)), picked);
  }
}

/** 1 at [i, index[i]], else 0. */
export function selectorEntries(shape: readonly number[], index: ArrayLike<number | bigint>): Int16Array {
  const size = shape[shape.length - 1];
  const out = new Int16Array(index.length * size);
  for (let i = 0; i < index.length; i++) out[i * size + Number(index[i])] = 1;
  return out;
}

/** What the verifier evaluates itself. */
export function verifierRole(device: VerifierDevice, program: GadgetProgram, publics: PublicTensors): ProgramRole {
  const uploaded = new UploadedPublics(device, program, publics);
  const eq = sharedEq(device);
  return {
    indices: (id) => uploaded.entries(id),
    evaluate(id, point) {
      const { class: c, shape } = program.tensors[id];
      return c.kind === 'selector'
        ? uploaded.selectorAt(c.of, point)
        : evaluateExtension(device, uploaded.tensor(id), shape, point, eq);
    },
    evaluateView: (view, claim, point) => evaluateViewWeight(device, program, view, claim, point),
    evaluateTable(table, point) {
      const values = tableOf(program, table);
      return evaluateExtension(device, device.intVector(values), [values.length], [point], eq);
    },
  };
}

/**
 * The tensor with some axes weighted and summed: weights[j] is a vector of at least shape[j] entries, or undefined to
 * keep the axis. Row-major over the kept axes.
 */
export function contractAxes(
  device: VerifierDevice,
  tensor: DeviceTensor,
  shape: readonly number[],
  weights: readonly (FrVector | undefined)[],
): { vector: DeviceTensor; shape: number[] } {
  let vector = tensor;
  const rest = shape.map((length, j) => ({ length, weight: weights[j] }));
  for (;;) {
    // The longest axis first: what is left to do shrinks most, and the first pass is over small integers.
    let best = -1;
    for (const [j, a] of rest.entries()) if (a.weight && (best < 0 || a.length > rest[best].length)) best = j;
    const weight = best < 0 ? undefined : rest[best].weight;
    if (!weight) return { vector, shape: rest.map((a) => a.length) };
    const size = (axes: typeof rest): number => axes.reduce((n, a) => n * a.length, 1);
    vector = device.contract(
      vector,
      [size(rest.slice(0, best)), rest[best].length, size(rest.slice(best + 1))],
      weight,
    );
    rest.splice(best, 1);
  }
}

type EqTable = (point: readonly bigint[], length: number) => FrVector;

/** Tables of eq(point, .), one for all that ask for it: many tensors are evaluated where a level's sumcheck ended. */
function sharedEq(device: VerifierDevice): EqTable {
  const made = new Map<string, FrVector>();
  const numberOf = pointNumbers();
  return (point, length) => {
    const key = `${numberOf(point)} ${length}`;
    const table = made.get(key) ?? device.eq(point, length);
    made.set(key, table);
    return table;
  };
}

/** T~(point): the multilinear extension, absent entries being 0. */
export async function evaluateExtension(
  device: VerifierDevice,
  tensor: DeviceTensor,
  shape: readonly number[],
  point: AxisPoints,
  eq: EqTable = (own, length) => device.eq(own, length),
): Promise<bigint> {
  if (shape.length === 0) return first(device, device.contract(tensor, [1, 1, 1], device.frVector([1n])));
  const axes = shape.flatMap((n, j) => halvedAxis(n, point[j]));
  const lengths = axes.map((a) => a.length);
  const weights = axes.map((a) => eq(a.point, a.length));
  return first(device, contractAxes(device, tensor, lengths, weights).vector);
}

/** A long axis as two where its length allows: their tables of weights are together as long as the square root of one. */
function halvedAxis(length: number, point: readonly bigint[]): { length: number; point: readonly bigint[] }[] {
  const low = point.length >> 1;
  if (length < 256 || length % 2 ** low !== 0) return [{ length, point }];
  return [
    { length: length / 2 ** low, point: point.slice(0, point.length - low) },
    { length: 2 ** low, point: point.slice(point.length - low) },
  ];
}

const first = async (device: VerifierDevice, v: DeviceTensor): Promise<bigint> =>
  (await device.readFr(v as FrVector))[0];

/** sum over the entries i of a view of eq(claim, i) * eq(point, at(i)): the weight of the viewed tensor at `point`. */
export async function evaluateViewWeight(
  device: VerifierDevice,
  program: GadgetProgram,
  view: number,
  claim: AxisPoints,
  point: AxisPoints,
): Promise<bigint> {
  const { class: c, name, shape } = program.tensors[view];
  if (c.kind !== 'view') throw new Error(`internal error: ${name} is no view`);
  const of = program.tensors[c.of].shape;
  const over = (lengths: readonly number[], at: AxisPoints, axes: readonly number[]): FrVector =>
    eqOver(
      device,
      axes.map((j) => lengths[j]),
      axes.map((j) => at[j]),
    );
  // Both weights are products over the axes: the sum is the product of those over the view's parts.
  let weight = 1n;
  for (const part of partsOf(program, view)) {
    const viewed = device.gather(over(of, point, part.of), part.map);
    weight = mul(weight, await device.inner(over(shape, claim, part.axes), viewed));
  }
  return weight;
}

/** eq(point, .) over the row-major entries of a shape. */
export function eqOver(device: VerifierDevice, shape: readonly number[], point: AxisPoints): FrVector {
  // Padded to powers of two by the concatenated point, then cut to the shape: of the first axis the rest is at the end.
  const lengths = point.map((p) => 2 ** p.length);
  if (lengths.slice(1).every((n, j) => n === shape[j + 1]))
    return device.eq(
      point.flat(),
      shape.reduce((n, d) => n * d, 1),
    );
  return device.gather(device.eq(point.flat()), paddingMap(shape, lengths));
}

/** Positions of a shape's row-major entries in the same array with padded axes. */
export function paddingMap(shape: readonly number[], padded: readonly number[]): Int32Array {
  let map = Int32Array.of(0);
  for (const [j, length] of shape.entries()) {
    const next = new Int32Array(map.length * length);
    for (const [k, base] of map.entries()) for (let i = 0; i < length; i++) next[k * length + i] = base * padded[j] + i;
    map = next;
  }
  return map;
}
