/** Concrete to abstract syntax: values, guards and index arithmetic. */
import type {
  Argument,
  Axis,
  Binary,
  Call,
  Comparison,
  DimArgument,
  Guard,
  Index,
  IndexBinary,
  Value,
} from '../ast.ts';
import type { NumberLiteral, Reduce } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { spanOf } from './lexer.ts';
import { divisorIsReduction } from './messages.ts';
import type { Span } from '../span.ts';
import { keyword, NUMBER, sign } from './tokens.ts';

const join = (from: Span, to: Span): Span => ({ ...from, end: to.end });

export function value(node: Cursor): Value {
  const { intact } = node;
  if (!intact.has(keyword.if.name)) return sum(intact.child('sum'));
  return {
    kind: 'conditional',
    guard: guard(intact.child('guard')),
    then: value(intact.child('value', 0)),
    else: value(intact.child('value', 1)),
    span: intact.span,
  };
}

function sum({ intact: node }: Cursor): Value {
  let left = product(node.child('product'));
  node.tokens('operator').forEach(({ image }, i) => {
    const right = node.child('product', i + 1);
    const operator = image as Binary['operator'];
    left = { kind: 'binary', operator, left, right: product(right), span: join(node.span, right.span) };
  });
  return left;
}

/** The rule recurses to the right. The tree leans to the left, and each `-` goes to the power or reduction after it. */
function product(node: Cursor): Value {
  let { link, factor } = firstFactor(node);
  let left = factor;
  for (let next = link.optional('product'); next; next = link.optional('product')) {
    const operator = link.operator<Binary['operator']>();
    const slash = spanOf(link.token('operator'), node.context.source);
    ({ link, factor } = firstFactor(next));
    if (operator === '/' && link.has('reduction'))
      node.context.diagnostics.push(divisorIsReduction(join(slash, end(link)), link.child('reduction').operator()));
    left = { kind: 'binary', operator, left, right: factor, span: join(node.span, end(link)) };
  }
  return left;
}

/** The leading factor of a `product` with its minus signs, and the node that holds what follows. */
function firstFactor({ intact: node }: Cursor): { link: Cursor; factor: Value } {
  if (node.has(sign['-'].name)) {
    const { link, factor } = firstFactor(node.child('product'));
    return { link, factor: { kind: 'negate', operand: factor, span: join(node.span, end(link)) } };
  }
  const reduced = node.optional('reduction');
  return { link: node, factor: reduced ? reduction(reduced) : power(node.child('power')) };
}

/** Where the leading factor of a `product` without minus ends. */
const end = (link: Cursor): Span => (link.optional('reduction') ?? link.child('power')).span;

function reduction({ intact: node }: Cursor): Reduce {
  return {
    kind: 'reduce',
    operator: node.operator(),
    axes: node.nodes('axis').map(axis),
    guard: node.has('guard') ? guard(node.child('guard')) : undefined,
    body: product(node.child('product')),
    span: node.span,
  };
}

function power({ intact: node }: Cursor): Value {
  const base = view(node.child('view'));
  if (!node.has('exponent')) return base;
  return { kind: 'power', base, exponent: exponent(node.child('exponent')), span: node.span };
}

function exponent({ intact: node }: Cursor): Value {
  if (node.has('power')) return power(node.child('power'));
  return { kind: 'negate', operand: exponent(node.child('exponent')), span: node.span };
}

function view({ intact: node }: Cursor): Value {
  const operand = atom(node.child('atom'));
  if (!node.has('axes')) return operand;
  return { kind: 'view', operand, shape: axes(node.child('axes')), span: node.span };
}

function atom({ intact: node }: Cursor): Value {
  if (node.has('value')) return value(node.child('value'));
  if (node.has('guard')) return { kind: 'indicator', guard: guard(node.child('guard')), span: node.span };
  if (node.has('call')) return call(node);
  return leaf(node);
}

/** A number, a name, or a name with axes. */
function leaf(node: Cursor): NumberLiteral | Extract<Index, { kind: 'access' | 'reference' }> {
  const { span } = node;
  if (node.has(NUMBER.name)) return { kind: 'number', text: node.token(NUMBER.name).image, span };
  if (node.has('axes')) return { kind: 'access', name: node.name(), axes: axes(node.child('axes')), span };
  return { kind: 'reference', name: node.name(), span };
}

function call(node: Cursor): Call {
  const rest = node.child('call').intact;
  return {
    kind: 'call',
    name: node.name(),
    dims: rest.nodes('dimarg').map(dimArgument),
    arguments: callArguments(rest.child('arguments')),
    at: rest.optionalString(),
    span: node.span,
  };
}

function dimArgument({ intact: node }: Cursor): DimArgument {
  return { kind: 'dim-argument', name: node.optionalName(), value: index(node.child('index')), span: node.span };
}

export function callArguments(node: Cursor): Argument[] {
  return node.intact.nodes('argument').map(({ intact: argument }) => ({
    kind: 'argument',
    name: argument.optionalName(),
    value: value(argument.child('value')),
    span: argument.span,
  }));
}

export function axes(node: Cursor): Axis[] {
  return node.intact.nodes('axis').map(axis);
}

function axis({ intact: node }: Cursor): Axis {
  const range = node.optional('range');
  return { kind: 'axis', index: index(node.child('index')), range: range && index(range), span: node.span };
}

function guard({ intact: node }: Cursor): Guard {
  return { kind: 'guard', comparisons: node.nodes('compare').map(comparison), span: node.span };
}

function comparison({ intact: node }: Cursor): Comparison {
  return {
    kind: 'comparison',
    operator: node.operator(),
    left: index(node.child('index', 0)),
    right: index(node.child('index', 1)),
    span: node.span,
  };
}

export function index({ intact: node }: Cursor): Index {
  const first = node.child('scaled');
  let left = scaled(first);
  if (node.has(sign['-'].name)) left = { kind: 'index-negate', operand: left, span: join(node.span, first.span) };
  return chain(left, node, 'scaled', scaled);
}

function scaled({ intact: node }: Cursor): Index {
  return chain(point(node.child('point')), node, 'point', point);
}

function chain(left: Index, node: Cursor, rule: string, build: (node: Cursor) => Index): Index {
  node.tokens('operator').forEach(({ image }, i) => {
    const right = node.child(rule, i + 1);
    const operator = image as IndexBinary['operator'];
    left = { kind: 'index-binary', operator, left, right: build(right), span: join(node.span, right.span) };
  });
  return left;
}

function point({ intact: node }: Cursor): Index {
  return node.has('index') ? index(node.child('index')) : leaf(node);
}
