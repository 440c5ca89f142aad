/** What a program means: its exact integers, and how floating point becomes and leaves them. */
export { interpret } from './interpret.ts';
export { dequantise, quantise, roundDouble } from './quantise.ts';
export { indexAt } from './tensor.ts';
export type { IntTensor } from './tensor.ts';
export { ValueError, type ValueProblem } from '../ir/errors.ts';
