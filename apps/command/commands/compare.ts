import { ValueError } from '../../../compiler/ir/errors.ts';
import { compareRuns, logitsOf } from '../../../models/calibrate/compare.ts';
import type { ReportPart, RunPhase } from '../../../models/phases.ts';
import type { TensorError } from '../../../models/calibrate/difference.ts';
import type { Measured } from '../../../models/calibrate/file.ts';
import { TIE, type Scores } from '../../../models/calibrate/scores.ts';
import { referenceFromJson } from '../../../models/calibrate/samples.ts';
import { calibrationOf } from '../steps/calibration.ts';
import type { Run } from '../parse/command.ts';
import { about, CliError } from '../errors.ts';
import { readText } from '../../host/files/read.ts';
import { readModel, readModelWeights, readSamples } from '../steps/model.ts';
import { readProgram } from '../steps/program.ts';
import { phaseTimes } from '../show/progress.ts';
import { against, measuredWords, overflowLines } from '../show/measured.ts';
import { columns, plural } from '../show/text.ts';
import { withThreads } from '../steps/device.ts';
import { measured } from '../steps/model.ts';

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
  const least = leastOption(args.value('at-least'));
  const source = await readProgram(path);
  const calibration = await calibrationOf(args, path);
  const program = await progress.phase('check', () => readModel(source, args, calibration, false));
  const samples = await readSamples(args, program, progress);
  const logits = logitsOf(program, args.value('logits'));
  const referencePath = args.value('reference');
  if (referencePath !== undefined && logits === undefined)
    throw new CliError(
      `--reference is given, and ${path} has no tensor of scores`,
      'name it with --logits, or leave --reference out',
    );
  const reference =
    referencePath === undefined || logits === undefined
      ? undefined
      : referenceFromJson(await readText(referencePath, 'the reference'), referencePath, logits.shape);
  const notes: string[] = [];
  const weights = await progress.phase('read weights', () =>
    readModelWeights(args, program, (name) => notes.push(`no --weights for "${name}": taken as zeros`)),
  );
  const remedy = `calibrate with samples like these, or with more headroom: zkl calibrate ${path}`;
  const phase: RunPhase = (name, body) =>
    progress.phase(name, (report: ReportPart) => about(path, remedy, [ValueError], () => body(report)));
  const { value: compared, remembered } = await measured(
    args,
    'compared',
    { parts: [program, samples, logits, reference], numbers: weights },
    () => withThreads(args, (device) => compareRuns(program, weights, samples, { logits, reference, device, phase })),
    // What overflowed is an error, which is not kept.
    ({ overflows }) => overflows.length === 0,
  );
  if (remembered !== undefined) notes.push(remembered);
  const { tensors: errors, scores, positions, overflows } = compared;
  if (least !== undefined && scores.agreement === undefined && overflows.length === 0)
    throw new CliError(
      `--at-least is given, and ${path} has no tensor of scores`,
      'name it with --logits, or leave --at-least out',
    );
  const isBelow = least !== undefined && (overflows.length > 0 || (scores.agreement ?? 0) < least);
  const text = [
    `${path}: ${plural(samples.length, 'sample')}, the integers against float64 without roundings`,
    ...(errors.length === 0 || overflows.length === samples.length
      ? []
      : [columns(layerLines(errors)), ...lossLines(errors)]),
    ...scoreLines(scores, { samples: samples.length, positions, overflows: overflows.length }),
    ...overflowLines(overflows),
    ...(overflows.length === 0 ? [] : [`  ${remedy}`]),
    ...(isBelow ? [`below --at-least ${args.value('at-least') ?? ''}`] : []),
    ...notes,
  ].join('\n');
  const json = {
    samples: samples.length,
    tensors: errors.map(({ tensor, relative, most }) => ({ name: tensor.name, relative, most })),
    positions,
    ...scores,
    overflows: overflows.map(({ sample, error }) => ({ sample, tensor: error.tensor, index: error.index })),
    notes,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: isBelow ? 1 : 0, text, json };
};

/** One line a layer: the error of its last tensor, and its worst one. */
function layerLines(errors: readonly TensorError[]): string[][] {
  const layers = Map.groupBy(errors, ({ tensor }) => /^\w+\[\d+\]/.exec(tensor.name)?.[0] ?? '');
  const percent = (x: number): string => `${Number((100 * x).toPrecision(3))} %`;
  const lines = [...layers].map(([layer, list]) => {
    const last = list[list.length - 1];
    const worst = list.reduce((a, b) => (b.relative > a.relative ? b : a));
    const name = ({ tensor }: TensorError): string => tensor.name.slice(layer === '' ? 0 : layer.length + 1);
    return [
      `  ${layer === '' ? 'outside layers' : layer}`,
      `${name(last)} ${percent(last.relative)}`,
      `most: ${name(worst)} ${percent(worst.relative)}`,
    ];
  });
  return [['  layer', 'relative error of its last value', ''], ...lines];
}

/** Lines on what is lost most. */
const WORST = 3;

/** The layers whose error grows most over that of the layer before. */
function lossLines(errors: readonly TensorError[]): string[] {
  const layers = Map.groupBy(errors, ({ tensor }) => /^\w+\[\d+\]/.exec(tensor.name)?.[0] ?? '');
  layers.delete('');
  let before = 0;
  const grown = [...layers].map(([layer, list]) => {
    const growth = list[list.length - 1].relative - before;
    before = list[list.length - 1].relative;
    return { layer, growth };
  });
  const most = grown.filter(({ growth }) => growth > 0).sort((a, b) => b.growth - a.growth);
  const words = most.slice(0, WORST).map(({ layer, growth }) => `${layer} +${Number((100 * growth).toPrecision(2))} %`);
  return words.length === 0 ? [] : [`most is lost in ${words.join(', ')}`];
}

/** `--at-least 99`, percent. */
function leastOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) / 100 : NaN;
  if (value <= 1) return value;
  throw new CliError(`--at-least is "${text}"`, 'give percent from 0 to 100, such as 99');
}

function scoreLines(scores: Scores, counts: Pick<Measured, 'samples' | 'positions' | 'overflows'>): string[] {
  const {
    agreement,
    clearAgreement,
    ties = 0,
    referenceAgreement,
    referenceError,
    crossEntropy,
    referenceCrossEntropy,
  } = scores;
  const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;
  const words = measuredWords({ ...scores, ...counts });
  return [
    ...(words === '' ? [] : [words]),
    ...(agreement === undefined || clearAgreement === undefined || ties === 0
      ? []
      : [
          `without the ${plural(ties, 'position')} at which float64's two best scores are within ${TIE}: ${percent(clearAgreement)}`,
        ]),
    ...(referenceAgreement === undefined
      ? []
      : [`most likely token of the reference: the same at ${percent(referenceAgreement)}`]),
    ...(referenceError === undefined
      ? []
      : [`float64 logits differ from the reference by up to ${referenceError.toPrecision(2)}`]),
    ...(crossEntropy === undefined || referenceCrossEntropy === undefined
      ? []
      : [`cross-entropy ${against(crossEntropy, referenceCrossEntropy, 'the reference')}`]),
  ];
}
