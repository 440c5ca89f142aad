/** The surface of the language: text to a syntax tree. Formatting is in `format.ts`, which loads prettier. */
import type { CstNode, IRecognitionException, IToken } from 'chevrotain';
import type { Program } from './ast.ts';
import type { Context } from './parse/cursor.ts';
import { firstTooDeep, DEPTH_LIMIT } from './parse/depth.ts';
import type { Diagnostic } from './diagnostic.ts';
import { collectDocs } from './parse/docs.ts';
import { syntaxErrors } from './parse/errors.ts';
import { lex, spanOf, type Comment } from './parse/lexer.ts';
import { tooDeep } from './parse/messages.ts';
import { ZklParser } from './parse/parser.ts';
import { program } from './parse/tree.ts';

export type { Comment } from './parse/lexer.ts';
export type { Diagnostic, Label } from './diagnostic.ts';
export type { Span } from './span.ts';
export type * from './ast.ts';

export interface Parsed {
  /** Without the items and statements that have errors. */
  readonly program: Program;
  /** Ascending by place; at most one syntax error for each statement. */
  readonly diagnostics: readonly Diagnostic[];
  /** All of them, in order. */
  readonly comments: readonly Comment[];
  /** Doc comments that belong to nothing, with a warning each. */
  readonly misplaced: ReadonlySet<Comment>;
}

/** What a text is called where its caller gives no name. */
export const UNNAMED = 'program.zkl';

let parser: ZklParser | undefined;

/**
 * Chevrotain recovers recursively, so thousands of errors in one list can use up the stack. Its errors up to there are
 * reported like others, and nothing of the text is in the tree.
 */
function readTokens(tokens: IToken[]): { root: CstNode; errors: readonly IRecognitionException[] } {
  const current = (parser ??= new ZklParser());
  try {
    return { root: current.parse(tokens), errors: current.errors };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    parser = undefined;
    return { root: { name: 'program', children: {} }, errors: current.errors };
  }
}

/**
 * Reads a program. Never throws, whatever the text.
 *
 * @param source the name of the text in messages, usually its path
 */
export function parse(text: string, source = UNNAMED): Parsed {
  const lexed = lex(text, source);
  const docs = collectDocs(text, lexed);
  const diagnostics: Diagnostic[] = [...lexed.diagnostics, ...docs.diagnostics];
  const context: Context = { source, docs: docs.at, diagnostics };
  const deep = firstTooDeep(lexed.tokens, lexed.starts);
  if (deep) diagnostics.push(tooDeep(DEPTH_LIMIT, spanOf(deep, source)));
  const { root, errors } = readTokens(deep ? [] : lexed.tokens);
  diagnostics.push(...syntaxErrors(errors, lexed, text.length, source));
  const tree = program(root, text.length, context);
  diagnostics.sort((a, b) => a.span.start - b.span.start);
  return { program: tree, diagnostics, comments: lexed.comments, misplaced: docs.misplaced };
}
