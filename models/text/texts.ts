/** Texts as inputs and as samples of a program. */
import { requireArray, requireText } from '../../compiler/ir/arguments.ts';
import type { Sample } from '../calibrate/samples.ts';
import { requireWanted } from '../files/arguments.ts';
import { FormatError, quoteSome } from '../files/errors.ts';
import type { Inputs, WantedInput } from '../files/inputs.ts';
import { parseJson } from '../files/json.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** What a text became. */
export interface TokenizedText {
  readonly ids: readonly number[];
  /** Tokens that count: those of the text, of a longer one as many as the program has. */
  readonly length: number;
}

const LIST = 'write a list of strings: ["The river was high.", "It rained."]';

/** Texts of a JSON file: a list of strings. @throws FormatError */
export function textsFromJson(text: string, file: string): string[] {
  const value = parseJson(file, 'the file', text, LIST);
  if (!Array.isArray(value) || value.length === 0 || !value.every((entry) => typeof entry === 'string'))
    throw new FormatError(file, 'it is no list of strings', LIST);
  const broken = value.findIndex((entry) => !entry.isWellFormed());
  if (broken >= 0) throw new FormatError(file, `entry ${broken} has half of a surrogate pair`, 'write Unicode text');
  return value;
}

/** Texts of a text file: its lines, but for those that are blank. @throws FormatError */
export function textsFromLines(text: string, file: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new FormatError(file, 'it has no text', 'write one text a line');
  return lines;
}

/** The input that texts go to: the only one of one axis of indices, or of several the one called `tokens`. */
export function tokenInput<T extends WantedInput>(wanted: readonly T[]): T | undefined {
  const indices = wanted.filter(({ type, shape }) => type.kind === 'index' && shape.length === 1);
  return indices.length === 1 ? indices[0] : indices.find(({ name }) => name === 'tokens');
}

/**
 * The inputs of a proof about a text. A shorter text is filled up with the tokenizer's `padding`, which changes nothing before it.
 *
 * @throws FormatError for a text of no tokens or of more than the program has, for a token beyond the program's vocabulary, and for a program that takes
 *   other inputs than tokens
 */
export function inputsFromText(
  text: string,
  tokenizer: TextTokenizer,
  wanted: readonly WantedInput[],
): TokenizedText & { readonly inputs: Inputs } {
  requireText('text', text);
  requireWanted('wanted', wanted);
  const input = onlyTokens(tokenizer, wanted);
  const [length] = input.shape;
  const ids = tokenize(text, tokenizer, input, 'the text');
  if (ids.length > length)
    throw new FormatError(
      tokenizer.name,
      `the text has ${ids.length} tokens, the program takes ${length}`,
      `shorten it, or compile the program for more: --dim T=${ids.length}, under the same commitments`,
    );
  return { ids, length: ids.length, inputs: new Map([[input.name, padded(ids, length, tokenizer)]]) };
}

/**
 * A sample a text: of a longer one the first tokens, with those that follow as targets; a shorter one is filled up, and only its own positions count.
 *
 * @throws FormatError as `inputsFromText`, but for the length
 */
export function samplesFromTexts(
  texts: readonly string[],
  tokenizer: TextTokenizer,
  wanted: readonly WantedInput[],
): (Sample & TokenizedText)[] {
  requireArray('texts', texts, 'strings');
  requireWanted('wanted', wanted);
  const input = onlyTokens(tokenizer, wanted);
  const [most] = input.shape;
  return texts.map((text, k) => {
    requireText(`texts[${k}]`, text);
    const ids = tokenize(text, tokenizer, input, texts.length === 1 ? 'the text' : `text ${k}, counted from 0,`);
    const targets = Int32Array.from(ids.slice(1, most + 1));
    return {
      ids,
      length: Math.min(ids.length, most),
      inputs: new Map([[input.name, padded(ids, most, tokenizer)]]),
      ...(targets.length > 0 ? { targets } : {}),
    };
  });
}

function onlyTokens({ name }: TextTokenizer, wanted: readonly WantedInput[]): WantedInput {
  const input = tokenInput(wanted);
  if (input !== undefined && wanted.length === 1) return input;
  const names = quoteSome(wanted.map((w) => w.name));
  throw input === undefined
    ? new FormatError(
        name,
        `the program takes no tokens: its inputs are ${names}`,
        'give them with --inputs or --samples',
      )
    : new FormatError(
        name,
        `the program takes more than tokens: ${names}`,
        'give all of them with --inputs or --samples',
      );
}

function tokenize(text: string, tokenizer: TextTokenizer, { name, type }: WantedInput, what: string): number[] {
  const ids = tokenizer.encode(text);
  if (ids.length === 0) throw new FormatError(tokenizer.name, `${what} has no tokens`, 'give a text that has some');
  const size = type.kind === 'index' ? type.size : 0;
  const beyond = ids.findIndex((id) => id >= size);
  if (beyond >= 0)
    throw new FormatError(
      tokenizer.name,
      `token ${beyond} of ${what} is ${ids[beyond]} (${JSON.stringify(tokenizer.piece(ids[beyond]))}), beyond the program's vocabulary: ${name} is index<${size}>`,
      'give the tokenizer of the model that the program was imported from',
    );
  return ids;
}

const padded = (ids: readonly number[], length: number, { padding }: TextTokenizer): Float64Array =>
  Float64Array.from({ length }, (_, t) => ids[t] ?? padding);
