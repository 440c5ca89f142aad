/** Values that have no meaning in a program. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Tensor } from '../../compiler/ir/tensor/program.ts';
import { bitsOf, indexAt } from '../integers/errors.ts';

/** What is wrong with a value, besides its place. */
export type Fault =
  /** Outside its type, or what a table has values for. */
  | 'range'
  /** Not positive under a division, or negative under a root. */
  | 'divisor';

/** An entry that has no meaning in a program: names the tensor, the index, the value and the bits it needs. */
export class EvaluationError extends ValueError {
  declare readonly tensor: string;
  declare readonly index: readonly number[];
  /** The integer. */
  declare readonly value: bigint;
  readonly fault: Fault;
  /** Bits of the smallest signed type that holds the integer. */
  readonly bits: number;

  constructor(tensor: Tensor, position: number, value: bigint, fault: Fault) {
    const index = indexAt(tensor.shape, position);
    const bits = bitsOf(value);
    super(describe(tensor, index, value, fault, bits), {
      tensor: tensor.name,
      problem: { kind: fault, index, value, bits },
      code: 'ZKL_EVALUATION',
      name: 'EvaluationError',
    });
    this.fault = fault;
    this.bits = bits;
  }
}

function describe(tensor: Tensor, index: readonly number[], value: bigint, fault: Fault, bits: number): string {
  const place = index.length === 0 ? tensor.name : `${tensor.name}[${index.join(', ')}]`;
  if (fault === 'divisor') return `${place}: division by ${value}, or its root`;
  const { type, key, scale } = tensor;
  const real = Number(((value < 0n ? -value : value) * scale.num * 2n ** 20n) / scale.den) / 2 ** 20;
  const shown = `${place} = ${value < 0n ? '-' : ''}${Number(real.toPrecision(6))}`;
  if (type === undefined) return `${shown} is out of range: the integer ${value} needs ${bits} bits`;
  if (type.kind === 'index') return `${shown} is outside index<${type.size}>`;
  const declared = `fixed<${type.bits}, ${type.frac}> has ${type.bits}`;
  const remedy = key === undefined ? '' : `; calibration gave that under "${key}"`;
  return `${shown} needs ${bits} bits with ${type.frac} after the point, ${declared}${remedy}`;
}
