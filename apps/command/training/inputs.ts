/** What training reads: the weights of a program's sources, the data, and the adapter that it begins with. */
import { STATE } from '../../../compiler/check/optimizers/step.ts';
import { ValueError } from '../../../compiler/ir/errors.ts';
import { ProgramError } from '../../../models/calibrate/model.ts';
import { sourcesOf } from '../../../models/calibrate/weights.ts';
import { DATA, openData } from '../../../models/train/data.ts';
import { trainingModel, type TrainingModel } from '../../../models/train/model.ts';
import type { Start } from '../../../models/train/start.ts';
import type { FixedType } from '../../../compiler/check/index.ts';
import type { Weights } from '../../../runtime/weights.ts';
import { openWeights } from '../../host/weights.ts';
import { CliError } from '../errors.ts';
import type { Arguments } from '../parse/arguments.ts';
import { modelInput, pathsBySource, refusal } from '../steps/model.ts';
import type { SourceProgram } from '../steps/program.ts';

/** The one model of a program, which trains something, with given scales or provisionally. @throws CliError */
export function readTrainingModel(
  program: SourceProgram,
  args: Arguments,
  calibration?: Readonly<Record<string, FixedType>>,
): TrainingModel {
  try {
    const scales = calibration === undefined ? { provisional: true } : { calibration };
    return trainingModel(modelInput(program, args), scales);
  } catch (error) {
    if (error instanceof ProgramError) {
      if (error.problem.kind !== 'uncalibrated') throw refusal(error, program);
      throw new CliError(error.message, `zkl calibrate ${program.source} --weights base=DIR --data FILE`);
    }
    throw error instanceof ValueError ? new CliError(`${program.source}: ${error.message}`, error.remedy) : error;
  }
}

/** Weights of every source that a step reads besides its state, by source; open until `files` is disposed of. @throws CliError */
export async function openTrainingSources(
  args: Arguments,
  { program }: TrainingModel,
  files: AsyncDisposableStack,
): Promise<ReadonlyMap<string, Weights>> {
  const all = sourcesOf(program);
  const others = [...all.keys()].filter((source) => source !== STATE && source !== DATA);
  const paths = pathsBySource(args, others);
  const out = new Map<string, Weights>();
  const adapter = args.value('adapter');
  for (const source of others) {
    const path = paths.get(source) ?? (source === 'adapter' ? adapter : undefined);
    if (path === undefined)
      throw new CliError(`there is no --weights for the source "${source}"`, `add --weights ${source}=DIR`);
    out.set(source, await openWeights(path, source, files));
  }
  const data = all.get(DATA);
  const file = args.value('data');
  if (data !== undefined) {
    if (file === undefined)
      throw new CliError('there is no --data', 'add --data FILE, safetensors with `tokens` and, optionally, `mask`');
    out.set(DATA, openData(file, await openWeights(file, DATA, files), data));
  } else if (file !== undefined)
    throw new CliError(`--data is given, and the program has no source "${DATA}"`, 'leave --data out');
  return out;
}

/** `--adapter DIR`, which is open until `files` is disposed of; undefined: a new one. @throws CliError */
export async function givenAdapter(
  args: Arguments,
  model: TrainingModel,
  files: AsyncDisposableStack,
): Promise<Start | undefined> {
  const path = args.value('adapter');
  return path === undefined
    ? undefined
    : { adapter: await openWeights(path, model.state[0].state.weight.source, files) };
}
