/** `zkl calibrate --data`: scales of a step of training. */
import { ProgramError } from '../../../models/calibrate/model.ts';
import { calibrateSteps } from '../../../models/run/calibrate.ts';
import { writeOutputs } from '../../host/files/write.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { CliError } from '../errors.ts';
import { ValueError } from '../../../compiler/ir/errors.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Outcome } from '../parse/command.ts';
import { phaseTimes, type Progress } from '../show/progress.ts';
import { columns, plural, real } from '../show/text.ts';
import { besides } from '../steps/calibration.ts';
import { withThreads } from '../steps/device.ts';
import { modelInput, refusal } from '../steps/model.ts';
import { readProgram } from '../steps/program.ts';
import { givenAdapter, openTrainingSources, readTrainingModel } from './inputs.ts';

const MAX_STEPS = 1000;
/** Lines of the report on headroom. */
const TIGHTEST = 8;

const REMEDY = 'write a type of more bits, or give the adapter that the program was imported with';

const FOR_SAMPLES = ['samples', 'text', 'text-file', 'tokenizer', 'limit', 'bits', 'target'];

export async function calibrateModel(args: Arguments, progress: Progress): Promise<Outcome> {
  const other = FOR_SAMPLES.find((name) => args.flag(name));
  if (other !== undefined)
    throw new CliError(`--${other} is given beside --data, which is for training`, `leave --${other} out`);
  const path = args.positionals[0];
  if (path === STREAM && args.value('output') === undefined)
    throw new CliError('a program from stdin has no place beside it', 'say where the scales go: -o FILE');
  const output = args.value('output') ?? besides(path);
  await checkOutput(output, kinds.calibration, args.inputs);
  const steps = args.integer('steps', 1, MAX_STEPS);
  const weightBits = args.integer('weight-bits', 4, 24) ?? 16;
  const source = await readProgram(path);
  const model = await progress.phase('check', () => readTrainingModel(source, args));
  await using files = new AsyncDisposableStack();
  const sources = await openTrainingSources(args, model, files);
  const start = await givenAdapter(args, model, files);
  const made = await withThreads(args, (device) =>
    calibrateSteps({ ...modelInput(source, args), sources, start, steps, weightBits, device }, (name, body) =>
      progress.phase(name, body),
    ),
  ).catch((error: unknown) => {
    if (error instanceof ValueError) throw new CliError(`${path}: ${error.message}`, error.remedy ?? REMEDY);
    throw error instanceof ProgramError ? refusal(error, source) : error;
  });
  await writeOutputs([{ path: output, bytes: made.file }]);
  const losses = made.losses.map((step) => [...step.values()][0]).filter((loss) => loss !== undefined);
  const text = [
    `${output}: ${plural(Object.keys(made.calibration).length, 'scale')}; ${made.about}`,
    ...(losses.length > 1
      ? [`loss of these steps in float64: from ${real(losses[0])} to ${real(losses.at(-1)!)}`]
      : []),
    'least headroom above these steps:',
    columns(
      made.headroom
        .slice(0, TIGHTEST)
        .map(({ name, type, most, factor, written }) => [
          `  ${name}`,
          `fixed<${type.bits}, ${type.frac}>${written ? ' as written' : ''}`,
          `seen ${real(most)}`,
          `holds ${Number(factor.toPrecision(3))} times that`,
        ]),
    ),
    `next: zkl train ${path} ... --steps N -o run`,
  ].join('\n');
  const json = {
    output,
    steps: made.losses.length,
    weightBits,
    losses,
    headroom: made.headroom.map(({ name, type, most, factor }) => ({
      name,
      type: `fixed<${type.bits}, ${type.frac}>`,
      most,
      factor: Number.isFinite(factor) ? factor : undefined,
    })),
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json, wroteStdout: output === STREAM };
}
