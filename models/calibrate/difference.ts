/** How far the integers of a program are from what it computes without roundings. */
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { toNumber } from '../../compiler/ir/numbers/rational.ts';
import { inDoubles, type Numbers, type Values } from '../../runtime/evaluate/values.ts';

/** The error of one tensor over all samples. */
export interface TensorError {
  readonly tensor: Tensor;
  /** Root mean square of the difference over that of the value; 0 where both are 0. */
  readonly relative: number;
  /** Largest difference of an entry. */
  readonly most: number;
}

export interface Comparison {
  /** The tensors that are compared. */
  readonly tensors: ReadonlySet<number>;
  /** Takes in the two evaluations of one sample. */
  add(exact: ReadonlyMap<number, Values>, real: ReadonlyMap<number, Numbers>): void;
  /** In the order of the program. */
  errors(): TensorError[];
}

/** Compares every rounded tensor and every output. */
export function createComparison(program: TensorProgram): Comparison {
  const compared = program.tensors.filter(
    (t) => t.role !== 'input' && t.type?.kind !== 'index' && (t.type !== undefined || t.role === 'output'),
  );
  const sums = compared.map((tensor) => ({ tensor, difference: 0, value: 0, most: 0 }));
  return {
    tensors: new Set(compared.map((t) => t.id)),
    add: (exact, real) => {
      for (const sum of sums) {
        const [integers, numbers] = [exact.get(sum.tensor.id), real.get(sum.tensor.id)];
        if (integers === undefined || numbers === undefined) continue;
        const values = toReals(sum.tensor, integers);
        for (let k = 0; k < values.length; k++) {
          const difference = values[k] - numbers[k];
          sum.difference += difference * difference;
          sum.value += numbers[k] * numbers[k];
          if (Math.abs(difference) > sum.most) sum.most = Math.abs(difference);
        }
      }
    },
    errors: () =>
      sums.map(({ tensor, difference, value, most }) => ({
        tensor,
        relative: difference === 0 ? 0 : Math.sqrt(difference / value),
        most,
      })),
  };
}

/** The numbers that a tensor's integers stand for. */
export function toReals({ scale }: Pick<Tensor, 'scale'>, values: Values): Float64Array {
  const unit = toNumber(scale);
  const small = inDoubles(values);
  const out = new Float64Array(values.length);
  if (small !== undefined) for (let k = 0; k < out.length; k++) out[k] = small[k] * unit;
  else for (let k = 0; k < out.length; k++) out[k] = toNumber({ num: BigInt(values[k]) * scale.num, den: scale.den });
  return out;
}

/** For each row of [rows, V] the index of its largest entry, the first of equals. */
export function largest(logits: ArrayLike<number>, vocabulary: number): Int32Array {
  return Int32Array.from({ length: logits.length / vocabulary }, (_, t) => {
    let best = t * vocabulary;
    for (let k = best; k < (t + 1) * vocabulary; k++) if (logits[k] > logits[best]) best = k;
    return best - t * vocabulary;
  });
}

/** The negative log-likelihood of each row's target, in nats; of as many rows as there are targets. */
export function losses(logits: ArrayLike<number>, vocabulary: number, targets: ArrayLike<number>): Float64Array {
  const best = largest(logits, vocabulary);
  return Float64Array.from({ length: Math.min(best.length, targets.length) }, (_, t) => {
    const most = logits[t * vocabulary + best[t]];
    let sum = 0;
    for (let v = 0; v < vocabulary; v++) sum += Math.exp(logits[t * vocabulary + v] - most);
    return Math.log(sum) + most - logits[t * vocabulary + targets[t]];
  });
}
