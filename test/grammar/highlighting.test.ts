import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, expect, test, vi } from 'vitest';
import oniguruma from 'vscode-oniguruma';
import textmate, { type IGrammar } from 'vscode-textmate';
import { lex } from '../../grammar/parse/lexer.ts';
import { isKeyword, KEYWORDS } from '../../grammar/parse/tokens.ts';
import { cases } from '../golden/golden.ts';

vi.setConfig({ testTimeout: 60_000 });

const path = new URL('../../grammar/zkl.tmLanguage.json', import.meta.url);
let grammar: IGrammar;

beforeAll(async () => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: () => Promise.resolve(textmate.parseRawGrammar(readFileSync(path, 'utf8'), 'zkl.tmLanguage.json')),
  });
  const loaded = await registry.loadGrammar('source.zkl');
  if (!loaded) throw new Error('the grammar did not load');
  grammar = loaded;
});

/** The words of a line with their innermost scopes, blanks left out. */
const scopes = (line: string): (readonly [string, string])[] =>
  grammar
    .tokenizeLine(line, textmate.INITIAL)
    .tokens.map(
      ({ startIndex, endIndex, scopes: all }) => [line.slice(startIndex, endIndex), all.at(-1) ?? ''] as const,
    )
    .filter(([text]) => text.trim() !== '');

test('a declaration', () => {
  expect(scopes(`  secret A[l: L, R]: fixed<16, 14> from adapter "h.{l}.weight" // rows`)).toEqual([
    ['secret', 'storage.modifier.zkl'],
    ['A', 'variable.other.zkl'],
    ['[', 'punctuation.section.zkl'],
    ['l', 'variable.other.zkl'],
    [':', 'punctuation.separator.zkl'],
    ['L', 'variable.other.zkl'],
    [',', 'punctuation.separator.zkl'],
    ['R', 'variable.other.zkl'],
    [']', 'punctuation.section.zkl'],
    [':', 'punctuation.separator.zkl'],
    ['fixed', 'support.type.zkl'],
    ['<', 'keyword.operator.zkl'],
    ['16', 'constant.numeric.zkl'],
    [',', 'punctuation.separator.zkl'],
    ['14', 'constant.numeric.zkl'],
    ['>', 'keyword.operator.zkl'],
    ['from', 'keyword.control.zkl'],
    ['adapter', 'variable.other.zkl'],
    ['"', 'string.quoted.double.zkl'],
    ['h.', 'string.quoted.double.zkl'],
    ['{l}', 'constant.other.placeholder.zkl'],
    ['.weight', 'string.quoted.double.zkl'],
    ['"', 'string.quoted.double.zkl'],
    ['// rows', 'comment.line.double-slash.zkl'],
  ]);
});

test('an equation', () => {
  expect(scopes(`x' = round<16, 8>(1e-5 * sum(i) f(x) div 2)`)).toEqual([
    ["x'", 'variable.other.zkl'],
    ['=', 'keyword.operator.zkl'],
    ['round', 'entity.name.function.call.zkl'],
    ['<', 'keyword.operator.zkl'],
    ['16', 'constant.numeric.zkl'],
    [',', 'punctuation.separator.zkl'],
    ['8', 'constant.numeric.zkl'],
    ['>', 'keyword.operator.zkl'],
    ['(', 'punctuation.section.zkl'],
    ['1e-5', 'constant.numeric.zkl'],
    ['*', 'keyword.operator.zkl'],
    ['sum', 'keyword.operator.reduction.zkl'],
    ['(', 'punctuation.section.zkl'],
    ['i', 'variable.other.zkl'],
    [')', 'punctuation.section.zkl'],
    ['f', 'entity.name.function.call.zkl'],
    ['(', 'punctuation.section.zkl'],
    ['x', 'variable.other.zkl'],
    [')', 'punctuation.section.zkl'],
    ['div', 'keyword.operator.word.zkl'],
    ['2', 'constant.numeric.zkl'],
    [')', 'punctuation.section.zkl'],
  ]);
});

test('headers and comments', () => {
  expect(scopes('block linear<O>(x) -> y {').slice(0, 2)).toEqual([
    ['block', 'storage.type.zkl'],
    ['linear', 'entity.name.function.zkl'],
  ]);
  expect(scopes('/// A block.')).toEqual([['/// A block.', 'comment.line.documentation.zkl']]);
  expect(scopes('//// A rule.')).toEqual([['//// A rule.', 'comment.line.double-slash.zkl']]);
  expect(scopes('"open')[1]).toEqual(['open', 'string.quoted.double.zkl']);
});

test.each(KEYWORDS)('`%s` is a keyword, and part of a name is none', (word) => {
  expect(scopes(`${word} +`)[0][1]).toMatch(/^(keyword|storage|support)\./);
  for (const name of [`${word}s`, `x_${word}`, `${word}'`])
    expect(scopes(`${name} +`)[0]).toEqual([name, 'variable.other.zkl']);
});

/** What a scope says about the kind of a word. */
const isKeywordScope = (scope: string): boolean =>
  /^(keyword\.(control|operator\.(word|reduction))|storage|support)\./.test(scope);

test.each(cases('grammar').filter(({ name }) => !name.startsWith('errors')))(
  'the words of $name are highlighted as the lexer reads them',
  ({ source }) => {
    for (const line of source.split('\n')) {
      const keywords = lex(line, 'x').tokens.filter(({ tokenType }) => isKeyword(tokenType));
      const shown = scopes(line).filter(([, scope]) => isKeywordScope(scope));
      expect(shown.map(([text]) => text)).toEqual(keywords.map(({ image }) => image));
    }
  },
);
