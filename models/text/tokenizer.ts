/** Text as a model's token ids and back: the `tokenizer.json` of its folder, read with @huggingface/tokenizers. */
import * as library from '@huggingface/tokenizers';
import { kindOf } from '../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../compiler/ir/errors.ts';
import { FormatError } from '../files/errors.ts';
import { readFolderObject, type Folder } from '../files/folder.ts';
import { isObject, type JsonObject } from '../files/json.ts';
import { supportedTokenizer } from './parts.ts';

export interface TextTokenizer {
  /** For messages: the file it was read from. */
  readonly name: string;
  /** One more than its largest id. A model may have a few more rows, which no text leads to. */
  readonly size: number;
  /**
   * What fills a text up that is shorter than a program's tokens. Nothing depends on it: in a causal model no position sees those after it.
   * It is the token that ends texts (`eos_token_id` of `config.json`), else the first special one, else 0.
   */
  readonly padding: number;
  /** The ids of a text, with the special tokens that the model's texts begin or end with. @throws ArgumentError for a text that is not Unicode */
  encode(text: string): number[];
  /** The text of ids, special tokens included. @throws ArgumentError for an id that the tokenizer has not */
  decode(ids: ArrayLike<number>): string;
  /** A token as the vocabulary has it, where spaces and bytes have letters of their own; undefined where there is none. */
  piece(id: number): string | undefined;
  /** Whether a token stands for no text: the beginning or the end of one, a turn of a chat. */
  isSpecial(id: number): boolean;
}

/** What of the library is used; its own declarations do not resolve under Node's rules. */
interface Backend {
  encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: (number | undefined)[] };
  decode(ids: readonly number[], options: { readonly clean_up_tokenization_spaces: boolean }): string;
  id_to_token(id: number): string | undefined;
  readonly model: { readonly vocab: readonly (string | undefined)[] };
}

const { Tokenizer } = library as unknown as { readonly Tokenizer: new (file: object, settings: object) => Backend };

const FILE = 'tokenizer.json';

/** Vocabularies of before `tokenizer.json`, which transformers turns into one. */
const OLDER = ['tokenizer.model', 'vocab.json', 'spiece.model', 'vocab.txt'];

/**
 * The tokenizer of a model's folder: `tokenizer.json`, and of `config.json`, where there is one, `eos_token_id`. Truncation and padding that the
 * file asks for are left out, as transformers does: a text has all of its tokens.
 *
 * @throws FormatError for a folder without `tokenizer.json`, and for one with parts that are not supported, naming them
 */
export async function openTokenizer(folder: Folder): Promise<TextTokenizer> {
  const value = await readFolderObject(folder, FILE);
  if (value === undefined) throw await missing(folder);
  const name = `${folder.name}/${FILE}`;
  const supported = supportedTokenizer(name, value);
  const backend = create(name, supported);
  const { vocab } = backend.model;
  const special = specialIds(value);
  const pieceOf = (id: number): string | undefined => (Number.isInteger(id) && id >= 0 ? vocab[id] : undefined);
  const whole = keepsAll(supported);
  const decode = (ids: readonly number[]): string =>
    ids.length === 0 ? '' : backend.decode(ids, { clean_up_tokenization_spaces: false });
  const ends = endOfText((await readFolderObject(folder, 'config.json')) ?? {});
  const padding = ends.find((id) => pieceOf(id) !== undefined) ?? Math.min(...special, Infinity);
  return {
    name,
    size: vocab.length,
    padding: Number.isFinite(padding) ? padding : 0,
    encode(text) {
      if (typeof text !== 'string') throw new ArgumentError('text', 'a string', kindOf(text));
      if (!text.isWellFormed()) throw new ArgumentError('text', 'Unicode text', 'a text with half of a surrogate pair');
      const ids = backend.encode(text).ids.filter((id) => id !== undefined);
      if (whole) checkWhole(name, text, text === '' ? '' : decode(bare(backend, text)));
      return ids;
    },
    decode(ids) {
      const list = Array.from(ids);
      const unknown = list.find((id) => pieceOf(id) === undefined);
      if (unknown !== undefined)
        throw new ArgumentError('ids', `token ids of ${name}, below ${vocab.length}`, String(unknown));
      return decode(list);
    },
    piece: pieceOf,
    isSpecial: (id) => special.has(id),
  };
}

/** What the library refuses, a pattern for instance, is in the file. */
function create(name: string, value: JsonObject): Backend {
  try {
    return new Tokenizer(value, {});
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new FormatError(
      name,
      `it cannot be read: ${error.message}`,
      'download it again, or tokenize with other software',
    );
  }
}

const bare = (backend: Backend, text: string): number[] =>
  backend.encode(text, { add_special_tokens: false }).ids.filter((id) => id !== undefined);

/** Whether ids give back every text that its vocabulary has letters for: bytes, and nothing that takes any away. */
function keepsAll(value: JsonObject): boolean {
  const { model, decoder, normalizer, pre_tokenizer: splits, added_tokens: added } = value;
  const tokens = Array.isArray(added) ? (added as unknown[]) : [];
  return (
    isObject(model) &&
    (model['unk_token'] ?? null) === null &&
    model['byte_fallback'] !== true &&
    isObject(decoder) &&
    decoder['type'] === 'ByteLevel' &&
    normalizer === null &&
    !JSON.stringify(splits).includes('"Removed"') &&
    !tokens.some((token) => isObject(token) && (token['lstrip'] === true || token['rstrip'] === true))
  );
}

/** Some vocabularies lack bytes: what has no token would be left out, and the answer be one to another text. */
function checkWhole(name: string, text: string, back: string): void {
  if (back === text) return;
  const at = [...text].findIndex((c, k) => c !== [...back][k]);
  const code = ([...text][at] ?? '').codePointAt(0) ?? 0;
  throw new FormatError(
    name,
    `the vocabulary has no token for U+${code.toString(16).toUpperCase().padStart(4, '0')}, which the text has`,
    'leave it out of the text',
  );
}

function specialIds(value: JsonObject): ReadonlySet<number> {
  const tokens = Array.isArray(value['added_tokens']) ? (value['added_tokens'] as unknown[]) : [];
  return new Set(
    tokens.flatMap((token) =>
      isObject(token) && token['special'] === true && typeof token['id'] === 'number' ? [token['id']] : [],
    ),
  );
}

/** One id, or a list of them. */
function endOfText({ eos_token_id: ids }: JsonObject): number[] {
  return (Array.isArray(ids) ? (ids as unknown[]) : [ids]).filter((id) => typeof id === 'number');
}

async function missing(folder: Folder): Promise<FormatError> {
  const names = (await folder.files?.()) ?? [];
  const older = OLDER.find((name) => names.includes(name));
  const remedy =
    older === undefined
      ? 'take it from where the model was published, or give token ids instead of text: --inputs or --samples FILE.json'
      : `it has ${older}, from which transformers makes one: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)`;
  return new FormatError(folder.name, `there is no ${FILE}`, remedy);
}
