/** A bound on the depth of the tree, checked on the tokens, so that no later pass can run out of stack. */
import type { IToken, TokenType } from 'chevrotain';
import { keyword, sign } from './tokens.ts';

/** No expression that a person writes comes near it; every recursive pass must manage it. */
export const DEPTH_LIMIT = 100;

const OPEN = new Set<TokenType>([sign['('], sign['['], sign['{']]);
const CLOSE = new Set<TokenType>([sign[')'], sign[']'], sign['}']]);
const OPERATORS = new Set<TokenType>([
  ...[sign['+'], sign['-'], sign['*'], sign['/'], sign['^'], keyword.div, keyword.mod],
  ...[keyword.sum, keyword.max, keyword.argmax, keyword.if],
]);

/**
 * The first token at which more than `DEPTH_LIMIT` brackets and operators could stand inside each other: the open
 * brackets, and for each the operators since it was opened or since the last comma or statement in it.
 */
export function firstTooDeep(tokens: readonly IToken[], starts: readonly number[]): IToken | undefined {
  const beginning = new Set(starts);
  // The operators outside each open bracket. Those of a body's brace outlive the next statement, others do not.
  const outer: { readonly operators: number; readonly brace: boolean }[] = [];
  let total = 0;
  let operators = 0;
  const close = (): void => {
    total -= operators + 1;
    operators = outer.pop()?.operators ?? 0;
  };
  for (const token of tokens) {
    const type = token.tokenType;
    const begins = beginning.has(token.startOffset);
    while (begins && outer.at(-1)?.brace === false) close();
    if (type === sign[','] || begins) {
      total -= operators;
      operators = 0;
    } else if (OPEN.has(type)) {
      outer.push({ operators, brace: type === sign['{'] });
      operators = 0;
      total++;
    } else if (CLOSE.has(type)) {
      if (outer.length > 0) close();
    } else if (OPERATORS.has(type)) {
      operators++;
      total++;
    }
    if (total > DEPTH_LIMIT) return token;
  }
  return undefined;
}
