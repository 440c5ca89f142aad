import {
  chooseScales,
  headroomOf,
  noObservations,
  observe,
  weightType,
  type FixedType,
  type Headroom,
} from '../../runtime/evaluate/calibrate.ts';
import { evaluateReal, type Numbers } from '../../runtime/evaluate/index.ts';
import { spareLimbs } from '../../runtime/evaluate/limbs.ts';
import { magnitude } from '../../runtime/evaluate/values.ts';
import { writeCalibration } from '../../runtime/formats/calibration.ts';
import type { TensorProgram } from '../../compiler/tensor/program.ts';
import { besides } from '../calibration.ts';
import type { Run } from '../command.ts';
import { CliError } from '../errors.ts';
import { writeOutputs } from '../files.ts';
import { readModel, readModelWeights, readSamples, withInputs } from '../model.ts';
import { checkOutput, kinds, STREAM } from '../outputs.ts';
import { readProgram } from '../program.ts';
import { phaseTimes } from '../progress.ts';
import { columns, plural, real } from '../text.ts';

/** Lines of the report on headroom. */
const TIGHTEST = 8;

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
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

  const observations = noObservations();
  await progress.phase(`run ${plural(samples.length, 'sample')}`, () => {
    for (const { inputs } of samples)
      observe(program, evaluateReal(program, withInputs(program, weights, inputs)), observations);
  });
  const weightTypes = typesOfWeights(program, weights, weightBits);
  // What the checker proves depends on the scales: whether any number could leave the field, or never fits.
  const checked = (types: ReadonlyMap<string, FixedType>): Promise<TensorProgram> =>
    progress.phase('check', () => readModel(source, args, Object.fromEntries([...weightTypes, ...types]), false));
  const chosen = chooseScales(program, observations, { bits, headroom });
  const values = spareLimbs(await checked(chosen), chosen);
  await checked(values);
  const report = headroomOf(observations, values);
  refuseOverflows(report, path);

  const given = `${plural(samples.length, 'sample')}, headroom ${headroom}`;
  const about = `values of ${bits} bits, weights of ${weightBits} bits, from ${given}`;
  await writeOutputs([{ path: output, bytes: writeCalibration({ about, weights: weightTypes, values }) }]);
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

function typesOfWeights(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  bits: number,
): Map<string, FixedType> {
  const types = new Map<string, FixedType>();
  for (const { id, key, role } of program.tensors) {
    const values = weights.get(id);
    if (role === 'input' && key !== undefined && values !== undefined)
      types.set(key, weightType(magnitude(values), bits));
  }
  return types;
}

const describe = ({ type, most, factor, written }: Headroom): string[] => [
  `fixed<${type.bits}, ${type.frac}>${written ? ' as written' : ''}`,
  `seen ${real(most)}`,
  `holds ${Number(factor.toPrecision(3))} times that`,
];

/** A type that the program writes, and that the samples already leave. */
function refuseOverflows(report: readonly Headroom[], path: string): void {
  const [first] = report.filter((line) => line.factor < 1 && line.written);
  if (first === undefined) return;
  const needed = first.type.bits + Math.ceil(Math.log2(1 / first.factor));
  throw new CliError(
    `${first.name} reaches ${real(first.most)}, which needs ${needed} bits with ${first.type.frac} after the point; ${path} writes fixed<${first.type.bits}, ${first.type.frac}>`,
    `write fixed<${needed}, ${first.type.frac}>, or fewer bits after the point`,
  );
}
