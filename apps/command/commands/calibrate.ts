import { calibrateRuns } from '../../../models/calibrate/calibrate.ts';
import { ProgramError } from '../../../models/calibrate/model.ts';
import type { Headroom } from '../../../runtime/evaluate/calibrate.ts';
import { besides } from '../steps/calibration.ts';
import type { Run } from '../parse/command.ts';
import { CliError } from '../errors.ts';
import { writeOutputs } from '../../host/files/write.ts';
import { modelInput, refusal, readModel, readModelWeights, readSamples } from '../steps/model.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { readProgram } from '../steps/program.ts';
import { phaseTimes } from '../show/progress.ts';
import { columns, plural, real } from '../show/text.ts';

/** Lines of the report on headroom. */
const TIGHTEST = 8;

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
  if (path === STREAM && args.value('output') === undefined)
    throw new CliError('a program from stdin has no place beside it', 'say where the scales go: -o FILE');
  const output = args.value('output') ?? besides(path);
  await checkOutput(output, kinds.calibration, args.inputs);
  const bits = args.integer('bits', 4, 24) ?? 16;
  const weightBits = args.integer('weight-bits', 4, 24) ?? 16;
  const headroom = headroomOption(args.value('headroom'));
  const source = await readProgram(path);
  const program = await progress.phase('check', () => readModel(source, args, {}, true));
  const samples = await readSamples(args, program);
  const notes: string[] = [];
  const weights = await progress.phase('read weights', () =>
    readModelWeights(args, program, (name) => {
      notes.push(`no --weights for "${name}": taken as zeros, so the scales say nothing about it`);
    }),
  );

  const options = { ...modelInput(source, args), bits, weightBits, headroom };
  const {
    weights: weightTypes,
    values,
    ...calibrated
  } = await calibrateRuns(options, program, weights, samples, (name, body) => progress.phase(name, body)).catch(
    (error: unknown) => {
      throw error instanceof ProgramError ? refusal(error, source) : error;
    },
  );
  const { about, headroom: report } = calibrated;
  await writeOutputs([{ path: output, bytes: calibrated.file }]);
  const text = [
    `${output}: ${plural(values.size, 'scale')} of values, ${plural(weightTypes.size, 'scale')} of weights; ${about}`,
    'least headroom above the samples:',
    columns(report.slice(0, TIGHTEST).map((line) => [`  ${line.name}`, ...describe(line)])),
    ...notes,
    `next: zkl compare ${path}, zkl compile ${path}`,
  ].join('\n');
  const json = {
    output,
    samples: samples.length,
    bits,
    weightBits,
    headroom: report.map(({ name, type, most, factor }) => ({
      name,
      type: `fixed<${type.bits}, ${type.frac}>`,
      most,
      factor: Number.isFinite(factor) ? factor : undefined,
    })),
    notes,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json, wroteStdout: output === STREAM };
};

function headroomOption(text: string | undefined): number {
  if (text === undefined) return 1.5;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= 1024) return value;
  throw new CliError(`--headroom is "${text}"`, 'give a factor from 1 to 1024, such as 1.5');
}

const describe = ({ type, most, factor, written }: Headroom): string[] => [
  `fixed<${type.bits}, ${type.frac}>${written ? ' as written' : ''}`,
  `seen ${real(most)}`,
  `holds ${Number(factor.toPrecision(3))} times that`,
];
