/** Texts as inputs and samples, and results as text. */
import { describe, expect, test } from 'vitest';
import {
  FormatError,
  inputsFromText,
  samplesFromTexts,
  textOfPublics,
  textsFromJson,
  textsFromLines,
  type TextTokenizer,
  type WantedInput,
} from '../../../models/index.ts';

/** A letter a token, from 1; 0 ends texts. */
const letters: TextTokenizer = {
  name: 'm/tokenizer.json',
  size: 27,
  padding: 0,
  encode: (text) => [...text].map((c) => c.charCodeAt(0) - 96),
  decode: (ids) => Array.from(ids, (id) => (id === 0 ? '<end>' : String.fromCharCode(96 + id))).join(''),
  piece: (id) => (id === 0 ? '<end>' : id <= 26 ? String.fromCharCode(96 + id) : undefined),
  isSpecial: (id) => id === 0,
};
const tokens: WantedInput = { name: 'tokens', shape: [4], type: { kind: 'index', size: 20 } };
const real: WantedInput = { name: 'x', shape: [4], type: { kind: 'fixed', bits: 16, frac: 8 } };

describe('a text as inputs', () => {
  test('is filled up', () => {
    const { inputs, ids, length } = inputsFromText('ab', letters, [tokens]);
    expect([inputs.get('tokens'), ids, length]).toEqual([Float64Array.of(1, 2, 0, 0), [1, 2], 2]);
    expect(inputsFromText('abcd', letters, [tokens]).length).toBe(4);
  });

  test.each([
    [
      'abcde',
      [tokens],
      'the text has 5 tokens, the program takes 4; shorten it, or compile the program for more: --dim T=5',
    ],
    ['', [tokens], 'the text has no tokens'],
    ['az', [tokens], `token 1 of the text is 26 ("z"), beyond the program's vocabulary: tokens is index<20>`],
    ['a', [real], 'the program takes no tokens: its inputs are "x"'],
    ['a', [tokens, real], 'the program takes more than tokens: "tokens", "x"'],
  ])('%j for %j', (text, wanted, words) => {
    expect(() => inputsFromText(text, letters, wanted)).toThrow(FormatError);
    expect(() => inputsFromText(text, letters, wanted)).toThrow(words);
  });
});

test('texts as samples are cut or filled up, with what follows as targets', () => {
  const samples = samplesFromTexts(['abcdef', 'abcd', 'ab', 'a'], letters, [tokens]);
  expect(samples.map((s) => [[...s.inputs.get('tokens')!], [...(s.targets ?? [])], s.length, s.ids.length])).toEqual([
    [[1, 2, 3, 4], [2, 3, 4, 5], 4, 6],
    [[1, 2, 3, 4], [2, 3, 4], 4, 4],
    [[1, 2, 0, 0], [2], 2, 2],
    [[1, 0, 0, 0], [], 1, 1],
  ]);
  expect(() => samplesFromTexts(['a', ''], letters, [tokens])).toThrow('text 1, counted from 0, has no tokens');
});

test('files of texts', () => {
  expect(textsFromLines('one\r\n\n  \ntwo', 'f')).toEqual(['one', 'two']);
  expect(() => textsFromLines('\n', 'f')).toThrow('f: it has no text');
  expect(textsFromJson('["one\\ntwo", ""]', 'f.json')).toEqual(['one\ntwo', '']);
  for (const text of ['{}', '[]', '[1]'])
    expect(() => textsFromJson(text, 'f.json')).toThrow('it is no list of strings');
  expect(() => textsFromJson('["\\ud83d"]', 'f.json')).toThrow('entry 0 has half of a surrogate pair');
  expect(() => textsFromJson('[', 'f.json')).toThrow('is not JSON');
});

describe('results as text', () => {
  const one = { num: 1n, den: 1n };
  const tensor = (id: number, name: string, shape: number[], kind: string, index: boolean) => ({
    id,
    name,
    shape,
    scale: one,
    range: { lo: 0n, hi: 19n },
    class: { kind },
    ...(index ? { type: tokens.type } : {}),
  });
  const program = (next: number[], secret = false) =>
    ({
      tensors: [tensor(0, 'tokens', [4], secret ? 'secret' : 'input', true), tensor(1, 'next', next, 'output', false)],
      publics: secret ? [1] : [0, 1],
      secrets: secret ? [0] : [],
    }) as never;
  const show = (given: number[] | undefined, next: number[], length?: number, shape = [4]) =>
    textOfPublics(
      program(shape, given === undefined),
      new Map([
        ...(given ? [['tokens', Int32Array.from(given)] as const] : []),
        ['next', Int32Array.from(next)] as const,
      ]),
      letters,
      length,
    );

  test('are cut where the text is filled up', () => {
    expect(show([1, 2, 0, 0], [3, 4, 9, 9])).toEqual([
      { name: 'tokens', kind: 'input', text: 'ab', pieces: ['a', 'b'], padding: { count: 2, text: '<end>' } },
      { name: 'next', kind: 'output', text: 'd', pieces: ['c', 'd'] },
    ]);
    expect(show([1, 2, 3, 3], [3, 4, 5, 6]).map((t) => t.text)).toEqual(['abcc', 'f']);
    // Known to be text, to whoever gave it.
    expect(show([1, 0, 0, 0], [3, 4, 5, 6], 3).map((t) => t.text)).toEqual(['a<end><end>', 'e']);
    expect(show([0, 0, 0, 0], [3, 4, 5, 6]).map((t) => t.text)).toEqual(['<end><end><end><end>', 'f']);
  });

  test('of a program that says the last token alone, or keeps the tokens', () => {
    expect(show([1, 2, 3, 4], [5], undefined, []).map((t) => t.text)).toEqual(['abcd', 'e']);
    expect(show(undefined, [3, 4, 5, 6])).toEqual([
      { name: 'next', kind: 'output', text: 'f', pieces: ['c', 'd', 'e', 'f'] },
    ]);
  });

  test('need ids that the tokenizer has', () => {
    expect(show([1, 2, 3, 27], [3, 4, 5, 6])).toEqual([]);
    expect(show([1, 2, 3, 4], [3, 4, 5, 27]).map((t) => t.name)).toEqual(['tokens']);
  });
});
