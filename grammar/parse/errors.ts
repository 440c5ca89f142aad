/** Chevrotain's errors to diagnostics: one for each bad statement, at the place a person would look. */
import { EOF, type IRecognitionException, type IToken } from 'chevrotain';
import { distance } from 'fastest-levenshtein';
import { diagnose, type Diagnostic } from '../diagnostic.ts';
import type { Lexed } from './lexer.ts';
import { spanOf } from './lexer.ts';
import { found } from './messages.ts';
import type { Span } from '../span.ts';
import { HEAD, isKeyword, ITEM_KEYWORDS, NAME, NUMBER, STATEMENT_KEYWORDS, type Keyword } from './tokens.ts';

const CLOSERS = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);
const closerOf = (opener: IToken): string => `\`${CLOSERS.get(opener.image) ?? ''}\``;

/** More would help nobody, and each costs a look at all tokens. */
const LIMIT = 100;

/** Diagnostics of `errors`, without those in a statement that has one already (from the lexer or before). */
export function syntaxErrors(
  errors: readonly IRecognitionException[],
  lexed: Lexed,
  length: number,
  source: string,
): Diagnostic[] {
  const { tokens, starts, diagnostics: lexical } = lexed;
  const reported = new Set(lexical.map(({ span }) => lastUpTo(starts, span.start)));
  const offsets = tokens.map(({ startOffset }) => startOffset);
  const diagnostics: Diagnostic[] = [];
  const place = (token: IToken): number => (token.tokenType === EOF ? length : token.startOffset);
  for (const error of [...errors].sort((a, b) => place(a.token) - place(b.token))) {
    const at = place(error.token);
    const before = lastUpTo(offsets, at - 1);
    const previous = before < 0 ? undefined : tokens[before];
    const begins = error.token.tokenType === EOF || starts[lastUpTo(starts, at)] === at;
    const owner = lastUpTo(starts, begins && previous !== undefined ? previous.startOffset : at);
    if (reported.has(owner)) continue;
    reported.add(owner);
    diagnostics.push(describe(error.message, error.token, previous, begins, lexed, at, source));
    if (diagnostics.length === LIMIT) break;
  }
  return diagnostics;
}

