import { STATE } from '../../../compiler/check/optimizers/step.ts';
import {
  calibrateRuns,
  DEFAULT_TARGET,
  isReached,
  type Calibrated,
  type Target,
} from '../../../models/calibrate/calibrate.ts';
import type { Measured } from '../../../models/calibrate/file.ts';
import type { Headroom } from '../../../models/calibrate/observe.ts';
import { ProgramError } from '../../../models/calibrate/model.ts';
import { besides } from '../steps/calibration.ts';
import type { Run } from '../parse/command.ts';
import { CliError } from '../errors.ts';
import { writeOutputs } from '../../host/files/write.ts';
import { measured as remember, modelInput, refusal, readModel, readModelWeights, readSamples } from '../steps/model.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { readProgram } from '../steps/program.ts';
import { measuredWords, overflowLines } from '../show/measured.ts';
import { phaseTimes } from '../show/progress.ts';
import { withThreads } from '../steps/device.ts';
import { columns, plural, real } from '../show/text.ts';
import { calibrateModel } from '../training/calibrate.ts';

/** Lines of the report on headroom. */
const TIGHTEST = 8;
/** Lines of what more bits would buy. */
const BARGAINS = 3;

export const run: Run = async (args, progress) => {
  if (args.value('data') !== undefined) return calibrateModel(args, progress);
  const useless = ['adapter', 'steps'].find((name) => args.flag(name));
  if (useless !== undefined) throw new CliError(`--${useless} has no meaning without --data`, `leave --${useless} out`);
  const path = args.positionals[0];
  if (path === STREAM && args.value('output') === undefined)
    throw new CliError('a program from stdin has no place beside it', 'say where the scales go: -o FILE');
  const output = args.value('output') ?? besides(path);
  await checkOutput(output, kinds.calibration, args.inputs);
  const bits = args.integer('bits', 4, 24);
  const weightBits = args.integer('weight-bits', 4, 24) ?? 16;
  const headroom = headroomOption(args.value('headroom'));
  const target = targetOption(args.value('target'));
  const source = await readProgram(path);
  const program = await progress.phase('check', () => readModel(source, args, {}, true));
  if (program.tensors.some(({ file }) => file?.source === STATE))
    throw new CliError(`${path} has a \`train\`: its program is a step of training`, 'give --data FILE');
  const samples = await readSamples(args, program, progress);
  const notes: string[] = [];
  const weights = await progress.phase('read weights', () =>
    readModelWeights(args, program, (name) => {
      notes.push(`no --weights for "${name}": taken as zeros, so the scales say nothing about it`);
    }),
  );

  const options = { ...modelInput(source, args), bits, weightBits, headroom, target };
  const { value: calibrated, remembered } = await remember(
    args,
    'calibrated',
    { parts: [program, samples, source.text, bits, weightBits, headroom, target], numbers: weights },
    () =>
      withThreads(args, (device) =>
        calibrateRuns({ ...options, device }, program, weights, samples, (name, body) => progress.phase(name, body)),
      ).catch((error: unknown) => {
        throw error instanceof ProgramError ? refusal(error, source) : error;
      }),
    ({ compared: found }) => found === undefined || found.overflows.length === 0,
  );
  if (remembered !== undefined) notes.push(remembered);
  const { about, headroom: report, compared, measured, weights: weightTypes, values } = calibrated;
  await writeOutputs([{ path: output, bytes: calibrated.file }]);
  const text = [
    `${output}: ${plural(values.size, 'scale')} of values, ${plural(weightTypes.size, 'scale')} of weights; ${about}`,
    'least headroom above the samples:',
    columns(report.slice(0, TIGHTEST).map((line) => [`  ${line.name}`, ...describe(line)])),
    ...widths(values),
    ...moreLines(calibrated),
    ...measuredLines(measured, target),
    ...overflowLines(compared?.overflows ?? []),
    ...notes,
    `next: zkl compare ${path}, zkl compile ${path}`,
  ].join('\n');
  const json = {
    output,
    samples: samples.length,
    bits,
    weightBits,
    measured: measured && { ...measured },
    reached: measured === undefined ? undefined : isReached(measured, target),
    effects: Object.fromEntries(calibrated.effects),
    more: calibrated.more.map((line) => ({ ...line })),
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

/** How many values have how many bits. */
function widths(values: ReadonlyMap<string, { readonly bits: number }>): string[] {
  const counts = Map.groupBy(values.values(), ({ bits }) => bits);
  const words = [...counts].sort(([a], [b]) => a - b).map(([bits, list]) => `${list.length} of ${bits}`);
  return [`bits of values: ${words.join(', ')}`];
}

/** What more bits would buy and cost. */
function moreLines({ more, effectsOn }: Pick<Calibrated, 'more' | 'effectsOn'>): string[] {
  if (more.length === 0) return [];
  const short = (x: number): string => String(Number(x.toPrecision(2)));
  const total = more.reduce((n, { effect }) => n + effect, 0);
  return [
    `values of 16 bits and fewer move ${effectsOn === 'scores' ? `the scores by ${short(total)} nats a position` : `outputs by ${short(total)} of their mean square`}; more bits would help most with`,
    columns(
      more
        .slice(0, BARGAINS)
        .map(({ name, effect, lookups }) => [
          `  ${name}`,
          `${short(effect)} of that`,
          `${short(100 * lookups)} % more lookups`,
        ]),
    ),
  ];
}

function measuredLines(measured: Measured | undefined, target: Target): string[] {
  if (measured === undefined) return ['not measured: with two samples or more, some are kept apart for it'];
  const { samples, overflows } = measured;
  const lines = [
    `measured on ${plural(samples, 'sample')} kept apart: ${measuredWords(measured) || 'no scores to compare'}`,
  ];
  if (isReached(measured, target)) return lines;
  const percent = (x: number): string => `${Number((100 * x).toPrecision(3))} %`;
  const wanted = `${percent(target.agreement)} of positions, a loss within ${percent(target.loss)}, no overflow`;
  const remedy =
    overflows > 0
      ? 'calibrate with more samples like these, or with more --headroom'
      : 'calibrate with more samples, or more --bits';
  return [
    ...lines,
    `warning: below the target (${wanted}): what is proved may not be what the model says`,
    `  ${remedy}`,
  ];
}

/** `--target 99` or `--target 99,0.5`. */
function targetOption(text: string | undefined): Target {
  if (text === undefined) return DEFAULT_TARGET;
  const parts = text.split(',').map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) / 100 : NaN));
  const [agreement, loss = DEFAULT_TARGET.loss] = parts;
  if (parts.length <= 2 && agreement <= 1 && loss <= 1) return { agreement, loss };
  throw new CliError(`--target is "${text}"`, 'give percents from 0 to 100, such as 99 or 99,0.5');
}

function headroomOption(text: string | undefined): number {
  if (text === undefined) return 2;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= 1024) return value;
  throw new CliError(`--headroom is "${text}"`, 'give a factor from 1 to 1024, such as 1.5');
}

const describe = ({ type, most, factor, written }: Headroom): string[] => [
  `fixed<${type.bits}, ${type.frac}>${written ? ' as written' : ''}`,
  `seen ${real(most)}`,
  `holds ${Number(factor.toPrecision(3))} times that`,
];
