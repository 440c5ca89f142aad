/** Tensors of exact integers, and what goes wrong with their values. */
import { ValueError, type ValueProblem } from '../ir/errors.ts';
import type { TensorType } from '../ir/tensor/program.ts';

/** Row-major; `values.length` is the product of the shape. */
export interface IntTensor {
  readonly shape: readonly number[];
  readonly values: readonly bigint[];
}

/** A value that has no meaning in a program: names the tensor, the entry, the value and the bits it needs. */
export const valueError = (tensor: string, problem: InterpretProblem, type?: TensorType): ValueError =>
  new ValueError(`${tensor}${describe(problem, type)}`, { tensor, problem });

type InterpretProblem = Exclude<ValueProblem, { readonly kind: 'unknown' | 'opening' | 'secret' }>;

function describe(problem: InterpretProblem, type: TensorType | undefined): string {
  const holds = type === undefined ? '' : `; ${formatType(type)} is declared`;
  switch (problem.kind) {
    case 'missing':
      return ': no values given';
    case 'shape':
      return `: shape [${problem.given.join(', ')}] given, [${problem.expected.join(', ')}] expected`;
    case 'range': {
      const [value, bits] = [String(problem.value), String(problem.bits)];
      return `[${problem.index.join(', ')}] = ${value} is out of range: it needs ${bits} bits${holds}`;
    }
    case 'number': {
      const bits = problem.bits === undefined ? ' is not a finite number' : ` needs ${problem.bits} bits`;
      const value = String(problem.value);
      return `[${problem.index.join(', ')}] = ${value}${bits}${holds}`;
    }
    case 'divisor': {
      const value = String(problem.value);
      return `[${problem.index.join(', ')}]: division by ${value}, or its root`;
    }
  }
}

const formatType = (type: TensorType): string =>
  type.kind === 'index' ? `index<${type.size}>` : `fixed<${type.bits}, ${type.frac}>`;

/** The index of a row-major position. */
export function indexAt(shape: readonly number[], position: number): number[] {
  const index: number[] = [];
  for (let k = shape.length - 1; k >= 0; k--) {
    index.unshift(position % shape[k]);
    position = Math.floor(position / shape[k]);
  }
  return index;
}
