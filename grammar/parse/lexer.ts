/** Text to tokens: chevrotain's lexer, then one pass that finds where statements begin. */
import { Lexer, type IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostic.ts';
import { foreignComment, strayCharacters, unterminatedString } from './messages.ts';
import type { Span } from '../span.ts';
import {
  DOC,
  HEAD,
  ITEM_KEYWORDS,
  keyword,
  LEXICON,
  NAME,
  sign,
  STATEMENT_KEYWORDS,
  STRING,
  UNTERMINATED,
} from './tokens.ts';

/** `// text` or, with `doc`, `/// text`; `text` is as written, slashes included. */
export interface Comment {
  readonly kind: 'comment';
  readonly doc: boolean;
  readonly text: string;
  readonly span: Span;
}

export interface Lexed {
  readonly tokens: IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
  /** The offsets at which statements and items begin, ascending. */
  readonly starts: readonly number[];
}

let lexer: Lexer | undefined;

/** The one instance. Building it costs some milliseconds, so that waits until the first use. */
export function zklLexer(validate = false): Lexer {
  if (validate) return new Lexer(LEXICON, { ensureOptimizations: true });
  return (lexer ??= new Lexer(LEXICON, { skipValidations: true }));
}

/** Never throws: what is no token is reported and left out. */
export function lex(text: string, source: string): Lexed {
  const { tokens, groups, errors } = zklLexer().tokenize(text);
  const diagnostics = errors.map(({ offset, length }) =>
    strayCharacters(text.slice(offset, offset + length), { source, start: offset, end: offset + length }),
  );
  diagnostics.push(...groups['foreign'].map((token) => foreignComment(spanOf(token, source))));
  for (const token of tokens) {
    if (token.tokenType !== UNTERMINATED) continue;
    diagnostics.push(unterminatedString(token.image, spanOf(token, source)));
    token.tokenType = STRING;
    token.tokenTypeIdx = STRING.tokenTypeIdx as number;
  }
  const comments = groups['comments'].map((token): Comment => ({
    kind: 'comment',
    doc: token.tokenType === DOC,
    text: token.image.trimEnd(),
    span: { source, start: token.startOffset, end: token.startOffset + token.image.trimEnd().length },
  }));
  return { tokens, comments, diagnostics, starts: markStatements(tokens) };
}

export const spanOf = (token: IToken, source: string): Span => ({
  source,
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

const STARTERS = new Set([...ITEM_KEYWORDS, ...STATEMENT_KEYWORDS]);

/** A line that ends in one of these goes on, unless the next begins no further right than the statement does. */
const OPEN_ENDED = new Set([
  ...STARTERS,
  ...[keyword.from, keyword.in, keyword.at, keyword.over, keyword.by, keyword.fixed, keyword.index, keyword.as],
  ...[keyword.if, keyword.then, keyword.else, keyword.and, keyword.sum, keyword.max, keyword.argmax],
  ...[keyword.div, keyword.mod],
  ...[sign['->'], sign['<='], sign['>='], sign['=='], sign['!='], sign['<'], sign['='], sign[','], sign[':']],
  ...[sign['+'], sign['-'], sign['*'], sign['/'], sign['^']],
]);

/**
 * Statements have no separators, so any name could begin one, and after an error a parser would take its next start
 * from inside the bad line. Hence a name counts as the beginning of a statement, and becomes a `HEAD`, only where it is
 * the first on its line (or follows a body's brace) and either the text before it is complete (round and square
 * brackets closed, no operator or comma pending) or it stands no further right than the current statement. The latter
 * also ends the reach of a bracket that was never closed.
 */
function markStatements(tokens: readonly IToken[]): number[] {
  const starts: number[] = [];
  let depth = 0;
  let column = 0;
  let importing = false;
  tokens.forEach((token, i) => {
    const previous = i > 0 ? tokens[i - 1] : undefined;
    const type = token.tokenType;
    if (type === NAME || STARTERS.has(type)) {
      const firstOnLine = previous === undefined || (token.startLine as number) > (previous.endLine as number);
      const afterBrace = !importing && (previous?.tokenType === sign['{'] || previous?.tokenType === sign['}']);
      const complete = depth === 0 && (previous === undefined || !OPEN_ENDED.has(previous.tokenType));
      const outdented = firstOnLine && (token.startColumn as number) <= column;
      if (((firstOnLine || afterBrace) && complete) || outdented) {
        if (type === NAME) {
          token.tokenType = HEAD;
          token.tokenTypeIdx = HEAD.tokenTypeIdx as number;
        }
        if (firstOnLine) column = token.startColumn as number;
        starts.push(token.startOffset);
        depth = 0;
        importing = type === keyword.import;
      }
    } else if (type === sign['('] || type === sign['[']) depth++;
    else if (type === sign[')'] || type === sign[']']) depth = Math.max(0, depth - 1);
    // The braces of a body stand inside no bracket; those of an import are one.
    else if (type === sign['{']) depth = importing ? 1 : 0;
    else if (type === sign['}']) {
      depth = 0;
      importing = false;
    }
  });
  return starts;
}
