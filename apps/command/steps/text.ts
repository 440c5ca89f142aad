/** Texts on the command line, and the tokenizer that reads them. */
import { statSync } from 'node:fs';
import { textsFromJson, textsFromLines, tokenInput } from '../../../models/text/texts.ts';
import type { TextTokenizer } from '../../../models/text/tokenizer.ts';
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import type { Arguments } from '../parse/arguments.ts';
import { CliError, understood } from '../errors.ts';
import { folderWithTokenizer, readTokenizer } from '../../host/tokenizer.ts';
import { readText } from '../../host/files/read.ts';
import type { Progress } from '../show/progress.ts';
import { programInputs } from './inputs.ts';

/** Which of several options that exclude each other is given. @throws CliError where more than one is */
export function onlyOne(args: Arguments, names: readonly string[]): string | undefined {
  const given = names.filter((name) => args.list(name).length > 0);
  if (given.length > 1) throw new CliError(`--${given[0]} and --${given[1]} are both given`, 'give one of them');
  return given[0];
}

/** `--text TEXT`, or all of `--text-file FILE` but a line break at its end. @throws CliError, FormatError */
export async function textOf(args: Arguments): Promise<string> {
  const file = args.value('text-file');
  if (file === undefined) return checked(args.required('text'));
  return (await readText(file, 'the text')).replace(/\r?\n$/, '');
}

/** Every `--text TEXT`, or those of `--text-file FILE`: its lines, or the strings of a list where it is JSON. @throws CliError, FormatError */
export async function textsOf(args: Arguments): Promise<string[]> {
  const file = args.value('text-file');
  if (file === undefined) return args.list('text').map(checked);
  const text = await readText(file, 'the texts');
  return (/\.json$/i.test(file) ? textsFromJson : textsFromLines)(text, file);
}

/** What is not UTF-8 arrives as U+FFFD, whatever it was. */
function checked(text: string): string {
  if (text.includes('\ufffd'))
    throw new CliError('--text is not UTF-8', 'give it in a file, saved as UTF-8: --text-file FILE');
  return text;
}

/** `--tokenizer`, or the one in a directory of weights. @throws CliError, FormatError */
export async function tokenizerOf(args: Arguments, progress: Progress): Promise<TextTokenizer> {
  const path = args.value('tokenizer') ?? folderWithTokenizer(weightPaths(args)) ?? weightPaths(args).find(isDirectory);
  if (path === undefined)
    throw new CliError(
      'there is no tokenizer for the text',
      "add --tokenizer DIR, the model's folder with tokenizer.json",
    );
  return progress.phase('read tokenizer', () => readTokenizer(path));
}

/**
 * The tokenizer to show results with, for programs on tokens: the one of `--tokenizer`, else, if it can be read, one in a directory of weights.
 * @throws CliError, FormatError for the one of `--tokenizer`
 */
export async function tokenizerOfResults(
  args: Arguments,
  bundle: Bundle,
  progress: Progress,
): Promise<TextTokenizer | undefined> {
  if (args.value('tokenizer') !== undefined) return tokenizerOf(args, progress);
  const path = folderWithTokenizer(weightPaths(args));
  if (path === undefined || tokenInput(programInputs(bundle)) === undefined) return undefined;
  try {
    return await progress.phase('read tokenizer', () => readTokenizer(path));
  } catch (error) {
    const known = understood(error);
    if (!(known instanceof CliError)) throw error;
    progress.note(`results are not shown as text: ${known.message}`);
    return undefined;
  }
}

/** A path may hold "=" itself. */
const weightPaths = (args: Arguments): string[] =>
  args.list('weights').flatMap((text) => [text, text.replace(/^[^=]*=/, '')]);

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
