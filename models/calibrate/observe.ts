/** How large a program's values get in runs of samples in float64, and how much room types leave above that. */
import type { FixedType } from '../../compiler/check/index.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { magnitude, type Numbers } from '../../runtime/evaluate/values.ts';

/** Of the tensors of one calibration key. */
export interface Observation {
  /** The name of one of them. */
  readonly name: string;
  /** The largest magnitude. */
  most: number;
}

/** By calibration key, and of each tensor whose type is written in the program. */
export interface Observations {
  readonly keys: Map<string, Observation>;
  readonly written: Map<string, { readonly tensor: Tensor; most: number }>;
}

export interface Observer {
  readonly observations: Observations;
  /** Takes in the numbers of a tensor, as `evaluateReal` tells of them. Weights are left out. */
  observe(tensor: Tensor, values: Numbers): undefined;
}

export function createObserver(program: TensorProgram): Observer {
  const observations: Observations = { keys: new Map(), written: new Map() };
  // Without a key these are views of what has the type, or were proved to fit.
  const exact = new Set(program.equations.flatMap((e) => (e.definition.kind === 'polynomial' ? [e.target] : [])));
  const { keys, written } = observations;
  return {
    observations,
    observe(tensor, values) {
      const { id, key, name, type, file } = tensor;
      if (type?.kind !== 'fixed' || file !== undefined) return;
      const most = magnitude(values);
      if (key !== undefined) keys.set(key, { name, most: Math.max(most, keys.get(key)?.most ?? 0) });
      else if (!exact.has(id)) written.set(name, { tensor, most: Math.max(most, written.get(name)?.most ?? 0) });
    },
  };
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
  const calibrated = [...observations.keys].flatMap(([key, { most }]) => {
    const type = types.get(key);
    return type === undefined ? [] : [line(key, type, most, false)];
  });
  const written = [...observations.written.values()].flatMap(({ tensor: { name, type }, most }) =>
    type?.kind === 'fixed' ? [line(name, type, most, true)] : [],
  );
  return [...calibrated, ...written].sort((a, b) => a.factor - b.factor || (a.name < b.name ? -1 : 1));
}
