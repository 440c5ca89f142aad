/** What a proof is about: a file of inputs, an entry of a file of samples, or a text. */
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import { samplesFromJson } from '../../../models/calibrate/samples.ts';
import type { Inputs } from '../../../models/files/inputs.ts';
import { inputsFromText } from '../../../models/text/texts.ts';
import type { TextTokenizer } from '../../../models/text/tokenizer.ts';
import { readText } from '../../host/files/read.ts';
import { CliError } from '../errors.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Progress } from '../show/progress.ts';
import { plural } from '../show/text.ts';
import { programInputs, readInputs } from './inputs.ts';
import { REFERENCE } from './model.ts';
import { onlyOne, textOf, tokenizerOf, tokenizerOfResults } from './text.ts';

export interface ProofInputs {
  readonly inputs: Inputs;
  /** What they came from, for messages. */
  readonly from: string;
  /** To show results with. */
  readonly tokenizer: TextTokenizer | undefined;
  /** Of a text: its tokens, where the program has more. */
  readonly length?: number;
}

/** @throws CliError, FormatError */
export async function readProofInputs(args: Arguments, bundle: Bundle, progress: Progress): Promise<ProofInputs> {
  const given = onlyOne(args, ['inputs', 'text', 'text-file']);
  if (args.value('sample') !== undefined && given !== 'inputs')
    throw new CliError('--sample says which entry of a file of samples', 'add --inputs FILE.json');
  if (given === 'inputs') {
    const tokenizer = await tokenizerOfResults(args, bundle, progress);
    const inputs = await progress.phase('read inputs', () => readInputsOf(args, bundle, progress));
    return { inputs, from: args.required('inputs'), tokenizer };
  }
  const text = await textOf(args);
  const tokenizer = await tokenizerOf(args, progress);
  const { inputs, length } = inputsFromText(text, tokenizer, programInputs(bundle));
  return { inputs, length, from: args.value('text-file') ?? 'the text', tokenizer };
}

async function readInputsOf(args: Arguments, bundle: Bundle, progress: Progress): Promise<Inputs> {
  const path = args.required('inputs');
  const index = args.integer('sample', 0, 1_000_000_000);
  if (index === undefined) return readInputs(path, bundle);
  const samples = samplesFromJson(await readText(path, 'the samples'), path, programInputs(bundle), REFERENCE);
  if (index >= samples.length)
    throw new CliError(
      `${path} has ${plural(samples.length, 'sample')}, none of the number ${index}`,
      `counted from 0, the last one is --sample ${samples.length - 1}`,
    );
  const { inputs, targets } = samples[index];
  if (targets !== undefined)
    progress.note(`sample ${index} is longer than the input: its first ${targets.length} tokens are proved`);
  return inputs;
}
