/**
 * The parts of a `tokenizer.json`, brought into those that @huggingface/tokenizers computes exactly as the Rust crate of that name does.
 * A few of its own differ from the crate: its digits and words are ASCII, its splits know two of five behaviors. All of these are splits at a
 * pattern, which it does as the crate does; they are written as such. A part that cannot be is refused by name: other token ids would
 * be an answer to another text.
 */
import { FormatError, quote } from '../files/errors.ts';
import { isObject, type JsonObject } from '../files/json.ts';

const REMEDY = 'tokenize with other software, and give token ids: --inputs or --samples FILE.json';

type Part = JsonObject | null;

/** What a part may be, by its "type". */
type Known = Readonly<Record<string, (part: JsonObject, context: Context) => Part>>;

interface Context {
  readonly file: string;
  /** The member of the file, for messages. */
  readonly kind: string;
}

const asItIs = (part: JsonObject): Part => part;

/** Part after part. */
const sequence =
  (member: string, known: () => Known) =>
  (part: JsonObject, context: Context): Part => ({
    ...part,
    [member]: list(part[member]).map((inner) => convert(known(), inner, context)),
  });

/** Splits as the library has them: the matches are pieces of their own, or (`invert`) the only pieces. */
const split = (regex: string, how: { readonly invert?: boolean; readonly removed?: boolean } = {}): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: (how.removed ?? false) ? 'Removed' : 'Isolated',
  invert: how.invert ?? false,
});

/** A split at matches of `regex` in one of the five behaviors of the crate. */
function splitAt(regex: string, behavior: unknown, context: Context): JsonObject {
  const others = `(?:(?!${regex})(?:.|\\n))*`;
  switch (behavior) {
    case 'Removed':
      return split(regex, { removed: true });
    case 'Isolated':
      return split(regex);
    case 'Contiguous':
      return split(`(?:${regex})+`);
    case 'MergedWithPrevious':
      return split(`${others}(?:${regex})`);
    case 'MergedWithNext':
      return split(`(?:${regex})${others}`);
    default:
      throw unsupported(context, `the split behavior ${quote(String(behavior))}`);
  }
}

/** Escaped, as a pattern of that text alone. */
const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

function splitPart(part: JsonObject, context: Context): Part {
  const { pattern, behavior, invert } = part;
  const { Regex: regex, String: text } = isObject(pattern) ? pattern : {};
  if (typeof regex !== 'string' && typeof text !== 'string') throw unsupported(context, 'a split without a pattern');
  const written = typeof regex === 'string' ? regex : literal(String(text));
  if (invert !== true) return splitAt(written, behavior, context);
  if (behavior === 'Removed') return split(written, { invert: true, removed: true });
  // What a pattern does not match, as pieces beside what it does.
  if (behavior === 'Isolated') return split(written);
  throw unsupported(context, `an inverted split of the behavior ${quote(String(behavior))}`);
}

/** The pattern of GPT-2, with the white space of Unicode, as the crate has it there. */
const GPT2 =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+";

function byteLevel(part: JsonObject, context: Context): Part {
  const { add_prefix_space: prefix, use_regex: splits } = part;
  if (splits === false) return part;
  if (prefix === true) throw unsupported(context, '"ByteLevel" with "add_prefix_space" and "use_regex"');
  return { type: 'Sequence', pretokenizers: [split(GPT2), { ...part, use_regex: false }] };
}

function metaspace(part: JsonObject, context: Context): Part {
  const { replacement, split: splits, prepend_scheme: scheme, add_prefix_space: old } = part;
  if (scheme === undefined && old !== undefined) throw unsupported(context, '"Metaspace" without "prepend_scheme"');
  if (splits === false) return part;
  const mark = literal(typeof replacement === 'string' ? replacement : '\u2581');
  return { type: 'Sequence', pretokenizers: [part, splitAt(mark, 'MergedWithNext', context)] };
}

const PUNCTUATION = '[!-\\/:-@\\[-`\\{-~\\p{P}]';

