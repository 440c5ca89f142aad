/** Programs before they are proved: checked, with the weights they name as float64, for calibration and comparison. */
import { check, type FixedType } from '../compiler/check/index.ts';
import type { Tensor, TensorProgram } from '../compiler/tensor/program.ts';
import { parse } from '../grammar/index.ts';
import type { Numbers } from '../runtime/evaluate/index.ts';
import type { WantedInput } from '../runtime/formats/inputs.ts';
import { randomSamples, samplesFromJson, type Sample } from '../runtime/formats/samples.ts';
import type { Arguments } from './arguments.ts';
import { didYouMean } from './arguments.ts';
import { CliError } from './errors.ts';
import { readText } from './files.ts';
import { hasErrors, overridesOf, showDiagnostics, type SourceProgram } from './program.ts';
import { shape } from './text.ts';
import { eachWeight } from './weights.ts';

/** The one model of a program, or what is wrong with it as text. */
export function readModel(
  program: SourceProgram,
  args: Arguments,
  calibration: Readonly<Record<string, FixedType>>,
  provisional: boolean,
): TensorProgram {
  const { text, source, resolveImport } = program;
  const parsed = parse(text, source);
  const checked = check({
    program: parsed.program,
    source,
    resolveImport,
    model: args.value('model'),
    overrides: overridesOf(args),
    calibration,
    provisional,
    incomplete: hasErrors(parsed.diagnostics),
  });
  const diagnostics = [...parsed.diagnostics, ...checked.diagnostics].filter((d) => d.severity === 'error');
  if (diagnostics.length > 0)
    throw new CliError(`${source} has errors`, `\n${showDiagnostics(diagnostics, program)}`, { coloured: true });
  const [missing] = checked.uncalibrated;
  if (missing !== undefined && !provisional)
    throw new CliError(
      `${source} is not calibrated: there is no scale for "${missing.key}"`,
      `zkl calibrate ${source} --weights base=DIR --samples FILE`,
    );
  if (checked.programs.length === 1) return checked.programs[0];
  const names = checked.programs.map((p) => p.name);
  throw new CliError(
    names.length === 0 ? `${source} has no model with outputs` : `${source} has ${names.length} models`,
    names.length === 0 ? 'add `model NAME { ... }`' : `choose one, e.g. --model ${names[0]}`,
  );
}

/** The program's inputs that come from no weights. */
export const wantedInputs = (program: TensorProgram): (WantedInput & { readonly id: number })[] =>
  program.tensors.flatMap(({ id, name, shape: lengths, type, role, file }) =>
    role === 'input' && file === undefined && type !== undefined ? [{ id, name, shape: lengths, type }] : [],
  );

/** Members of a file of samples that `zkl compare` reads as a reference. */
const REFERENCE = ['about', 'logits', 'cross_entropy'];

/** The inputs of a run: weights, and the sample's tensors. */
export function withInputs(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  inputs: ReadonlyMap<string, Float64Array>,
): Map<number, Numbers> {
  const all = new Map(weights);
  for (const { id, name } of program.tensors) {
    const values = inputs.get(name);
    if (values !== undefined) all.set(id, values);
  }
  return all;
}

/** `--samples`: a JSON file, or `random:SEED`; `--limit` of them. @throws CliError, FormatError */
export async function readSamples(args: Arguments, program: TensorProgram): Promise<Sample[]> {
  const given = args.required('samples');
  const limit = args.integer('limit', 1, 1_000_000);
  const wanted = wantedInputs(program);
  const seed = /^random:(.*)$/s.exec(given)?.[1];
  if (seed === '') throw new CliError('random: needs a seed', 'write for example random:1');
  if (seed !== undefined) return randomSamples(seed, limit ?? 1, wanted);
  return samplesFromJson(await readText(given, 'the samples'), given, wanted, REFERENCE).slice(0, limit);
}

/**
 * The numbers of every tensor that comes from weights, by tensor. A secret source for which no weights are given counts as
 * all zeros: an adapter that adds nothing.
 *
 * @param unset told of each such source
 * @throws CliError, FormatError
 */
export async function readModelWeights(
  args: Arguments,
  program: TensorProgram,
  unset: (source: string) => void,
): Promise<Map<number, Numbers>> {
  const bySource = Map.groupBy(
    program.tensors.filter((t) => t.file !== undefined),
    (t) => t.file?.source ?? '',
  );
  const paths = pathsBySource(args, [...bySource.keys()]);
  const out = new Map<number, Numbers>();
  for (const [source, tensors] of bySource) {
    const path = paths.get(source);
    if (path !== undefined) await readSource(path, source, tensors, out);
    else if (tensors.every((t) => t.visibility === 'secret')) {
      unset(source);
      for (const t of tensors) out.set(t.id, new Float64Array(t.shape.reduce((n, d) => n * d, 1)));
    } else throw new CliError(`there is no --weights for the source "${source}"`, `add --weights ${source}=DIR`);
  }
  return out;
}

function pathsBySource(args: Arguments, sources: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { key, value } of args.pairs('weights')) {
    const source = key ?? (sources.length === 1 ? sources[0] : undefined);
    if (source === undefined || !sources.includes(source))
      throw new CliError(
        `--weights ${key === undefined ? value : `${key}=${value}`} is for no source of the program`,
        (key === undefined ? undefined : didYouMean(key, sources)) ??
          `write --weights SOURCE=PATH, with a source of ${sources.join(', ')}`,
      );
    if (found.has(source)) throw new CliError(`--weights is given twice for the source "${source}"`, 'give it once');
    found.set(source, value);
  }
  return found;
}

async function readSource(
  path: string,
  source: string,
  tensors: readonly Tensor[],
  into: Map<number, Numbers>,
): Promise<void> {
  const places = new Map<string, { readonly tensor: Tensor; readonly part: number }>();
  for (const tensor of tensors)
    for (const [part, name] of (tensor.file?.names ?? []).entries()) places.set(name, { tensor, part });
  await eachWeight(path, source, [...places.keys()], (name, found, values) => {
    const place = places.get(name);
    if (place === undefined) return;
    const { tensor, part } = place;
    const wanted = tensor.shape.slice(tensor.file?.stacked ?? 0);
    if (found.join() !== wanted.join())
      throw new CliError(
        `${path}: "${name}" has the shape ${shape(found)}, the program declares ${shape(wanted)}`,
        'give the weights the program was written for, or change its dimensions',
      );
    const bad = values.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) throw new CliError(`${path}: "${name}" has an entry ${values[bad]}`, 'every weight has to be finite');
    if (tensor.file?.stacked === 0) {
      into.set(tensor.id, compact(values));
      return;
    }
    const all = into.get(tensor.id) ?? new Float64Array(tensor.shape.reduce((n, d) => n * d, 1));
    all.set(values, part * values.length);
    into.set(tensor.id, all);
  });
}

/** Most weights are single precision: half the memory. */
function compact(values: Float64Array): Numbers {
  const single = new Float32Array(values);
  return values.every((v, k) => v === single[k]) ? single : values;
}
