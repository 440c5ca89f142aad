import { ValueError } from '../../../compiler/ir/errors.ts';
import { compareRuns, logitsOf, type Scores } from '../../../models/calibrate/compare.ts';
import type { RunPhase } from '../../../models/phases.ts';
import type { TensorError } from '../../../runtime/evaluate/compare.ts';
import { referenceFromJson } from '../../../models/calibrate/samples.ts';
import { calibrationOf } from '../steps/calibration.ts';
import type { Run } from '../parse/command.ts';
import { about, CliError } from '../errors.ts';
import { readText } from '../../host/files/read.ts';
import { readModel, readModelWeights, readSamples } from '../steps/model.ts';
import { readProgram } from '../steps/program.ts';
import { phaseTimes } from '../show/progress.ts';
import { columns, plural } from '../show/text.ts';

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
  const source = await readProgram(path);
  const calibration = await calibrationOf(args, path);
  const program = await progress.phase('check', () => readModel(source, args, calibration, false));
  const samples = await readSamples(args, program);
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
  const phase: RunPhase = (name, body) => progress.phase(name, () => about(path, remedy, [ValueError], body));
  const compared = await compareRuns(program, weights, samples, { logits, reference, phase });
  const { tensors: errors, scores, positions } = compared;
  const text = [
    `${path}: ${plural(samples.length, 'sample')}, the integers against float64 without roundings`,
    columns(layerLines(errors)),
    ...scoreLines(scores, positions),
    ...notes,
  ].join('\n');
  const json = {
    samples: samples.length,
    tensors: errors.map(({ tensor, relative, most }) => ({ name: tensor.name, relative, most })),
    ...scores,
    notes,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
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

function scoreLines(scores: Scores, positions: number): string[] {
  const {
    agreement,
    referenceAgreement,
    referenceError,
    crossEntropy: own,
    floatCrossEntropy,
    referenceCrossEntropy,
  } = scores;
  const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;
  const against = (loss: number, other: number): string =>
    `${other.toFixed(5)}, ${loss >= other ? '+' : ''}${((100 * (loss - other)) / other).toFixed(4)} %`;
  return [
    ...(agreement === undefined
      ? []
      : [`most likely token: the same at ${percent(agreement)} of ${positions} positions`]),
    ...(referenceAgreement === undefined
      ? []
      : [`most likely token of the reference: the same at ${percent(referenceAgreement)}`]),
    ...(referenceError === undefined
      ? []
      : [`float64 logits differ from the reference by up to ${referenceError.toPrecision(2)}`]),
    ...(own === undefined || floatCrossEntropy === undefined
      ? []
      : [`cross-entropy: ${own.toFixed(5)}, float64 ${against(own, floatCrossEntropy)}`]),
    ...(own === undefined || referenceCrossEntropy === undefined
      ? []
      : [`cross-entropy of the reference: ${against(own, referenceCrossEntropy)}`]),
  ];
}
