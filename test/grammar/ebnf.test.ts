import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { ZklParser } from '../../grammar/parse/parser.ts';
import { zklLexer } from '../../grammar/parse/lexer.ts';
import { conflicts, grammarOf, parseEbnf } from './ebnf.ts';

vi.setConfig({ testTimeout: 60_000 });

const page = parseEbnf(readFileSync(new URL('../../grammar/zkl.ebnf', import.meta.url), 'utf8'));

describe('zkl.ebnf', () => {
  test('is the grammar of the parser', () => {
    const parser = grammarOf(new ZklParser().getSerializedGastProductions());
    expect(Object.fromEntries(parser)).toEqual(Object.fromEntries(page));
  });

  test('is LL(2), and no LL(1) grammar', () => {
    expect(conflicts(page, 'program', 2)).toEqual([]);
    expect(conflicts(page, 'program', 1).map((text) => text.split(':')[0])).toEqual(['dimarg', 'argument']);
  });
});

test('the conflict check sees what chevrotain does not: an option against what follows it', () => {
  expect(conflicts(parseEbnf('a = [ "x" ] "x" "y" ;'), 'a', 1)).toEqual(['a: option: x']);
  expect(conflicts(parseEbnf('a = [ "x" ] "x" "y" ;'), 'a', 2)).toEqual([]);
  expect(conflicts(parseEbnf('a = { "x" b } ; b = { "x" } ;'), 'a', 3)).not.toEqual([]);
  expect(conflicts(parseEbnf('a = "x" "y" | "x" "z" ;'), 'a', 1)).toEqual(['a: alternatives: x']);
});

test('chevrotain finds no fault in the lexer and the parser when it validates them', () => {
  expect(() => new ZklParser(true)).not.toThrow();
  expect(zklLexer(true).lexerDefinitionErrors).toEqual([]);
});
