import type { TensorProgram } from '../../compiler/tensor/program.ts';
import { createComparison, crossEntropy, largest, toReals, type TensorError } from '../../runtime/evaluate/compare.ts';
import { evaluateExactly, evaluateReal, type Numbers, type Values } from '../../runtime/evaluate/index.ts';
import { referenceFromJson, type Reference, type Sample } from '../../runtime/formats/samples.ts';
import { quantise, ValueError } from '../../runtime/quantise.ts';
import { calibrationOf } from '../calibration.ts';
import type { Run } from '../command.ts';
import { about, CliError } from '../errors.ts';
import { readText } from '../files.ts';
import { readModel, readModelWeights, readSamples, withInputs } from '../model.ts';
import { readProgram } from '../program.ts';
import { phaseTimes } from '../progress.ts';
import { columns, plural } from '../text.ts';

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
  const source = await readProgram(path);
  const calibration = await calibrationOf(args, path);
  const program = await progress.phase('check', () => readModel(source, args, calibration, false));
  const samples = await readSamples(args, program);
  const logits = findLogits(program, args.value('logits'));
  const referencePath = args.value('reference');
  const reference =
    referencePath === undefined || logits === undefined
      ? undefined
      : referenceFromJson(await readText(referencePath, 'the reference'), referencePath, logits.shape);
  const notes: string[] = [];
  const weights = await progress.phase('read weights', () =>
    readModelWeights(args, program, (name) => notes.push(`no --weights for "${name}": taken as zeros`)),
  );
  const remedy = `calibrate with samples like these, or with more headroom: zkl calibrate ${path}`;
  const integers = await progress.phase('round weights', () =>
    about(path, remedy, [ValueError], () => quantiseAll(program, weights)),
  );

  const comparison = createComparison(program);
  const scores = createScores(reference);
  await progress.phase(`run ${plural(samples.length, 'sample')}`, () =>
    about(path, remedy, [ValueError], () => {
      for (const sample of samples) {
        const real = evaluateReal(program, withInputs(program, weights, sample.inputs));
        const exact = evaluateExactly(program, exactInputs(program, integers, sample));
        comparison.add(exact, real);
        if (logits !== undefined) scores.add(logits, exact, real, sample);
      }
    }),
  );

  const errors = comparison.errors();
  const summary = scores.summary();
  const text = [
    `${path}: ${plural(samples.length, 'sample')}, the integers against float64 without roundings`,
    columns(layerLines(errors)),
    ...summary.lines,
    ...notes,
  ].join('\n');
  const json = {
    samples: samples.length,
    tensors: errors.map(({ tensor, relative, most }) => ({ name: tensor.name, relative, most })),
    ...summary.json,
    notes,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
};

interface Logits {
  readonly id: number;
  readonly scale: { readonly num: bigint; readonly den: bigint };
  readonly shape: readonly [number, number];
}

/** The scores of all tokens at all positions: by name, else the tensor called "logits". */
function findLogits(program: TensorProgram, name: string | undefined): Logits | undefined {
  const found = program.tensors.find((t) => t.name === (name ?? 'logits'));
  if (name !== undefined && found?.shape.length !== 2)
    throw new CliError(
      found === undefined ? `the program has no tensor "${name}"` : `"${name}" has ${found.shape.length} axes`,
      'name the tensor of scores, by position and token',
    );
  if (found?.shape.length !== 2) return undefined;
  return { id: found.id, scale: found.scale, shape: [found.shape[0], found.shape[1]] };
}

function quantiseAll(program: TensorProgram, weights: ReadonlyMap<number, Numbers>): Map<number, Values> {
  const out = new Map<number, Values>();
  for (const { id, name, shape, type } of program.tensors) {
    const values = weights.get(id);
    if (values !== undefined && type !== undefined) out.set(id, toValues(quantise(name, shape, type, values)));
  }
  return out;
}

function exactInputs(
  program: TensorProgram,
  weights: ReadonlyMap<number, Values>,
  { inputs }: Sample,
): Map<number, Values> {
  const all = new Map(weights);
  for (const { id, name, shape, type } of program.tensors) {
    const values = inputs.get(name);
    if (values !== undefined && type !== undefined) all.set(id, toValues(quantise(name, shape, type, values)));
  }
  return all;
}

const toValues = (integers: ReturnType<typeof quantise>): Values =>
  integers instanceof BigInt64Array ? Array.from(integers) : integers;

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

interface Scores {
  add(logits: Logits, exact: ReadonlyMap<number, Values>, real: ReadonlyMap<number, Numbers>, sample: Sample): void;
  summary(): { readonly lines: string[]; readonly json: Record<string, number> };
}

/** Agreement in the most likely token, and cross-entropies, summed over samples. */
function createScores(reference: Reference | undefined): Scores {
  const sums = new Map<string, { value: number; count: number }>();
  const add = (name: string, value: number, count: number): void => {
    const sum = sums.get(name) ?? { value: 0, count: 0 };
    sums.set(name, { value: sum.value + value, count: sum.count + count });
  };
  let sample = 0;
  return {
    add: ({ id, scale, shape: [T, V] }, exact, real, { targets }) => {
      const [integers, floats] = [exact.get(id), real.get(id)];
      if (integers === undefined || floats === undefined) return;
      const numbers = toReals({ scale }, integers);
      const [a, b] = [largest(numbers, V), largest(floats, V)];
      const agreeing = (x: Int32Array, y: Int32Array): number => x.reduce((n, v, t) => n + Number(v === y[t]), 0);
      add('agreement', agreeing(a, b), T);
      const given = reference?.logits[sample];
      if (given !== undefined) {
        add('referenceAgreement', agreeing(a, largest(given, V)), T);
        add('referenceError', Math.max(...floats.map((v, k) => Math.abs(v - given[k]))), 1);
      }
      if (targets !== undefined) {
        add('crossEntropy', crossEntropy(numbers, V, targets), 1);
        add('floatCrossEntropy', crossEntropy(floats, V, targets), 1);
        const loss = reference?.crossEntropy[sample];
        if (loss !== undefined) add('referenceCrossEntropy', loss, 1);
      }
      sample++;
    },
    summary: () => {
      const json = Object.fromEntries([...sums].map(([name, { value, count }]) => [name, value / count]));
      return { lines: scoreLines(json, sums.get('agreement')?.count ?? 0), json };
    },
  };
}

function scoreLines(json: Readonly<Record<string, number | undefined>>, positions: number): string[] {
  const {
    agreement,
    referenceAgreement,
    referenceError,
    crossEntropy: own,
    floatCrossEntropy,
    referenceCrossEntropy,
  } = json;
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
