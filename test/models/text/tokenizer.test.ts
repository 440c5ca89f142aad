/** Token ids and texts are those of the Rust crate (`oracle.py`), part by part; what is not reproduced is refused by name. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ArgumentError, bytesSource, FormatError, openTokenizer, type TextTokenizer } from '../../../models/index.ts';

type Json = Record<string, unknown>;
interface Vectors {
  readonly texts: readonly string[];
  readonly shared: Json;
  readonly tokenizers: readonly {
    readonly name: string;
    readonly tokenizer: Json;
    readonly texts: readonly (readonly [ids: number[], decoded: string])[];
  }[];
}
const { texts, shared, tokenizers } = JSON.parse(
  readFileSync(new URL('../../vectors/tokenizers.json', import.meta.url), 'utf8'),
) as Vectors;

const fileOf = (name: string): Json => {
  const { tokenizer } = tokenizers.find((t) => t.name === name)!;
  return { ...tokenizer, model: tokenizer['model'] ?? shared };
};

const folder = (files: Readonly<Record<string, unknown>>, names: readonly string[] = Object.keys(files)) => ({
  name: 'm',
  open: (file: string) =>
    Promise.resolve(
      file in files ? bytesSource(`m/${file}`, new TextEncoder().encode(JSON.stringify(files[file]))) : undefined,
    ),
  files: () => Promise.resolve(names),
});
const open = (tokenizer: Json, config?: Json): Promise<TextTokenizer> =>
  openTokenizer(folder({ 'tokenizer.json': tokenizer, ...(config === undefined ? {} : { 'config.json': config }) }));

const refusal = (tokenizer: Json): Promise<unknown> => open(tokenizer).catch((error: unknown) => error);

describe('as the Rust crate', () => {
  test.each(tokenizers.map((t) => t.name))('%s', async (name) => {
    const tokenizer = await open(fileOf(name));
    for (const [k, [ids, decoded]] of tokenizers.find((t) => t.name === name)!.texts.entries()) {
      expect(tokenizer.encode(texts[k]), texts[k]).toEqual(ids);
      // Of bytes that stand for U+FEFF the library makes nothing, of their letters it does.
      expect(tokenizer.decode(ids), texts[k]).toBe(name === 'llama' ? decoded.replace('\ufeff', '') : decoded);
    }
  });

  test('the vectors have what they are for', () => {
    expect(texts.length).toBeGreaterThan(25);
    const named = tokenizers.map((t) => t.name);
    expect(named).toEqual(expect.arrayContaining(['smollm2', 'qwen3', 'llama', 'unigram', 'wordpiece']));
  });
});

describe('a tokenizer', () => {
  test('says pieces, special tokens and what fills texts up', async () => {
    const tokenizer = await open(fileOf('llama'), { eos_token_id: [2, 1] });
    expect([tokenizer.piece(1), tokenizer.piece(-1), tokenizer.piece(1e6)]).toEqual(['<s>', undefined, undefined]);
    expect([tokenizer.isSpecial(1), tokenizer.isSpecial(300)]).toEqual([true, false]);
    expect(tokenizer.padding).toBe(2);
    expect((await open(fileOf('llama'))).padding).toBe(0);
    const [id] = tokenizers.find((t) => t.name === 'qwen3')!.texts[0][0];
    expect((await open(fileOf('qwen3'), { eos_token_id: id })).padding).toBe(id);
    const [first] = fileOf('qwen3')['added_tokens'] as readonly { readonly id: number }[];
    expect((await open(fileOf('qwen3'), { eos_token_id: 999_999 })).padding).toBe(first.id);
    expect(first.id).toBeGreaterThan(0);
    expect(tokenizer.decode([])).toBe('');
  });

  test('leaves truncation and padding of the file out', async () => {
    const truncated = {
      ...fileOf('llama'),
      truncation: { max_length: 2, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
      padding: { strategy: { Fixed: 64 }, pad_id: 0, pad_token: '<unk>', direction: 'Right', pad_type_id: 0 },
    };
    expect((await open(truncated)).encode(texts[0])).toEqual((await open(fileOf('llama'))).encode(texts[0]));
  });

  test('refuses ids it has not, texts that are no Unicode, and characters without a token', async () => {
    const tokenizer = await open(fileOf('smollm2'));
    expect(() => tokenizer.decode([504, 900_000])).toThrow(ArgumentError);
    expect(() => tokenizer.encode('a\ud83d')).toThrow(ArgumentError);
    // Its vocabulary has no token for this byte; the crate leaves it out.
    expect(() => tokenizer.encode('a\u001db')).toThrow('the vocabulary has no token for U+001D');
  });
});

describe('refused by name', () => {
  const split = { type: 'Split', pattern: { String: ' ' }, behavior: 'Isolated', invert: false };
  const base = fileOf('llama');
  const model = base['model'] as Json;
  test.each<[string, Json]>([
    ['its normalizer has "Precompiled"', { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } }],
    [
      'its normalizer has "Lowercase"',
      { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] } },
    ],
    ['its pre tokenizer has "BertPreTokenizer"', { pre_tokenizer: { type: 'BertPreTokenizer' } }],
    ['its pre tokenizer has the split behavior "Other"', { pre_tokenizer: { ...split, behavior: 'Other' } }],
    ['"add_prefix_space"', { pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true } }],
    ['its post processor has "New"', { post_processor: { type: 'New' } }],
    ['its decoder has "CTC"', { decoder: { type: 'CTC' } }],
    ['its model has "WordLevel"', { model: { type: 'WordLevel', vocab: {}, unk_token: 'a' } }],
    ['"dropout" of BPE', { model: { ...model, dropout: 0.1 } }],
    ['"end_of_word_suffix" of BPE', { model: { ...model, end_of_word_suffix: '</w>' } }],
    ['"single_word" of "<x>"', { added_tokens: [{ id: 0, content: '<x>', single_word: true }] }],
    ['it has no "model" with a "vocab"', { model: 3 }],
  ])('%s', async (words, change) => {
    const error = await refusal({ ...base, ...change });
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(words);
    expect((error as FormatError).file).toBe('m/tokenizer.json');
  });

  test('a pattern that the library does not read', async () => {
    const error = await refusal({ ...base, pre_tokenizer: { ...split, pattern: { Regex: '[[a&&]]' } } });
    expect(error).toBeInstanceOf(FormatError);
  });

  test('a folder without tokenizer.json, with the way to one', async () => {
    await expect(openTokenizer(folder({ 'config.json': {} }))).rejects.toThrow(
      'm: there is no tokenizer.json; take it from where the model was published',
    );
    await expect(openTokenizer(folder({}, ['tokenizer.model']))).rejects.toThrow('it has tokenizer.model');
  });
});
