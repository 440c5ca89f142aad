/**
 * Scales for what a program leaves to calibration: the largest magnitudes of sample runs in float64, and from them types.
 * Weights are another matter: their types follow from the checkpoint alone.
 */
import type { Definition, Tensor, TensorProgram, TensorType } from '../../compiler/ir/tensor/program.ts';
import { readTensors } from '../../compiler/ir/tensor/walk.ts';
import { magnitude, type Numbers } from './values.ts';

export type FixedType = Extract<TensorType, { readonly kind: 'fixed' }>;

/** The largest magnitude seen under each calibration key, and of each tensor whose type is written in the program. */
export interface Observations {
  readonly keys: Map<string, number>;
  readonly written: Map<string, { readonly tensor: Tensor; readonly most: number }>;
  samples: number;
}

export const noObservations = (): Observations => ({ keys: new Map(), written: new Map(), samples: 0 });

/** Takes in one run of `evaluateReal`; weights are left out. */
export function observe(program: TensorProgram, values: ReadonlyMap<number, Numbers>, into: Observations): void {
  into.samples++;
  // Without a key these are views of what has the type, or were proved to fit.
  const exact = new Set(program.equations.flatMap((e) => (e.definition.kind === 'polynomial' ? [e.target] : [])));
  for (const tensor of program.tensors) {
    const numbers = values.get(tensor.id);
    if (numbers === undefined || tensor.type?.kind !== 'fixed' || tensor.file !== undefined) continue;
    const most = magnitude(numbers);
    if (tensor.key !== undefined) into.keys.set(tensor.key, Math.max(most, into.keys.get(tensor.key) ?? 0));
    else if (!exact.has(tensor.id))
      into.written.set(tensor.name, { tensor, most: Math.max(most, into.written.get(tensor.name)?.most ?? 0) });
  }
}

export interface ScaleOptions {
  /** Of activations, 4 to 32. */
  readonly bits: number;
  /** How many times the largest magnitude of the samples has to fit, at least 1. */
  readonly headroom: number;
}

/** More fraction bits than this are never given: what is always 0 needs none. */
const MAX_FRACTION = 40;

/** The most fraction bits at which `fixed<bits, frac>` holds numbers up to `most`. */
export function fractionBits(most: number, bits: number): number {
  if (most === 0) return Math.min(bits - 1, MAX_FRACTION);
  let frac = Math.min(MAX_FRACTION, bits - 1 - Math.floor(Math.log2(most)));
  // Half a unit below 2^(bits-1), so that no rounding reaches it.
  while (most * 2 ** frac >= 2 ** (bits - 1) - 0.5) frac--;
  return frac;
}

/** The type of a weight: a power-of-two scale that the tensor's largest magnitude determines. */
export const weightType = (most: number, bits: number): FixedType => ({
  kind: 'fixed',
  bits,
  frac: fractionBits(most, bits),
});

/**
 * Types for all keys that were observed.
 *
 * - A value gets `bits` and the most fraction bits that hold it with headroom.
 * - The argument of a table gets as many bits as make the table at most 2^bits rows; all calls of one table get one type,
 *   so that they share it.
 * - The argument of a saturating table and the values it is a sum or difference of get the same fraction bits, where
 *   nothing else reads those: more would be cut off unseen, and so the table holds every difference there can be.
 *
 * @param program checked as provisional, or with an older calibration
 */
export function chooseScales(
  program: TensorProgram,
  { keys }: Observations,
  { bits, headroom }: ScaleOptions,
): Map<string, FixedType> {
  const types = new Map<string, FixedType>();
  for (const [key, most] of keys) types.set(key, { kind: 'fixed', bits, frac: fractionBits(most * headroom, bits) });
  for (const { table, tensors } of tableArguments(program)) {
    const { argument, values, saturate } = program.tables[table];
    // A domain that is half of its type leaves room for one bit more.
    const half = argument.kind === 'fixed' && values.length <= 2 ** (argument.bits - 1);
    const wide = half ? bits + 1 : bits;
    const most = Math.max(...tensors.map(({ key }) => keys.get(key) ?? 0));
    const sources = saturate ? summands(program, tensors) : [];
    const given = sources.map(({ key }) => types.get(key)?.frac ?? Infinity);
    const frac = Math.min(fractionBits(most * headroom, wide), ...given);
    for (const { key } of tensors) types.set(key, { kind: 'fixed', bits: wide, frac });
    for (const { key, alone } of sources) if (alone) types.set(key, { kind: 'fixed', bits, frac });
  }
  return types;
}

