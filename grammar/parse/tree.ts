/** Concrete to abstract syntax: items, declarations and statements. What has an error in it is left out. */
import type { CstNode } from 'chevrotain';
import type { Axis, Block, Define, Derivative, Dim, Domain, File, Import, Item, Minimize, Model } from '../ast.ts';
import type { Optimizer, Parameter, Program, Repeat, State, Statement, Table, Tensor, Train } from '../ast.ts';
import type { Type, Visibility, Weights } from '../ast.ts';
import { complete, Cursor, type Context } from './cursor.ts';
import { HEAD, keyword } from './tokens.ts';
import { axes, callArguments, index, value } from './values.ts';

/** `end` is the length of the text. */
export function program(root: CstNode, end: number, context: Context): Program {
  const node = new Cursor(root, context);
  return {
    kind: 'program',
    imports: complete(node.nodes('import'), importFrom),
    items: complete(node.nodes('item'), item),
    span: { source: context.source, start: 0, end },
  };
}

function importFrom({ intact: node }: Cursor): Import {
  return { kind: 'import', names: node.names(), path: node.string(), span: node.span };
}

function item(choice: Cursor): Item {
  const node = choice.only();
  switch (node.node.name) {
    case 'block':
      return block(node);
    case 'table':
      return table(node.intact);
    case 'optimizer':
      return optimizer(node);
    default:
      return model(node);
  }
}

function block(node: Cursor): Block {
  const [derived] = complete(node.nodes('derivative'), derivative);
  return {
    kind: 'block',
    doc: node.doc,
    name: node.name(),
    dims: node.has('dim') ? node.names('dim') : [],
    params: params(node.child('params')),
    results: results(node.child('results')),
    body: statements(node),
    derivative: derived,
    span: node.span,
  };
}

function derivative(node: Cursor): Derivative {
  return {
    kind: 'derivative',
    doc: node.doc,
    params: params(node.child('params')),
    results: results(node.child('results')),
    body: statements(node),
    span: node.span,
  };
}

function optimizer(node: Cursor): Optimizer {
  return {
    kind: 'optimizer',
    doc: node.doc,
    name: node.name(),
    params: params(node.child('params')),
    states: complete(node.nodes('state'), state),
    body: statements(node),
    span: node.span,
  };
}

function state({ intact: node }: Cursor): State {
  return {
    kind: 'state',
    doc: node.doc,
    name: node.name(),
    type: type(node.child('type')),
    value: value(node.child('value')),
    span: node.span,
  };
}

function table(node: Cursor): Table {
  const within = node.optional('domain');
  return {
    kind: 'table',
    doc: node.doc,
    name: node.name(),
    dims: node.has('dim') ? node.names('dim') : [],
    parameter: node.name('parameter'),
    input: type(node.child('type')),
    domain: within && domain(within),
    output: type(node.child('output')),
    value: value(node.child('value')),
    span: node.span,
  };
}

function domain({ intact: node }: Cursor): Domain {
  return {
    kind: 'domain',
    lower: value(node.child('value', 0)),
    upper: value(node.child('value', 1)),
    saturate: node.has(keyword.saturate.name),
    span: node.span,
  };
}

function model(node: Cursor): Model {
  const [training] = complete(node.nodes('train'), train);
  return {
    kind: 'model',
    doc: node.doc,
    name: node.name(),
    at: node.optionalString(),
    body: statements(node),
    train: training,
    span: node.span,
  };
}

function train(node: Cursor): Train {
  return {
    kind: 'train',
    doc: node.doc,
    body: statements(node),
    minimize: minimize(node.child('minimize')),
    span: node.span,
  };
}

function minimize({ intact: node }: Cursor): Minimize {
  return {
    kind: 'minimize',
    loss: node.name(),
    over: node.nodes('weights').map(weights),
    by: node.name('by'),
    arguments: callArguments(node.child('arguments')),
    span: node.span,
  };
}

function weights({ intact: node }: Cursor): Weights {
  return { kind: 'weights', source: node.name(), pattern: node.optionalString(), span: node.span };
}

function params(node: Cursor): Parameter[] {
  return node.intact.nodes('param').map(parameter);
}

function parameter({ intact: node }: Cursor): Parameter {
  if (node.has('tensor')) return tensor(node.child('tensor'));
  const { span } = node;
  if (node.has(keyword.const.name)) return { kind: 'const-parameter', name: node.name(), span };
  return { kind: 'source-parameter', name: node.name(), default: node.optionalName('default'), span };
}

function results(node: Cursor): Tensor[] {
  return node.intact.nodes('tensor').map(tensor);
}

function tensor({ intact: node }: Cursor): Tensor {
  const typed = node.optional('type');
  return {
    kind: 'tensor',
    name: node.name(),
    axes: optionalAxes(node),
    type: typed && type(typed),
    span: node.span,
  };
}

function optionalAxes(node: Cursor): Axis[] {
  return node.has('axes') ? axes(node.child('axes')) : [];
}

function type({ intact: node }: Cursor): Type {
  const name = node.has(keyword.fixed.name) ? 'fixed' : 'index';
  return { kind: 'type', name, arguments: node.nodes('index').map(index), span: node.span };
}

function statements(node: Cursor): Statement[] {
  return complete(node.nodes('statement'), statement);
}

function statement(choice: Cursor): Statement {
  const node = choice.only();
  // Recovery after a `repeat` keeps its body; anything else with an error in it goes.
  if (node.node.name === 'repeat') return repeat(node);
  const { doc, span } = choice.intact && node.intact;
  switch (node.node.name) {
    case 'dims':
      return { kind: 'dims', doc, dims: node.nodes('dim').map(dim), span };
    case 'sources':
      return { kind: 'sources', doc, ...(node.has('State') && { isState: true }), names: node.names(), span };
    case 'consts':
      return { kind: 'consts', doc, definitions: node.nodes('constant').map((each) => define(each, 'NAME')), span };
    case 'declare':
      return declare(node);
    default:
      return { ...define(node, HEAD.name), doc };
  }
}

function dim({ intact: node }: Cursor): Dim {
  return { kind: 'dim', name: node.name(), value: index(node.child('index')), span: node.span };
}

function repeat(node: Cursor): Repeat {
  return {
    kind: 'repeat',
    doc: node.doc,
    index: node.name(),
    count: index(node.child('index')),
    at: node.optionalString(),
    body: statements(node),
    span: node.span,
  };
}

function declare(node: Cursor): Statement {
  const visibilities: readonly Visibility[] = ['public', 'secret', 'open'];
  const visibility = visibilities.find((word) => node.has(keyword[word].name)) ?? 'open';
  const common = { doc: node.doc, visibility, name: node.name(), axes: optionalAxes(node), span: node.span };
  if (node.has('value')) return { kind: 'output', ...common, value: value(node.child('value')) };
  const given = node.child('given').intact;
  const [typed, from] = [given.optional('type'), given.optional('file')];
  return { kind: 'input', ...common, type: typed && type(typed), file: from && file(from) };
}

function file({ intact: node }: Cursor): File {
  return { kind: 'file', source: node.name(), name: node.string(), span: node.span };
}

function define({ intact: node }: Cursor, label: string): Define {
  return {
    kind: 'define',
    name: node.name(label),
    axes: optionalAxes(node),
    value: value(node.child('value')),
    span: node.span,
  };
}