/** What `\\w` is to the crate (Unicode technical standard 18, annex C). */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';

const NORMALIZERS: Known = {
  Sequence: sequence('normalizers', () => NORMALIZERS),
  NFC: asItIs,
  NFD: asItIs,
  NFKC: asItIs,
  NFKD: asItIs,
  Prepend: asItIs,
  Replace: asItIs,
  StripAccents: asItIs,
};

const PRE_TOKENIZERS: Known = {
  Sequence: sequence('pretokenizers', () => PRE_TOKENIZERS),
  ByteLevel: byteLevel,
  Digits: ({ individual_digits: each }) => split(each === true ? '\\p{N}' : '\\p{N}+'),
  Metaspace: metaspace,
  Punctuation: ({ behavior = 'Isolated' }, context) => splitAt(PUNCTUATION, behavior, context),
  Split: splitPart,
  Whitespace: () => split(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, { invert: true, removed: true }),
  WhitespaceSplit: () => split('\\p{White_Space}+', { removed: true }),
};

const POST_PROCESSORS: Known = {
  Sequence: sequence('processors', () => POST_PROCESSORS),
  ByteLevel: asItIs,
  TemplateProcessing: asItIs,
  BertProcessing: asItIs,
  RobertaProcessing: asItIs,
};

const DECODERS: Known = {
  Sequence: sequence('decoders', () => DECODERS),
  ByteLevel: asItIs,
  ByteFallback: asItIs,
  Fuse: asItIs,
  Metaspace: asItIs,
  Replace: asItIs,
  Strip: asItIs,
  WordPiece: asItIs,
};

/** Settings of models that are refused unless they are off. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  BPE: ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix'],
  Unigram: [],
  WordPiece: [],
};

/** @throws FormatError naming what is not supported */
export function supportedTokenizer(file: string, value: JsonObject): JsonObject {
  const convertMember = (name: string, known: Known): Part => {
    const part = value[name] ?? null;
    return part === null ? null : convert(known, part, { file, kind: name });
  };
  checkModel(file, value['model']);
  const tokens = list(value['added_tokens']);
  const single = tokens.find((token) => isObject(token) && token['single_word'] === true);
  if (isObject(single))
    throw unsupported({ file, kind: 'added_tokens' }, `"single_word" of ${quote(String(single['content']))}`);
  return {
    ...value,
    added_tokens: tokens,
    normalizer: convertMember('normalizer', NORMALIZERS),
    pre_tokenizer: convertMember('pre_tokenizer', PRE_TOKENIZERS),
    post_processor: convertMember('post_processor', POST_PROCESSORS),
    decoder: convertMember('decoder', DECODERS),
  };
}

function convert(known: Known, part: unknown, context: Context): Part {
  const type = isObject(part) ? part['type'] : undefined;
  if (!isObject(part) || typeof type !== 'string' || !Object.hasOwn(known, type))
    throw unsupported(context, quote(typeof type === 'string' ? type : 'a part without a type'));
  return known[type](part, context);
}

function checkModel(file: string, model: unknown): void {
  const context = { file, kind: 'model' };
  if (!isObject(model) || !(isObject(model['vocab']) || Array.isArray(model['vocab'])))
    throw new FormatError(file, 'it has no "model" with a "vocab"', 'give the tokenizer.json that transformers wrote');
  // Files of before the crate's version 0.9 leave the type of BPE out.
  const type = model['type'] ?? (Array.isArray(model['merges']) ? 'BPE' : undefined);
  if (typeof type !== 'string' || !Object.hasOwn(MODELS, type))
    throw unsupported(context, quote(typeof type === 'string' ? type : 'a model without a type'));
  for (const name of MODELS[type])
    if (![undefined, null, 0, ''].includes(model[name] as never))
      throw unsupported(context, `${quote(name)} of ${type}`);
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

const unsupported = ({ file, kind }: Context, what: string): FormatError =>
  new FormatError(file, `its ${kind.replace('_', ' ')} has ${what}, which is not supported here`, REMEDY);
