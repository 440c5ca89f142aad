/**
 * The integers of every tensor of a gadget program, from its inputs, by the program's steps: exact, with matrix products on the
 * device. A value that its tensor cannot take is an error that names tensor, index, value and the bits that it would need.
 */
import type { GadgetProgram, GadgetTensor, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import type { Range } from '../../../compiler/ir/tensor/program.ts';
import type { Device } from '../../device/device.ts';
import { selectorEntries } from '../../protocol/statement/publics.ts';
import { digitMap, gatherMap, maskValues, viewMap } from '../../protocol/statement/views.ts';
import {
  allocateComputed,
  fromBigints,
  isSmall,
  toComputed,
  toEntries,
  type ComputedIntegers,
  type IntegerArray,
} from '../../integers/arrays.ts';
import { runStep } from './steps.ts';
import { onDevice, type Evaluation, type Place } from '../sums/products.ts';
import { sumTerms } from '../sums/sums.ts';
import { sumTermOf } from './terms.ts';

export type Inputs = ReadonlyMap<number, IntegerArray>;

/** All tensors of a program, evaluated. */
export interface Witness {
  /** As they were computed. */
  numbers(id: number): ComputedIntegers;
  /** In the storage of the tensor's range. */
  entries(id: number): IntegerArray;
}

/** `inputs`: all public and secret inputs and committed tensors, row-major, each inside its range. @throws ValueError */
export async function evaluateProgram(device: Device, program: GadgetProgram, inputs: Inputs): Promise<Witness> {
  return onDevice(device, (place) => evaluate(place, program, inputs));
}

function* evaluate(place: Place, program: GadgetProgram, inputs: Inputs): Evaluation<Witness> {
  const known = new Map<number, ComputedIntegers>();
  const maps = new SharedMaps();
  const stored = new Map<number, IntegerArray>(inputs);
  const numbers = (id: number): ComputedIntegers => {
    let v = known.get(id);
    if (v === undefined) {
      const given = stored.get(id);
      v = given ? computedOf(given, program.tensors[id].range) : makeEntries(program, id, numbers, maps);
      known.set(id, v);
    }
    return v;
  };
  const entries = (id: number): IntegerArray => {
    const v = stored.get(id) ?? toEntries(numbers(id), program.tensors[id].range);
    stored.set(id, v);
    return v;
  };
  for (const step of program.steps) {
    const own = step.kind === 'equation' ? program.equations[step.equation] : step;
    if (inputs.has(own.target)) continue;
    const t = program.tensors[own.target];
    const v = 'terms' in own ? yield* sumOf(place, program, t, own.terms, numbers) : runStep(program, own, numbers);
    known.set(own.target, toComputed(v, t.range));
  }
  return { numbers, entries };
}

/** The entries of a tensor that terms define. */
export const sumOf = (
  place: Place,
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  numbers: (id: number) => ComputedIntegers,
): Evaluation<ComputedIntegers> =>
  sumTerms(
    place,
    t.shape,
    terms.map((term) => sumTermOf(program, t, term, numbers)),
    t.range,
  );

/** Given entries may be in less than their range asks for. */
const computedOf = (given: IntegerArray, range: Range): ComputedIntegers =>
  isSmall(given) ? given : toComputed(given, range);

/** Constants, selectors, views and gathered rows: what no step computes. */
function makeEntries(
  program: GadgetProgram,
  id: number,
  numbers: (id: number) => ComputedIntegers,
  maps: SharedMaps,
): ComputedIntegers {
  const t = program.tensors[id];
  const c = t.class;
  if (c.kind === 'constant')
    return c.values ? toComputed(fromBigints(t.range, c.values), t.range) : maskValues(t.shape, c.guards ?? []);
  if (c.kind === 'selector') return selectorEntries(t.shape, numbers(c.of));
  if (c.kind !== 'view' && c.kind !== 'digits' && c.kind !== 'gathered')
    throw new Error(`internal error: ${t.name} has no value`);
  const of = numbers(c.of);
  const { shape } = program.tensors[c.of];
  const map =
    c.kind === 'view'
      ? maps.of([t.shape, shape, c.at, c.guards], () => viewMap(t.shape, shape, c.at, c.guards))
      : c.kind === 'digits'
        ? maps.of([t.shape, shape, c.axes], () => digitMap(t.shape, shape, c.axes))
        : gatherMap(shape, numbers(c.indices));
  const out = allocateComputed(program.tensors[c.of].range, map.length);
  if (isSmall(out) && isSmall(of)) {
    for (let i = 0; i < map.length; i++) if (map[i] >= 0) out[i] = of[map[i]];
  } else for (let i = 0; i < map.length; i++) if (map[i] >= 0) out[i] = of[map[i]];
  return out;
}

/** Positions of views, of which equal layers have the same: as many as there is room for. */
class SharedMaps {
  readonly #maps = new Map<string, Int32Array>();
  #size = 0;

  of(access: unknown, make: () => Int32Array): Int32Array {
    const key = JSON.stringify(access);
    const found = this.#maps.get(key);
    if (found) return found;
    const map = make();
    if (map.length > SHARED_POSITIONS) return map;
    if (this.#size + map.length > SHARED_POSITIONS) {
      this.#maps.clear();
      this.#size = 0;
    }
    this.#maps.set(key, map);
    this.#size += map.length;
    return map;
  }
}

/** Positions in all, of 4 bytes each. */
const SHARED_POSITIONS = 2 ** 21;
