/**
 * The plugin for prettier, for `prettier --plugin` and editors: `languages`, `parsers`, `printers`. `zkl fmt` goes
 * through `format.ts`, which uses it too.
 */
import type { Parser, Printer, SupportLanguage } from 'prettier';
import { place, visitorKeys, type Commented, type Placed } from './print/comments.ts';
import type { Node } from './ast.ts';
import { parse as parseProgram, type Parsed } from './index.ts';
import { printNode } from './print/printer.ts';

export const languages: SupportLanguage[] = [
  { name: 'zkl', parsers: ['zkl'], extensions: ['.zkl'], vscodeLanguageIds: ['zkl'] },
];

type Located = Node | Placed;

/** Throws a `SyntaxError` with the first error. A doc comment that belongs to nothing becomes an ordinary comment. */
function parse(text: string): Node {
  const parsed = parseProgram(text, '');
  const error = parsed.diagnostics.find(({ severity }) => severity === 'error');
  if (error) throw Object.assign(new SyntaxError(error.title), { loc: { start: position(text, error.span.start) } });
  return toPrint(parsed);
}

/** A tree with its comments, as prettier places and prints them. */
export function toPrint({ program, comments, misplaced }: Parsed): Node {
  const placed = comments.map((comment) =>
    misplaced.has(comment) ? { ...comment, text: comment.text.replace('///', '//') } : { ...comment },
  );
  return Object.assign(program, { comments: placed });
}

/** A copy of a tree without spans of use, its doc comments as comments. */
export function documented(tree: Node): Node {
  const span = { source: '', start: 0, end: 0 };
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).map(([field, child]) => [field, copy(child)] as const);
    const node = { ...Object.fromEntries(fields), span };
    if (!('doc' in value) || typeof value.doc !== 'string') return node;
    const lines = value.doc.split('\n').map((line) => `/// ${line}`.trimEnd());
    return { ...node, comments: lines.map((text) => ({ kind: 'comment', doc: true, text, span, leading: true })) };
  };
  return copy(tree) as Node;
}

/** Lines and columns from 1, as prettier's code frames have them. */
function position(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: lines[lines.length - 1].length + 1 };
}

const zkl: Parser<Located> = {
  parse,
  astFormat: 'zkl',
  locStart: ({ span }) => span.start,
  locEnd: ({ span }) => span.end,
};
export const parsers = { zkl };

const placeComment = (comment: Placed, text: string, _options: unknown, root: Node): boolean => {
  place(comment, text, root);
  return true;
};

const printer: Printer<Commented> = {
  print: printNode,
  getVisitorKeys: visitorKeys,
  canAttachComment: () => true,
  printComment: ({ node }) => (node as unknown as Placed).text,
  isBlockComment: () => false,
  handleComments: { ownLine: placeComment, endOfLine: placeComment, remaining: placeComment },
};
export const printers = { zkl: printer };