interface Keyed {
  readonly id: number;
  readonly key: string;
}

/** The tables whose arguments' types are calibrated, with those arguments. */
function tableArguments(program: TensorProgram): { readonly table: number; readonly tensors: readonly Keyed[] }[] {
  const found = new Map<number, Keyed[]>();
  for (const { definition } of program.equations) {
    if (definition.kind !== 'table') continue;
    const { id, key } = program.tensors[definition.argument];
    if (key !== undefined) found.set(definition.table, [...(found.get(definition.table) ?? []), { id, key }]);
  }
  return [...found].map(([table, tensors]) => ({ table, tensors }));
}

/**
 * The calibrated tensors whose entries, or whose maxima, are summed in the arguments. `alone`: nothing else reads them.
 */
function summands(program: TensorProgram, argumentsOf: readonly Keyed[]): (Keyed & { readonly alone: boolean })[] {
  const ids = new Set(argumentsOf.map(({ id }) => id));
  const definitions = new Map(program.equations.map((e) => [e.target, e.definition]));
  const readers = new Map<number, number[]>();
  for (const { target, definition } of program.equations)
    for (const id of readTensors(definition)) readers.set(id, [...(readers.get(id) ?? []), target]);
  const alone = (id: number): boolean =>
    (readers.get(id) ?? []).every((r) => ids.has(r) || (definitions.get(r)?.kind === 'max' && alone(r)));
  const found = new Set<number>();
  const visit = (id: number): void => {
    const definition = definitions.get(id);
    for (const source of plainSum(definition))
      if (definitions.get(source)?.kind === 'max') visit(source);
      else found.add(source);
  };
  for (const id of ids) visit(id);
  return [...found].flatMap((id) => {
    const { key, role } = program.tensors[id];
    return key === undefined ? [] : [{ id, key, alone: role === 'inner' && alone(id) }];
  });
}

/** The tensors of a sum of single entries. */
function plainSum(definition: Definition | undefined): number[] {
  const p =
    definition?.kind === 'polynomial'
      ? definition.polynomial
      : definition?.kind === 'round' && definition.form === 'P'
        ? definition.p
        : definition?.kind === 'max'
          ? definition.of
          : undefined;
  if (p === undefined || p.terms.some((t) => t.factors.length !== 1 || t.reduced.length > 0)) return [];
  return [...new Set(p.terms.map((t) => t.factors[0].tensor))];
}

/** One line of a report on headroom. */
export interface Headroom {
  /** A calibration key, or the name of a tensor whose type is written. */
  readonly name: string;
  readonly type: FixedType;
  /** The largest magnitude seen. */
  readonly most: number;
  /** How many times that the type holds; infinite for what was always 0. */
  readonly factor: number;
  readonly written: boolean;
}

/** How much room each type leaves above what was seen, the tightest first. */
export function headroomOf(observations: Observations, types: ReadonlyMap<string, FixedType>): Headroom[] {
  const line = (name: string, type: FixedType, most: number, written: boolean): Headroom => ({
    name,
    type,
    most,
    factor: (2 ** (type.bits - 1) - 0.5) / (most * 2 ** type.frac),
    written,
  });
  const calibrated = [...observations.keys].flatMap(([key, most]) => {
    const type = types.get(key);
    return type === undefined ? [] : [line(key, type, most, false)];
  });
  const written = [...observations.written.values()].flatMap(({ tensor: { name, type }, most }) =>
    type?.kind === 'fixed' ? [line(name, type, most, true)] : [],
  );
  return [...calibrated, ...written].sort((a, b) => a.factor - b.factor || (a.name < b.name ? -1 : 1));
}
