/** Random syntax trees: everything the grammar can write, and nothing else. Spans are all zero. */
import fc, { type Arbitrary } from 'fast-check';
import type * as ast from '../../grammar/ast.ts';
import { KEYWORDS } from '../../grammar/parse/tokens.ts';

const span = { source: '', start: 0, end: 0 };
const reserved = new Set<string>(KEYWORDS);

const name: Arbitrary<ast.Name> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom('x', 'w', "x'", 'T', 'causal_softmax', 'a_name_long_enough_to_break_lines'),
    },
    { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}'?$/) },
  )
  .filter((text) => !reserved.has(text))
  .map((text) => ({ text, span }));

const string: Arbitrary<ast.StringLiteral> = fc
  .oneof(fc.constantFrom('h.{l}.weight', ''), fc.string({ unit: 'grapheme', maxLength: 8 }))
  .map((text) => ({ kind: 'string', text: text.replace(/["\n\r]/g, ''), span }));

const number: Arbitrary<ast.NumberLiteral> = fc
  .oneof(fc.constantFrom('0', '12', '1e-5', '0.999'), fc.stringMatching(/^\d{1,3}(\.\d{1,3})?([eE][+-]?\d)?$/))
  .map((text) => ({ kind: 'number', text, span }));

const some = <T>(element: Arbitrary<T>): Arbitrary<T[]> => fc.array(element, { minLength: 1, maxLength: 3 });
const any = <T>(element: Arbitrary<T>): Arbitrary<T[]> => fc.array(element, { maxLength: 3 });
const maybe = <T>(element: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(element, { nil: undefined });

/** Fields that came out undefined are absent, as in a parsed tree after `bare`. */
const node = <K extends string, F extends object>(
  kind: K,
  fields: { [Field in keyof F]: Arbitrary<F[Field]> },
): Arbitrary<{ kind: K; span: typeof span } & F> =>
  fc.record({ kind: fc.constant(kind), span: fc.constant(span), ...fields }) as never;

/** Lines without blanks at their ends, which a comment does not keep. */
const doc: Arbitrary<string> = fc
  .array(fc.constantFrom('Adds.', '', ' indented', 'x[t] = "a" // b', '/'), { minLength: 1, maxLength: 3 })
  .map((lines) => lines.join('\n'));

const typeOf = (index: Arbitrary<ast.Index>): Arbitrary<ast.Type> =>
  node('type', { name: fc.constantFrom('fixed', 'index'), arguments: some(index) });

type Nodes = {
  value: ast.Value;
  index: ast.Index;
  guard: ast.Guard;
  axis: ast.Axis;
  argument: ast.Argument;
  statement: ast.Statement;
};

const reference = node('reference', { name });

const { value, index, axis, argument, statement } = fc.letrec<Nodes>((tie) => {
  const axes = some(tie('axis'));
  const comparison = node('comparison', {
    operator: fc.constantFrom('<', '<=', '==', '!=', '>=', '>'),
    left: tie('index'),
    right: tie('index'),
  });
  const type = typeOf(tie('index'));
  const define = node('define', { name, axes: any(tie('axis')), value: tie('value') });
  const visibility = fc.constantFrom<ast.Visibility>('public', 'secret', 'open');
  const file = node('file', { source: name, name: string });
  const declared = { doc: maybe(doc), visibility, name, axes: any(tie('axis')) };
  return {
    index: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      reference,
      number,
      node('access', { name, axes }),
      node('index-negate', { operand: tie('index') }),
      node('index-binary', {
        operator: fc.constantFrom('+', '-', '*', '/', 'div', 'mod'),
        left: tie('index'),
        right: tie('index'),
      }),
    ),
    axis: node('axis', { index: tie('index'), range: maybe(tie('index')) }),
    guard: node('guard', { comparisons: some(comparison) }),
    argument: node('argument', { name: maybe(name), value: tie('value') }),
    value: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      reference,
      number,
      node('access', { name, axes }),
      node('binary', { operator: fc.constantFrom('+', '-', '*', '/'), left: tie('value'), right: tie('value') }),
      node('negate', { operand: tie('value') }),
      node('reduce', {
        operator: fc.constantFrom('sum', 'max', 'argmax'),
        axes,
        guard: maybe(tie('guard')),
        body: tie('value'),
      }),
      node('power', { base: tie('value'), exponent: tie('value') }),
      node('view', { operand: tie('value'), shape: axes }),
      node('call', {
        name,
        dims: any(node('dim-argument', { name: maybe(name), value: tie('index') })),
        arguments: any(tie('argument')),
        at: maybe(string),
      }),
      node('indicator', { guard: tie('guard') }),
      node('conditional', { guard: tie('guard'), then: tie('value'), else: tie('value') }),
    ),
    statement: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      node('define', { doc: maybe(doc), name, axes: any(tie('axis')), value: tie('value') }),
      node('dims', { doc: maybe(doc), dims: some(node('dim', { name, value: tie('index') })) }),
      node('sources', { doc: maybe(doc), isState: maybe(fc.constant(true)), names: some(name) }),
      node('consts', { doc: maybe(doc), definitions: some(define) }),
      node('output', { ...declared, value: tie('value') }),
      node('input', { ...declared, type, file: maybe(file) }),
      node('input', { ...declared, file }),
      node('repeat', {
        doc: maybe(doc),
        index: name,
        count: tie('index'),
        at: maybe(string),
        body: any(tie('statement')),
      }),
    ),
  };
});

const type = typeOf(index);
const tensor = node('tensor', { name, axes: any(axis), type: maybe(type) });
const parameter: Arbitrary<ast.Parameter> = fc.oneof<Arbitrary<ast.Parameter>[]>(
  tensor,
  node('const-parameter', { name }),
  node('source-parameter', { name, default: maybe(name) }),
);
const body = any(statement);
const params = any(parameter);
const results = some(tensor);

const item: Arbitrary<ast.Item> = fc.oneof<Arbitrary<ast.Item>[]>(
  node('block', {
    doc: maybe(doc),
    name,
    dims: any(name),
    params,
    results,
    body,
    derivative: maybe(node('derivative', { doc: maybe(doc), params, results, body })),
  }),
  node('table', {
    doc: maybe(doc),
    name,
    dims: any(name),
    parameter: name,
    input: type,
    domain: maybe(node('domain', { lower: value, upper: value, saturate: fc.boolean() })),
    output: type,
    value,
  }),
  node('optimizer', {
    doc: maybe(doc),
    name,
    params,
    states: any(node('state', { doc: maybe(doc), name, type, value })),
    body,
  }),
  node('model', {
    doc: maybe(doc),
    name,
    at: maybe(string),
    body,
    train: maybe(
      node('train', {
        doc: maybe(doc),
        body,
        minimize: node('minimize', {
          loss: name,
          over: some(node('weights', { source: name, pattern: maybe(string) })),
          by: name,
          arguments: any(argument),
        }),
      }),
    ),
  }),
);

export const program: Arbitrary<ast.Program> = node('program', {
  imports: fc.array(node('import', { names: some(name), path: string }), { maxLength: 2 }),
  items: any(item),
});

/** A tree without its spans and absent fields, to compare. */
export function bare(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(bare);
  if (typeof tree !== 'object' || tree === null) return tree;
  const kept = Object.entries(tree).filter(
    ([field, child]) => field !== 'span' && field !== 'comments' && child !== undefined,
  );
  return Object.fromEntries(kept.map(([field, child]) => [field, bare(child)]));
}
