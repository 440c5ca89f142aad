/** Files of other tools: safetensors, models of Hugging Face, PEFT adapters, inputs, and the scales of a program. */
export {
  readCalibration,
  writeCalibration,
  type Calibration,
  type CalibrationFile,
  type Measured,
} from './calibrate/file.ts';
export { openAdapter } from './adapters/folder.ts';
export { openCheckpoint, type Checkpoint } from './files/checkpoint.ts';
export type { Dtype } from './files/dtypes.ts';
export { ArgumentError, ZklError } from '../compiler/ir/errors.ts';
export { FormatError, FormatErrors } from './files/errors.ts';
export type { Folder } from './files/folder.ts';
export type { ModelAdapter } from './import/adapters.ts';
export { importModel, type ImportedModel } from './import/model.ts';
export type { OptimizerChoice, TrainingChoice } from './import/training.ts';
export { importAdapter, type ImportedAdapter, type ImportOptions } from './import/adapter.ts';
export { inputsFromJson, inputsFromSafetensors, randomInputs, type Inputs, type WantedInput } from './files/inputs.ts';
export { describeAdapter, loadAdapter } from './adapters/peft.ts';
export type {
  AdapterDescription,
  AdapterTensor,
  AdapterWeights,
  LeftOut,
  LoadedAdapter,
  LoraModule,
  LoraTensor,
} from './adapters/peft.ts';
export { readLoraConfig, type LoraConfig } from './adapters/config.ts';
export { randomSamples, referenceFromJson, samplesFromJson, type Reference, type Sample } from './calibrate/samples.ts';
export { readSafetensors, type SafetensorsFile, type TensorInfo } from './files/safetensors.ts';
export { writeSafetensors, type TensorToWrite } from './files/safetensors-writer.ts';
export { openTokenizer, type TextTokenizer } from './text/tokenizer.ts';
export { inputsFromText, samplesFromTexts, textsFromJson, textsFromLines, type TokenizedText } from './text/texts.ts';
export { textOfPublics, type TokenText } from './text/results.ts';
export { bytesSource, type ByteSource } from './files/source.ts';
export type { WeightMap, Weights } from '../runtime/weights.ts';
