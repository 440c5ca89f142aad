/**
 * zkl as a library: one typed function for each step of the command line.
 *
 * @example
 * import { compile, commit, createProver, createVerifier, createWasmDevice } from 'zkl';
 *
 * const device = await createWasmDevice();
 * const { bundle, diagnostics } = compile({ text, source: 'adapter.zkl' });
 * const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
 * const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
 * const { proof } = await prover.prove(new Map([['x', activations]]));
 *
 * const verifier = await createVerifier(bundle, { device, expect: { sources: { adapter: publishedDigest } } });
 * await verifier.register(commitment);
 * await verifier.verify(proof); // { ok: true, restsOn, publics, ... }
 *
 * The verifier alone, without prover and compiler, is `zkl/verifier`; the gadget testing kit is `zkl/testing`.
 *
 * @module
 */
export { format, parse } from './compiler/text.ts';
export {
  check,
  compile,
  printGadgetProgram,
  printKernels,
  printTensorProgram,
  resolveStandard,
  type Compiled,
  type CompileInput,
  type Diagnostic,
  type GadgetProgram,
  type TensorProgram,
} from './compiler/index.ts';
export { decodeBundle, type Bundle } from './compiler/bundle/bundle.ts';
export {
  ArgumentError,
  CodecError,
  PackageError,
  ValueError,
  ZklError,
  type FileName,
  type ValueProblem,
  type ZklErrorCode,
} from './compiler/ir/errors.ts';
export {
  importProgram,
  type AdapterToImport,
  type ImportedAdapterProgram,
  type ImportedModelProgram,
  type ModelToImport,
} from './models/import/index.ts';
export type { OptimizerChoice, TrainingChoice } from './models/import/training.ts';
export { calibrate, type Calibrated, type CalibrateInput, type Target } from './models/calibrate/calibrate.ts';
export { compare, type Compared, type CompareInput, type Overflow } from './models/calibrate/compare.ts';
export type { Measured } from './models/calibrate/file.ts';
export type { Scores } from './models/calibrate/scores.ts';
export { calibrateSteps, type CalibrateStepsInput } from './models/run/calibrate.ts';
export { exportAdapter, type ExportedAdapter } from './models/run/export.ts';
export { memoryStore, type RunFile, type RunStore } from './models/run/store.ts';
export { train, type TrainEvent, type TrainInput, type Trained } from './models/run/train.ts';
export { ownProgram, readRun } from './models/run/verify.ts';
export type { TrainingCalibration } from './models/train/calibrate.ts';
export { openData } from './models/train/data.ts';
export type { Start } from './models/train/start.ts';
export { verifyRun, type OwnProgram, type RunToVerify, type VerifyRunOptions } from './runtime/run/chain.ts';
export type { AcceptedRun, PhaseReport, RefusedRun, RunVerdict } from './runtime/run/verdict.ts';
export { inspect, type Disclosure, type Inspected, type Plan, type StatementTensor } from './runtime/inspect/index.ts';
export { ProgramError, type ModelInput, type ProgramProblem } from './models/calibrate/model.ts';
export type { SampleInput, SourceWeights } from './models/calibrate/weights.ts';
export { interpret } from './compiler/interpret/index.ts';
export {
  evaluateExactly,
  evaluateOn,
  evaluateReal,
  evaluateRealOn,
  EvaluationError,
} from './runtime/evaluate/index.ts';
export {
  checkOpenCommitment,
  commit,
  commitKnown,
  commitOutput,
  createProver,
  HiddenValueError,
  openingAs,
  SelfCheckError,
  type CommittedFiles,
  type ProvedOutput,
  type Prover,
  type WeightMap,
  type Weights,
} from './runtime/prover/index.ts';
export {
  BudgetError,
  createVerifier,
  parseLimit,
  type Basis,
  type Budget,
  type Expected,
  type ProofVerdict,
  type RestsOn,
  type Verdict,
  type VerifiedOutput,
  type Verifier,
} from './runtime/verifier/index.ts';
export { createReferenceDevice } from './runtime/device/reference.ts';
export { createWasmDevice } from './runtime/device/wasm/index.ts';
export { createWebGpuDevice, GpuError } from './runtime/device/webgpu/index.ts';
export { dequantise, quantise } from './runtime/integers/quantise.ts';
export { FormatError, FormatErrors } from './models/files/errors.ts';
