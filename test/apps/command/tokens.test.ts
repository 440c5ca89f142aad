/** Texts on the command line: read with a model's tokenizer, proved, and shown; other lengths under the same commitments. */
import { mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLlama, modelFiles } from '../../support/model.ts';
import { makeWorkplace, small, withoutProgress, type Workplace } from './run.ts';

const { shared, tokenizers } = JSON.parse(
  readFileSync(new URL('../../vectors/tokenizers.json', import.meta.url), 'utf8'),
) as { readonly shared: object; readonly tokenizers: readonly { readonly name: string; readonly tokenizer: object }[] };
const tokenizer = { ...tokenizers.find((t) => t.name === 'digits')!.tokenizer, model: shared };

/** "ab cd" is five bytes, of which none are one token of this vocabulary. */
const TEXT = 'ab cd';

interface Said {
  readonly publics: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly texts?: readonly {
    readonly name: string;
    readonly text: string;
    readonly pieces: readonly string[];
    readonly padding?: { readonly count: number; readonly text: string };
  }[];
}

describe('texts on the command line', () => {
  let place: Workplace;
  const json = (...args: readonly string[]): Said => JSON.parse(place.ok(...args, '--json').stdout) as Said;
  const base = ['--weights', 'base=llama'];
  const bits = ['--bits', '8', '--weight-bits', '8'];
  const prove = (...args: readonly string[]): string[] => [
    'prove',
    'm.zkb',
    ...base,
    '--opening',
    'keys/opening.zko',
    ...small,
    ...args,
  ];
  const verify = ['verify', 'm.zkb', '--commitment', 'keys/commitment.zkc', '--trust', 'base', ...small];

  beforeAll(() => {
    place = makeWorkplace();
    mkdirSync(place.file('llama'));
    for (const [file, content] of modelFiles(makeLlama({ vocab_size: 300, num_hidden_layers: 1, eos_token_id: 0 })))
      place.write(`llama/${file}`, content);
    mkdirSync(place.file('bare'));
    for (const [file, content] of modelFiles(makeLlama({ vocab_size: 300, num_hidden_layers: 1 })))
      place.write(`bare/${file}`, content);
    place.write('llama/tokenizer.json', JSON.stringify(tokenizer));
    place.write('texts.txt', `${TEXT}\n\nx² = 12\nthe longest of these texts\n`);
    place.write('texts.json', JSON.stringify([TEXT, 'x² = 12', 'the longest of these texts']));
    place.ok('import', 'llama', '--tokens', '8', '-o', 'm.zkl');
    // Types so narrow that tables are small.
    place.write('m.zkl', place.read('m.zkl').toString().replace('fixed<20, 19>', 'fixed<8, 6>'));
    place.ok('calibrate', 'm.zkl', ...base, ...bits, '--text-file', 'texts.txt');
    place.ok('compile', 'm.zkl', '-o', 'm.zkb');
    place.ok('commit', 'm.zkb', ...base, '-o', 'keys', ...small);
  });
  afterAll(() => place.remove());

  test('zkl tokens: text to ids and back, with the pieces', () => {
    const there = JSON.parse(place.ok('tokens', 'llama', '--text', 'ab 12', '--json').stdout) as {
      readonly ids: readonly number[];
      readonly pieces: readonly string[];
    };
    expect(there.pieces.join('')).toBe('abĠ12');
    const back = place.ok('tokens', 'llama/tokenizer.json', '--ids', JSON.stringify(there.ids)).stdout;
    expect(back).toContain('text: "ab 12"\n');
    expect(back).toMatch(new RegExp(`^  0 +${there.ids[0]} +"`));
    const beyond = place.zkl(['tokens', 'llama', '--ids', '3,999']);
    expect([beyond.status, beyond.stderr]).toEqual([
      2,
      expect.stringContaining('has no token 999\n  its ids are below 300'),
    ]);
    expect(place.zkl(['tokens', 'llama', '--ids', '3,x']).stderr).toContain('--ids is "3,x"\n  give whole numbers');
  });

  test('calibrate and compare: texts of lines, of a list, of options give the same', () => {
    const first = place.read('m.calibration.json');
    place.ok('calibrate', 'm.zkl', ...base, ...bits, '--text-file', 'texts.json', '-o', 'again.json');
    expect(place.read('again.json')).toEqual(first);
    const said = place.ok(
      'calibrate',
      'm.zkl',
      ...base,
      ...bits,
      '--text',
      TEXT,
      '--text',
      'x² = 12',
      '--text',
      'the longest of these texts',
      '-o',
      'again.json',
    );
    expect(place.read('again.json')).toEqual(first);
    expect(withoutProgress(said.stderr)).toContain("1 text of 3 cut to the program's 8 tokens");

    // Positions that only fill up do not count.
    const { ids } = JSON.parse(place.ok('tokens', 'llama', '--text', TEXT, '--json').stdout) as {
      readonly ids: readonly number[];
    };
    expect(ids.length).toBeLessThan(8);
    expect(place.ok('compare', 'm.zkl', ...base, '--text', TEXT).stdout).toContain(`of ${ids.length} positions`);
    place.write('padded.json', JSON.stringify({ tokens: [[...ids, ...Array<number>(8 - ids.length).fill(0)]] }));
    expect(place.ok('compare', 'm.zkl', ...base, '--samples', 'padded.json').stdout).toContain('of 8 positions');
  });

  test('prove and verify show the text, cut where it ends; a sample of a file gives the same proof statement', () => {
    const proved = json(...prove('--text', TEXT, '-o', 'a.zkp'));
    const [tokens, next] = proved.texts!;
    expect([tokens.text, tokens.padding?.text]).toEqual([TEXT, '<|im_end|>']);
    const length = tokens.pieces.length;
    expect(length + tokens.padding!.count).toBe(8);
    const ids = proved.publics.find((p) => p.name === 'next')!.values;
    expect(ids).toHaveLength(8);
    const { text } = JSON.parse(place.ok('tokens', 'llama', '--ids', String(ids[length - 1]), '--json').stdout) as {
      readonly text: string;
    };
    expect(next).toMatchObject({ name: 'next', text });
    expect(json(...verify, 'a.zkp', '--tokenizer', 'llama').texts).toEqual(proved.texts);
    expect(json(...verify, 'a.zkp').texts).toBeUndefined();
    const shown = place.ok(...verify, 'a.zkp', '--tokenizer', 'llama').stdout;
    expect(shown).toContain(
      `  the text  "${TEXT}", filled up with ${tokens.padding!.count} times "<|im_end|>"\n  next      "`,
    );

    // The same tokens by hand, and what stands before the text's end depends on nothing after it.
    const given = proved.publics.find((p) => p.name === 'tokens')!.values;
    const other = given.map((id, t) => (t < length ? id : 7));
    place.write('samples.json', JSON.stringify({ tokens: [other, [...given, 5]], about: 'two' }));
    const again = json(...prove('--inputs', 'samples.json', '--sample', '1', '-o', 'b.zkp'));
    expect(again.publics).toEqual(proved.publics);
    const changed = json(...prove('--inputs', 'samples.json', '--sample', '0', '-o', 'b.zkp'));
    expect(changed.publics.find((p) => p.name === 'next')!.values.slice(0, length)).toEqual(ids.slice(0, length));
  });

  test('another number of tokens, under the same commitment: the same answers', () => {
    place.ok('compile', 'm.zkl', '--dim', 'T=5', '-o', 'five.zkb');
    place.write('text.txt', `${TEXT}\r\n`);
    const args = ['prove', 'five.zkb', ...base, '--opening', 'keys/opening.zko', ...small, '-o', 'five.zkp'];
    const proved = json(...args, '--text-file', 'text.txt');
    const long = json(...verify, 'a.zkp');
    expect(proved.publics.map((p) => p.values)).toEqual(long.publics.map((p) => p.values.slice(0, 5)));
    expect(
      place.ok('verify', 'five.zkb', '--commitment', 'keys/commitment.zkc', '--trust', 'base', 'five.zkp', ...small)
        .stdout,
    ).toMatch(/^accepted/);
  });

  test.each<[string, string[], string]>([
    [
      'a text that is too long',
      ['--text', 'the longest of these texts'],
      'tokens, the program takes 8\n  shorten it, or compile the program for more: --dim T=',
    ],
    ['no UTF-8', ['--text', 'a\ufffd'], '--text is not UTF-8\n  give it in a file'],
    ['no UTF-8 in a file', ['--text-file', 'latin1.txt'], 'latin1.txt: the text is not UTF-8 text: line 1, column 4'],
    [
      'text and inputs',
      ['--text', 'a', '--inputs', 'random:1'],
      '--inputs and --text are both given\n  give one of them',
    ],
    ['nothing', [], '--inputs FILE|random:SEED is missing'],
    ['a sample of a text', ['--text', 'a', '--sample', '1'], '--sample says which entry of a file of samples'],
    [
      'a sample that is not there',
      ['--inputs', 'one.json', '--sample', '1'],
      'one.json has 1 sample, none of the number 1\n  counted from 0, the last one is --sample 0',
    ],
    [
      'a tokenizer that is not there',
      ['--text', 'a', '--tokenizer', 'nowhere'],
      'cannot read the tokenizer nowhere: there is no such file',
    ],
    [
      'a folder without one',
      ['--text', 'a', '--tokenizer', 'bare'],
      'bare: there is no tokenizer.json\n  take it from where the model was published, or give token ids',
    ],
    [
      'one with parts that are not supported',
      ['--text', 'a', '--tokenizer', 'lower.json'],
      'its normalizer has "Lowercase", which is not supported here\n  tokenize with other software',
    ],
    [
      'one of another model',
      ['--text', 'more', '--tokenizer', 'larger.json'],
      `beyond the program's vocabulary: tokens is index<300>`,
    ],
  ])('refused: %s', (_, args, words) => {
    place.write('latin1.txt', Uint8Array.of(99, 97, 102, 0xe9));
    place.write('one.json', JSON.stringify({ tokens: [[1, 2, 3, 4, 5, 6, 7, 8]] }));
    place.write('lower.json', JSON.stringify({ ...tokenizer, normalizer: { type: 'Lowercase' } }));
    place.write(
      'larger.json',
      JSON.stringify({ ...tokenizer, added_tokens: [{ id: 300, content: 'more', special: true }] }),
    );
    const { status, stderr } = place.zkl(prove(...args, '-o', 'no.zkp'));
    expect([status, withoutProgress(stderr)]).toEqual([2, expect.stringContaining(words)]);
  });

  test('results are proved whatever the tokenizer of the weights is', () => {
    place.write('bare/tokenizer.json', '{}');
    const args = ['prove', 'm.zkb', '--weights', 'base=bare', '--opening', 'keys/opening.zko', ...small];
    const { status, stderr, stdout } = place.zkl([...args, '--inputs', 'random:1', '-o', 'c.zkp']);
    expect([status, withoutProgress(stderr)]).toEqual([
      0,
      expect.stringContaining('results are not shown as text: bare/tokenizer.json: it has no "model"'),
    ]);
    expect(stdout).not.toContain('the text');
  });

  test('secret tokens stay secret: what the model says is shown, the text is not', () => {
    place.write('s.zkl', place.read('m.zkl').toString().replace('public tokens', 'secret tokens'));
    place.ok('compile', 's.zkl', '--calibration', 'm.calibration.json', '-o', 's.zkb');
    const args = ['prove', 's.zkb', ...base, '--opening', 'keys/opening.zko', ...small, '-o', 's.zkp'];
    const { texts } = json(...args, '--text', TEXT);
    expect(texts!.map((t) => [t.name, t.pieces.length])).toEqual([['next', 5]]);
    const seen = json(
      'verify',
      's.zkb',
      '--commitment',
      'keys/commitment.zkc',
      '--trust',
      'base',
      's.zkp',
      '--tokenizer',
      'llama',
      ...small,
    );
    expect(seen.texts!.map((t) => [t.name, t.pieces.length])).toEqual([['next', 8]]);
  });
});
