/** The layout of a formatted program, as documents of prettier's. */
import type { AstPath, Doc } from 'prettier';
import { builders } from 'prettier/doc';
import type { Name, Node } from '../ast.ts';
import type { Commented } from './comments.ts';
import { isSum, needsParentheses } from './parentheses.ts';

const { group, hardline, indent, join, line, softline } = builders;

/** The node to print, and its children as printed already: `one` of an optional child is undefined. */
class Scope {
  readonly node: Commented;
  readonly ancestors: readonly Node[];
  /** The field of the parent in which the node stands. */
  readonly field: string | number | null;
  readonly text: string;
  readonly #path: AstPath;
  readonly #print: () => Doc;

  constructor(path: AstPath<Commented>, text: string, print: () => Doc) {
    this.node = path.node;
    this.ancestors = path.ancestors;
    this.field = path.key;
    this.text = text;
    this.#path = path;
    this.#print = print;
  }

  one(field: string): Doc {
    return this.#path.call(this.#print, field);
  }

  many(field: string): Doc[] {
    return this.#path.map(this.#print, field);
  }

  /** The child with what precedes it, or nothing. */
  optional(prefix: Doc, field: string): Doc {
    return (this.node as unknown as Record<string, unknown>)[field] === undefined ? '' : [prefix, this.one(field)];
  }

  /** A list in brackets, or nothing. */
  brackets(field: string, open = '[', close = ']'): Doc {
    const entries = this.many(field);
    return entries.length === 0 ? '' : list(open, entries, close);
  }

  parens(field: string): Doc {
    return list('(', this.many(field), ')');
  }
}

/** Prettier's entry: `print` prints the node that the path points at. */
export function printNode(path: AstPath<Commented>, { originalText }: { originalText: string }, print: () => Doc): Doc {
  const scope = new Scope(path, originalText, print);
  const printed = layout(scope);
  if (!parenthesized(scope)) return printed;
  return group(['(', indent([softline, printed]), softline, ')']);
}

const parenthesized = ({ node, ancestors }: Scope): boolean =>
  ancestors.length > 0 && needsParentheses(node, ancestors);

const dimensions = (names: readonly Name[]): string =>
  names.length > 0 ? `<${names.map(({ text }) => text).join(', ')}>` : '';

function layout(scope: Scope): Doc {
  const { node } = scope;
  switch (node.kind) {
    case 'program': {
      const entries = members(scope, ['imports', 'items']);
      return entries.length === 0 ? '' : [entries, hardline];
    }
    case 'import': {
      const names = node.names.map(({ text }) => text);
      return [group(['import {', indent([line, join([',', line], names)]), line, '}']), ' from ', scope.one('path')];
    }
    case 'block': {
      return ['block ', node.name.text, dimensions(node.dims), signature(scope), braces(scope, ['body', 'derivative'])];
    }
    case 'derivative':
      return ['derivative', signature(scope), braces(scope, ['body'])];
    case 'optimizer':
      return ['optimizer ', node.name.text, scope.parens('params'), ' ', braces(scope, ['states', 'body'])];
    case 'state':
      return ['state ', node.name.text, ': ', scope.one('type'), assigned(scope, node.value)];
    case 'table': {
      const parameter = [node.parameter.text, ': ', scope.one('input'), scope.optional(' ', 'domain')];
      const output = [' -> ', scope.one('output')];
      return [
        'table ',
        node.name.text,
        dimensions(node.dims),
        '(',
        parameter,
        ')',
        output,
        assigned(scope, node.value),
      ];
    }
    case 'domain':
      return ['in [', scope.one('lower'), ', ', scope.one('upper'), ']', node.saturate ? ' saturate' : ''];
    case 'model':
      return ['model ', node.name.text, scope.optional(' at ', 'at'), ' ', braces(scope, ['body', 'train'])];
    case 'train':
      return ['train ', braces(scope, ['body', 'minimize'])];
    case 'minimize': {
      const over = join(', ', scope.many('over'));
      return ['minimize ', node.loss.text, ' over ', over, ' by ', node.by.text, scope.parens('arguments')];
    }
    case 'weights':
      return [node.source.text, scope.optional(' ', 'pattern')];
    case 'const-parameter':
      return ['const ', node.name.text];
    case 'source-parameter':
      return ['source ', node.name.text, node.default ? ` = ${node.default.text}` : ''];
    case 'tensor':
      return [node.name.text, scope.brackets('axes'), scope.optional(': ', 'type')];
    case 'type':
      return [node.name, scope.brackets('arguments', '<', '>')];
    case 'axis':
      return [scope.one('index'), scope.optional(': ', 'range')];
    case 'dims':
      return ['dim ', hanging(scope.many('dims'))];
    case 'dim':
      return [node.name.text, ' = ', scope.one('value')];
    case 'sources':
      return [node.isState ? 'source state ' : 'source ', hanging(node.names.map(({ text }) => text))];
    case 'consts':
      return ['const ', hanging(scope.many('definitions'))];
    case 'repeat': {
      const head = ['repeat ', node.index.text, ': ', scope.one('count'), scope.optional(' at ', 'at'), ' '];
      return [head, braces(scope, ['body'])];
    }
    case 'input': {
      const head = [node.visibility, ' ', node.name.text, scope.brackets('axes'), scope.optional(': ', 'type')];
      return group([head, indent(scope.optional(line, 'file'))]);
    }
    case 'file':
      return ['from ', node.source.text, ' ', scope.one('name')];
    case 'output':
      return [node.visibility, ' ', node.name.text, scope.brackets('axes'), assigned(scope, node.value)];
    case 'define':
      return [node.name.text, scope.brackets('axes'), assigned(scope, node.value)];
    case 'conditional': {
      const chained = node.else.kind === 'conditional';
      const otherwise = chained ? scope.one('else') : indent(scope.one('else'));
      const parts = ['if ', scope.one('guard'), ' then ', indent(scope.one('then')), line, 'else ', otherwise];
      return scope.field === 'else' ? parts : group(parts);
    }
    case 'binary': {
      const parts = [scope.one('left'), line, node.operator, ' ', scope.one('right')];
      const [parent] = scope.ancestors;
      const chained = parent.kind === 'binary' && scope.field === 'left' && isSum(parent) === isSum(node);
      if (chained && !parenthesized(scope)) return parts;
      return group(ASSIGNS.has(parent.kind) || parenthesized(scope) ? parts : indent(parts));
    }
    case 'negate':
    case 'index-negate':
      return ['-', scope.one('operand')];
    case 'reduce': {
      const entries = [join([',', line], scope.many('axes')), scope.optional([line, 'if '], 'guard')];
      return [node.operator, list('(', [entries], ')'), ' ', scope.one('body')];
    }
    case 'power':
      return [scope.one('base'), ' ^ ', scope.one('exponent')];
    case 'view':
      return [scope.one('operand'), ' as ', scope.brackets('shape')];
    case 'call': {
      const dims = scope.brackets('dims', '<', '>');
      return [node.name.text, dims, scope.parens('arguments'), scope.optional(' at ', 'at')];
    }
    case 'dim-argument':
    case 'argument':
      return [node.name ? `${node.name.text} = ` : '', scope.one('value')];
    case 'indicator':
      return group(['[', indent([softline, scope.one('guard')]), softline, ']']);
    case 'access':
      return [node.name.text, scope.brackets('axes')];
    case 'reference':
      return node.name.text;
    case 'number':
      return node.text;
    case 'string':
      return `"${node.text}"`;
    case 'guard':
      return group(indent(join([line, 'and '], scope.many('comparisons'))));
    case 'comparison':
    case 'index-binary':
      return [scope.one('left'), ` ${node.operator} `, scope.one('right')];
  }
}

