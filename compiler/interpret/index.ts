/** What a program means: its exact integers, and how floating point becomes and leaves them. */
export { interpret } from './interpret.ts';
export { dequantise, quantise, roundDouble } from './quantise.ts';
export { ValueError, indexAt } from './tensor.ts';
export type { IntTensor, ValueProblem } from './tensor.ts';
