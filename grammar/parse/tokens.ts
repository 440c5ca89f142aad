/** The words and signs of the language, as chevrotain token types. */
import { createToken, Lexer, type TokenType } from 'chevrotain';

/** Reserved words; none of them can name anything. */
export const KEYWORDS = [
  ...['import', 'from', 'block', 'derivative', 'optimizer', 'table', 'in', 'saturate', 'model', 'at'],
  ...['train', 'minimize', 'over', 'by', 'const', 'source', 'dim', 'state', 'repeat', 'public', 'secret', 'open'],
  ...['fixed', 'index', 'if', 'then', 'else', 'and', 'sum', 'max', 'argmax', 'as', 'div', 'mod'],
] as const;
export type Keyword = (typeof KEYWORDS)[number];

/** Longer signs come first where one begins like another. */
const SIGNS = {
  '->': 'Arrow',
  '<=': 'LessEqual',
  '>=': 'GreaterEqual',
  '==': 'EqualEqual',
  '!=': 'NotEqual',
  '{': 'OpenBrace',
  '}': 'CloseBrace',
  '[': 'OpenBracket',
  ']': 'CloseBracket',
  '(': 'OpenParen',
  ')': 'CloseParen',
  '<': 'Less',
  '>': 'Greater',
  '=': 'Equal',
  ',': 'Comma',
  ':': 'Colon',
  '+': 'Plus',
  '-': 'Minus',
  '*': 'Star',
  '/': 'Slash',
  '^': 'Caret',
} as const;
export type Sign = keyof typeof SIGNS;

export const NAME = createToken({ name: 'NAME', pattern: /[A-Za-z_][A-Za-z0-9_]*'?/ });
/** A `NAME` that begins a statement. The lexer's second pass makes them (see `markStatements`). */
export const HEAD = createToken({ name: 'HEAD', pattern: Lexer.NA });
export const NUMBER = createToken({ name: 'NUMBER', pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/ });
export const STRING = createToken({ name: 'STRING', pattern: /"[^"\n\r]*"/ });
/** Reported by the lexer, then read as a `STRING`. */
export const UNTERMINATED = createToken({ name: 'UNTERMINATED', pattern: /"[^"\n\r]*/ });
export const DOC = createToken({ name: 'DOC', pattern: /\/\/\/(?!\/)[^\n\r]*/, group: 'comments' });
export const COMMENT = createToken({ name: 'COMMENT', pattern: /\/\/[^\n\r]*/, group: 'comments' });
/** Comments of other languages: reported by the lexer and left out. */
export const FOREIGN_COMMENT = createToken({
  name: 'FOREIGN_COMMENT',
  pattern: /#[^\n\r]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/,
  group: 'foreign',
  line_breaks: true,
});
const SPACE = createToken({ name: 'SPACE', pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });

const capitalized = (word: string): string => word[0].toUpperCase() + word.slice(1);

export const keyword = Object.fromEntries(
  KEYWORDS.map((word) => [word, createToken({ name: capitalized(word), pattern: word, longer_alt: NAME })]),
) as Record<Keyword, TokenType>;

export const sign = Object.fromEntries(
  Object.entries(SIGNS).map(([text, name]) => [text, createToken({ name, pattern: text })]),
) as Record<Sign, TokenType>;

/** What the lexer tries, in this order. */
export const LEXICON: TokenType[] = [
  ...[SPACE, DOC, COMMENT, FOREIGN_COMMENT],
  // `index` before `in`: the longer alternative of a keyword is a name, never another keyword.
  ...[...KEYWORDS].sort((a, b) => b.length - a.length).map((word) => keyword[word]),
  ...[NAME, NUMBER, STRING, UNTERMINATED],
  ...Object.values(sign),
];

/** What the parser sees. */
export const VOCABULARY: TokenType[] = [
  ...[NAME, HEAD, NUMBER, STRING],
  ...Object.values(keyword),
  ...Object.values(sign),
];

/** The keywords that begin an item. */
export const ITEM_KEYWORDS: readonly TokenType[] = [
  keyword.import,
  keyword.block,
  keyword.table,
  keyword.optimizer,
  keyword.model,
];

/** The keywords that begin a statement, or a part of an item that stands among its statements. */
export const STATEMENT_KEYWORDS: readonly TokenType[] = [
  ...[keyword.dim, keyword.source, keyword.const, keyword.repeat, keyword.public, keyword.secret, keyword.open],
  ...[keyword.state, keyword.derivative, keyword.train, keyword.minimize],
];

export const isKeyword = (type: TokenType): boolean => KEYWORDS.some((word) => keyword[word] === type);
