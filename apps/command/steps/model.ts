/** Programs before they are proved: checked, with the weights they name as float64, for calibration and comparison. */
import { ValueError } from '../../../compiler/ir/errors.ts';
import type { FixedType } from '../../../compiler/check/index.ts';
import type { Tensor, TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { modelOf, ProgramError, type ModelInput } from '../../../models/calibrate/model.ts';
import { readSource, sourcesOf, wantedInputs, zeros } from '../../../models/calibrate/weights.ts';
import type { Numbers } from '../../../runtime/evaluate/index.ts';
import { randomSamples, samplesFromJson, type Sample } from '../../../models/calibrate/samples.ts';
import { samplesFromTexts } from '../../../models/text/texts.ts';
import type { Arguments } from '../parse/arguments.ts';
import { didYouMean } from '../../host/suggest.ts';
import { CliError } from '../errors.ts';
import { readText } from '../../host/files/read.ts';
import type { Progress } from '../show/progress.ts';
import { plural } from '../show/text.ts';
import { onlyOne, textsOf, tokenizerOf } from './text.ts';
import { overridesOf, showDiagnostics, type SourceProgram } from './program.ts';
import { digestOf, measuredCache } from '../../host/cache.ts';
import { openWeights } from '../../host/weights.ts';

/** What of the command line says which model of a program is meant. */
export const modelInput = ({ text, source, resolveImport }: SourceProgram, args: Arguments): ModelInput => ({
  text,
  source,
  resolveImport,
  model: args.value('model'),
  overrides: overridesOf(args),
});

/** The one model of a program, or what is wrong with it as text. */
export function readModel(
  program: SourceProgram,
  args: Arguments,
  calibration: Readonly<Record<string, FixedType>>,
  provisional: boolean,
): TensorProgram {
  try {
    return modelOf(modelInput(program, args), { calibration, provisional });
  } catch (error) {
    throw error instanceof ProgramError ? refusal(error, program) : error;
  }
}

/** In words of the command line. */
export function refusal({ message, remedy, problem, source }: ProgramError, program: SourceProgram): CliError {
  if (problem.kind === 'errors')
    return new CliError(`${source} has errors`, `\n${showDiagnostics(problem.diagnostics, program)}`, {
      coloured: true,
    });
  if (problem.kind === 'uncalibrated')
    return new CliError(message, `zkl calibrate ${source} --weights base=DIR --samples FILE`);
  const [first] = problem.models;
  return new CliError(message, first === undefined ? remedy : `choose one, e.g. --model ${first}`);
}

/** Members of a file of samples that `zkl compare` reads as a reference. */
export const REFERENCE = ['about', 'logits', 'cross_entropy'];

/** `--samples`: a JSON file, or `random:SEED`, or texts; `--limit` of them. @throws CliError, FormatError */
export async function readSamples(args: Arguments, program: TensorProgram, progress: Progress): Promise<Sample[]> {
  const limit = args.integer('limit', 1, 1_000_000);
  const wanted = wantedInputs(program);
  if (onlyOne(args, ['samples', 'text', 'text-file']) !== 'samples') {
    const texts = (await textsOf(args)).slice(0, limit);
    const samples = samplesFromTexts(texts, await tokenizerOf(args, progress), wanted);
    const cut = samples.filter((sample) => sample.ids.length > sample.length + 1).length;
    if (cut > 0)
      progress.note(
        `${plural(cut, 'text')} of ${texts.length} cut to the program's ${plural(samples[0].inputs.values().next().value?.length ?? 0, 'token')}`,
      );
    return samples;
  }
  const given = args.required('samples');
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
  const bySource = sourcesOf(program);
  const paths = pathsBySource(args, [...bySource.keys()]);
  const out = new Map<number, Numbers>();
  for (const [source, tensors] of bySource) {
    const path = paths.get(source);
    if (path !== undefined) await readPath(path, source, tensors, out);
    else if (tensors.every((t) => t.visibility === 'secret')) {
      unset(source);
      zeros(tensors, out);
    } else throw new CliError(`there is no --weights for the source "${source}"`, `add --weights ${source}=DIR`);
  }
  return out;
}

/** `--weights SOURCE=PATH`, by source. @throws CliError for what is for none of these */
export function pathsBySource(args: Arguments, sources: readonly string[]): Map<string, string> {
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

async function readPath(
  path: string,
  source: string,
  tensors: readonly Tensor[],
  into: Map<number, Numbers>,
): Promise<void> {
  await using files = new AsyncDisposableStack();
  const weights = await openWeights(path, source, files);
  // Whoever reads it says why it is not there.
  for (const name of tensors.flatMap((t) => t.file?.names ?? []))
    if (weights.shape(name) === undefined) await weights.read(name);
  try {
    await readSource(weights, source, tensors, into);
  } catch (error) {
    throw error instanceof ValueError ? new CliError(`${path}: ${error.message}`, error.remedy) : error;
  }
}

/**
 * What is measured on numbers, taken from the cache where the same was measured on the same before. `remembered` says so.
 *
 * @param on all that the outcome depends on: data without functions, and numbers by tensor
 * @param keeps whether an outcome is worth keeping, and can be: data without functions and errors
 */
export async function measured<T>(
  args: Arguments,
  kind: string,
  on: { readonly parts: readonly unknown[]; readonly numbers: ReadonlyMap<number, Numbers> },
  measure: () => Promise<T>,
  keeps: (value: T) => boolean,
): Promise<{ readonly value: T; readonly remembered?: string }> {
  const cache = args.flag('no-cache') ? undefined : measuredCache<T>(kind);
  if (cache === undefined) return { value: await measure() };
  const digest = digestOf([...on.parts, [...on.numbers.keys()]], on.numbers.values());
  const found = await cache.get(digest);
  if (found !== undefined)
    return {
      value: found.value,
      remembered: `measured on ${found.date}, on the same program, weights and samples: --no-cache measures again`,
    };
  const value = await measure();
  if (keeps(value)) await cache.add(digest, value);
  return { value };
}
