/** Fast evaluation of tensor programs: exact integers, and float64 without roundings. */
export { checkInputs, evaluateExactly, evaluateOn, type Evaluated, type EvaluateOptions } from './exact.ts';
export { evaluateReal, evaluateRealOn, type RealOptions } from './real.ts';
export { EvaluationError } from './errors.ts';
export { isWide, type Numbers, type Values } from './values.ts';