const signature = (scope: Scope): Doc => [scope.parens('params'), ' -> ', join(', ', scope.many('results')), ' '];

/** In brackets: on one line if it fits, else one entry a line. */
const list = (open: string, entries: readonly Doc[], close: string): Doc =>
  entries.length === 0
    ? [open, close]
    : group([open, indent([softline, join([',', line], [...entries])]), softline, close]);

/** Without brackets: what does not fit stands below, further right. */
const hanging = (entries: readonly Doc[]): Doc => group(indent(join([',', line], [...entries])));

const ASSIGNS = new Set<Node['kind']>(['define', 'output', 'state', 'table']);
/** Values whose brackets can take the line breaks, so that they are not indented as a whole. */
const BRACKETED = new Set<Node['kind']>(['call', 'access', 'indicator', 'view']);

function assigned(scope: Scope, value: Commented): Doc {
  const printed = scope.one('value');
  if (value.comments?.some(({ leading }) => leading)) return [' =', indent([hardline, printed])];
  return [' = ', BRACKETED.has(value.kind) ? printed : indent(printed)];
}

function braces(scope: Scope, fields: readonly string[]): Doc {
  const entries = members(scope, fields);
  return entries.length === 0 ? '{}' : ['{', indent([hardline, entries]), hardline, '}'];
}

/** One below the other, with the blank lines of the text, at most one at a time. */
function members(scope: Scope, fields: readonly string[]): Doc[] {
  const entries = fields.flatMap((field) => {
    const value = (scope.node as unknown as Record<string, Node | readonly Node[] | undefined>)[field];
    if (value === undefined) return [];
    const nodes = [value].flat();
    return (Array.isArray(value) ? scope.many(field) : [scope.one(field)]).map((doc, i) => ({ doc, node: nodes[i] }));
  });
  if (entries.length === 0) return join(hardline, danglingComments(scope.node));
  return entries.flatMap(({ doc, node }, i) => {
    if (i === entries.length - 1) return [doc];
    return [doc, hardline, blankLineAfter(scope.text, node.span.end) ? hardline : ''];
  });
}

/** Those in a body that holds nothing else. */
const danglingComments = ({ comments = [] }: Commented): string[] =>
  comments
    .filter(({ leading, trailing }) => !leading && !trailing)
    .map((comment) => {
      comment.printed = true;
      return comment.text;
    });

/** Whether nothing but a comment follows on the line of `offset`, and nothing at all on the next. */
function blankLineAfter(text: string, offset: number): boolean {
  const blank = /[^\S\n]*(?:\/\/[^\n]*)?\n[^\S\n]*\n/y;
  blank.lastIndex = offset;
  return blank.test(text);
}
