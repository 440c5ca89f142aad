/** Files of other tools: safetensors, models of Hugging Face, PEFT adapters, inputs, and the scales of a program. */
export { readCalibration, writeCalibration, type Calibration, type CalibrationFile } from './calibration.ts';
export { openAdapter } from './adapter-folder.ts';
export { openCheckpoint, type Checkpoint } from './checkpoint.ts';
export type { Dtype } from './dtypes.ts';
export { ArgumentError, ZklError } from '../../compiler/bundle/errors.ts';
export { FormatError } from './errors.ts';
export type { Folder } from './folder.ts';
export type { ModelAdapter } from './import-adapters.ts';
export { importModel, type ImportedModel } from './import-model.ts';
export { importAdapter, type ImportedAdapter, type ImportOptions } from './import.ts';
export { inputsFromJson, inputsFromSafetensors, randomInputs, type Inputs, type WantedInput } from './inputs.ts';
export { describeAdapter, loadAdapter } from './peft.ts';
export type {
  AdapterDescription,
  AdapterTensor,
  AdapterWeights,
  LeftOut,
  LoadedAdapter,
  LoraModule,
  LoraTensor,
} from './peft.ts';
export { readLoraConfig, type LoraConfig } from './peft-config.ts';
export { randomSamples, referenceFromJson, samplesFromJson, type Reference, type Sample } from './samples.ts';
export { readSafetensors, type SafetensorsFile, type TensorInfo } from './safetensors.ts';
export { writeSafetensors, type TensorToWrite } from './safetensors-writer.ts';
export { bytesSource, type ByteSource } from './source.ts';
