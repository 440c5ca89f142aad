/**
 * The gadget testing kit, published as `zkl/testing`: arbitraries for shapes, fixed-point tensors and whole programs, and
 * one function that checks whether a gadget can be relied on. See docs/testing.md.
 *
 * @module
 */
export { fixedTensors, fixedTypes, lengths, shapes, type FixedTensor, type ShapeOptions } from './arbitrary.ts';
export { assertGadget, checkGadget, type GadgetOptions } from './check.ts';
export type { GadgetFailure, GadgetReport, Property } from './report.ts';
export { Draw, entropyOf } from './draw.ts';
export { forge, without, type Forger, type Forgery } from './forge.ts';
export { isCopy, keepOnly, proveLie, verifyForgetful, type Lie, type Lied } from './liar.ts';
export { functionProgram, type FunctionKind } from './functions.ts';
export { programs } from './programs.ts';
export { solutions, type Solution } from './solutions.ts';
export {
  createStatement,
  prove,
  validate,
  verify,
  type Claim,
  type Committed,
  type Statement,
  type StatementOptions,
} from './statement.ts';
export { createSubject, drawInputs, expected, type Subject, type SubjectOptions, type Values } from './subject.ts';
export { ChosenTranscript, simulate } from './simulator.ts';
export { at, program, term, type InputSketch, type OutputSketch } from './build.ts';