/** The index of the last of `ascending` that is at most `limit`; -1 where none is. */
function lastUpTo(ascending: readonly number[], limit: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** `expected` is the phrase that `expectations` made; `begins` says that `token` begins another statement or is the end. */
function describe(
  expected: string,
  token: IToken,
  previous: IToken | undefined,
  begins: boolean,
  { tokens, starts }: Lexed,
  at: number,
  source: string,
): Diagnostic {
  const span: Span = { source, start: at, end: at + (token.tokenType === EOF ? 0 : token.image.length) };
  const opener = openBracket(tokens, starts, at);
  const closes = opener !== undefined && expected.includes(closerOf(opener));
  if (closes && begins) {
    const misplaced =
      opener.image === '{' && (token.tokenType === HEAD || STATEMENT_KEYWORDS.includes(token.tokenType));
    return misplaced ? outOfOrder(token, span) : unclosed(opener, token, span);
  }
  const startsLine = previous === undefined || (token.startLine ?? 0) > (previous.endLine ?? 0);
  if (isKeyword(token.tokenType) && (expected === 'a name' || (expected.endsWith('a new statement') && startsLine)))
    return diagnose({
      code: 'ZKL106',
      about: { word: token.image },
      span,
      label: 'cannot be a name',
      help: 'choose another name',
    });
  const next = tokens.find(({ startOffset }) => startOffset > at);
  if (begins && previous !== undefined && !expected.startsWith('`import`') && !expected.startsWith('`block`'))
    return diagnose({
      code: 'ZKL110',
      about: { expected, previous: found(previous) },
      span: spanOf(previous, source),
      label: `expected ${expected} after this`,
      ...remedy(expected, token, previous, next, source),
    });
  return diagnose({
    code: 'ZKL104',
    about: { expected, found: found(token) },
    span,
    label: `expected ${expected}`,
    notes: closes ? [{ span: spanOf(opener, source), text: 'opened here' }] : undefined,
    ...remedy(expected, token, previous, next, source),
  });
}

const unclosed = (opener: IToken, next: IToken, span: Span): Diagnostic =>
  diagnose({
    code: 'ZKL105',
    about: { opener: opener.image },
    span: spanOf(opener, span.source),
    label: `expected its ${closerOf(opener)}`,
    notes: [{ span, text: next.tokenType === EOF ? 'the file ends here' : `${found(next)} begins something else` }],
  });

const PLACES = new Map([
  ['state', 'the `state` lines of an `optimizer` come before its statements, and no other item has any'],
  ['derivative', 'a `block` may end with one `derivative`'],
  ['train', 'a `model` may end with one `train`'],
  ['minimize', 'a `train` ends with its one `minimize`'],
]);

const outOfOrder = (token: IToken, span: Span): Diagnostic =>
  diagnose({
    code: 'ZKL109',
    about: { found: found(token) },
    span,
    label: 'expected `}`',
    help: PLACES.get(token.image) ?? 'statements come before `derivative`, `train` and `minimize`',
  });

/** The innermost bracket open before `offset`. One opened in an earlier statement counts only if it is a brace. */
function openBracket(tokens: readonly IToken[], starts: readonly number[], offset: number): IToken | undefined {
  const open: IToken[] = [];
  let start = 0;
  for (const token of tokens) {
    if (token.startOffset >= offset) break;
    while (starts[start] <= token.startOffset) {
      start++;
      while (open.length > 0 && open[open.length - 1].image !== '{') open.pop();
    }
    if (CLOSERS.has(token.image)) open.push(token);
    else if (open.length > 0 && CLOSERS.get(open[open.length - 1].image) === token.image) open.pop();
  }
  return open.at(-1);
}

const ITEM_WORDS = [...ITEM_KEYWORDS.map(({ PATTERN }) => PATTERN as Keyword)];
const STATEMENT_WORDS = [...STATEMENT_KEYWORDS.map(({ PATTERN }) => PATTERN as Keyword)];

/** At most two edits, and fewer for short words, so that `x` is not taken for `in`. */
function misspelt(word: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates.map((to) => ({ to, edits: distance(word, to) })).sort((a, b) => a.edits - b.edits);
  return best.edits <= Math.min(2, Math.floor(word.length / 2.5)) ? best.to : undefined;
}

function remedy(
  expected: string,
  token: IToken,
  previous: IToken | undefined,
  next: IToken | undefined,
  source: string,
): Pick<Diagnostic, 'help' | 'fix'> {
  const named = token.tokenType === NAME || token.tokenType === HEAD;
  const suspects: [IToken | undefined, readonly string[]][] = [
    [token, named ? [...expected.matchAll(/`([a-z]+)`/g)].map(([, word]) => word) : []],
    [previous, previous?.tokenType === HEAD ? STATEMENT_WORDS : []],
    [token, token.tokenType === HEAD && expected.includes('`block`') ? ITEM_WORDS : []],
  ];
  for (const [suspect, candidates] of suspects) {
    const word = suspect && candidates.length > 0 ? misspelt(suspect.image, candidates) : undefined;
    if (suspect && word)
      return { help: `did you mean \`${word}\`?`, fix: { span: spanOf(suspect, source), text: word } };
  }
  if (expected.startsWith('a comparison') && token.image === '=')
    return { help: 'write `==` to compare', fix: { span: spanOf(token, source), text: '==' } };
  if (expected.includes('`block`') && token.tokenType === HEAD)
    return { help: 'statements stand between the braces of a `block`, an `optimizer` or a `model`' };
  if (named && expected.endsWith('a new statement') && (next?.image === '=' || next?.image === '['))
    return { help: 'a statement that begins with a name begins on a line of its own' };
  if (named && previous?.tokenType === NUMBER && expected.includes('an operator'))
    return { help: 'write `*` for a product' };
  return {};
}
