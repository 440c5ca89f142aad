/** What the lexer, the parser and the tree builder say about text that is no program. */
import { EOF, tokenMatcher, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import { diagnose, type Diagnostic } from '../diagnostic.ts';
import type { Span } from '../span.ts';
import { HEAD, isKeyword, NAME, NUMBER, STRING } from './tokens.ts';

// ---------------------------------------------------------------------------------------------------------------------
// Lexis

/** What people write for the signs of the language, and what to write instead. */
const HINTS: readonly [RegExp, string][] = [
  [/^[·×⋅∙]/u, 'write `*` for a product'],
  [/^÷/u, 'write `/` for a quotient'],
  [/^[≤≥≠]/u, 'write `<=`, `>=` or `!=`'],
  [/^[−–—]/u, 'write `-` for minus'],
  [/^[“”„]/u, 'strings stand between straight double quotes: `"..."`'],
  [/^['`‘’]/u, 'strings stand between double quotes; a prime follows a name directly'],
  [/^;/u, 'statements end where the next begins, without `;`'],
  [/^%/u, 'write `i mod n` for a remainder'],
  [/^&/u, 'write `and` between comparisons'],
  [/^\./u, 'a number has digits on both sides of its point, and names have no points'],
  [/^\p{L}/u, 'names consist of the letters a to z and A to Z, digits and `_`'],
];

export function strayCharacters(characters: string, span: Span): Diagnostic {
  const shown = characters.length > 12 ? `${characters.slice(0, 12)}...` : characters;
  return diagnose({
    code: 'ZKL101',
    about: { characters: `${characters.length === 1 ? 'character' : 'characters'} \`${shown}\`` },
    span,
    label: 'not part of the language',
    help: HINTS.find(([pattern]) => pattern.test(characters))?.[1],
  });
}

export function unterminatedString(image: string, span: Span): Diagnostic {
  return diagnose({
    code: 'ZKL102',
    span,
    label: 'runs to the end of the line',
    help: 'a string ends on its line with `"`',
    fix: { span: { ...span, start: span.end - (image.length - image.trimEnd().length) }, text: '"' },
  });
}

export function foreignComment(span: Span): Diagnostic {
  return diagnose({
    code: 'ZKL108',
    span,
    label: 'not part of the language',
    help: 'comments begin with `//` and end with their line',
  });
}

export function tooDeep(limit: number, span: Span): Diagnostic {
  return diagnose({
    code: 'ZKL103',
    span,
    label: `more than ${limit} brackets and operators inside each other`,
    help: 'give parts of it names of their own',
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Syntax

const quoted = (type: TokenType): string => `\`${typeof type.PATTERN === 'string' ? type.PATTERN : type.name}\``;

function phrase(type: TokenType): string {
  if (type === NAME) return 'a name';
  if (type === HEAD) return 'a statement';
  if (type === NUMBER) return 'a number';
  if (type === STRING) return 'a string';
  return type === EOF ? 'the end of the file' : quoted(type);
}

const oneOf = (phrases: readonly string[]): string =>
  phrases.length === 1 ? phrases[0] : `${phrases.slice(0, -1).join(', ')} or ${phrases[phrases.length - 1]}`;

const ITEM = '`block`, `table`, `optimizer` or `model`';

/** Where the first tokens of the alternatives would not be read as what they mean. */
const ALTERNATIVES: Record<string, string> = {
  item: ITEM,
  statement: 'a statement',
  param: 'a parameter',
  value: 'a value',
  product: 'a value',
  exponent: 'a value',
  atom: 'a value',
  point: 'a number, a name or `(`',
  compare: 'a comparison (`<`, `<=`, `==`, `!=`, `>=`, `>`)',
};

/** Where more than the token that the rule asks for could follow. */
const CONTINUATIONS: Record<string, string> = {
  'atom )': 'an operator or `)`',
  'atom ]': '`and` or `]`',
  'call )': 'an operator, `,` or `)`',
  'minimize )': 'an operator, `,` or `)`',
  'params )': '`,` or `)`',
  'axes ]': 'an operator, `,` or `]`',
  'reduction )': '`,`, `if` or `)`',
  'domain ]': 'an operator or `]`',
  'type >': 'an operator, `,` or `>`',
  'call >': 'an operator, `,` or `>`',
  'block >': '`,` or `>`',
  'import }': '`,` or `}`',
  'program EOF': `\`import\`, ${ITEM}`,
};

/** Chevrotain asks this for its messages; here a message is only the phrase that says what was expected. */
export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, ruleName }) =>
    CONTINUATIONS[`${ruleName} ${typeof expected.PATTERN === 'string' ? expected.PATTERN : expected.name}`] ??
    phrase(expected),
  buildNotAllInputParsedMessage: () => ITEM,
  buildNoViableAltMessage: ({ expectedPathsPerAlt, ruleName }) =>
    ALTERNATIVES[ruleName] ??
    oneOf([...new Set(expectedPathsPerAlt.flatMap((paths) => paths.map(([first]) => phrase(first))))]),
  buildEarlyExitMessage: ({ expectedIterationPaths }) =>
    oneOf([...new Set(expectedIterationPaths.map(([first]) => phrase(first)))]),
};

/** What could have followed a complete statement, item or import. */
export function expectedEnd(what: 'import' | 'item' | 'statement', last: IToken): string {
  if (what !== 'statement') return what === 'import' ? `\`import\`, ${ITEM}` : ITEM;
  return tokenMatcher(last, STRING) || last.image === '}' ? 'a new statement' : 'an operator or a new statement';
}

/** How a message calls the token that stands where another was expected. */
export function found(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  if (token.tokenType === STRING) return 'a string';
  return isKeyword(token.tokenType) ? `the keyword \`${token.image}\`` : `\`${token.image}\``;
}

/** `span` reaches from the `/` to the end of the reduction. */
export function divisorIsReduction(span: Span, operator: string): Diagnostic {
  return diagnose({
    code: 'ZKL107',
    about: { operator },
    span,
    label: 'divides by the whole product to its right',
    help: `write \`/ (${operator}(...) ...)\` to say how far the divisor reaches`,
  });
}

export function misplacedDoc(span: Span): Diagnostic {
  return diagnose({
    code: 'ZKL601',
    span,
    label: 'no item or statement begins on the next line',
    help: 'put `///` lines directly above what they describe, or write `//`',
  });
}
