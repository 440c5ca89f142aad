/**
 * Looks every name of a file up, without shapes: blocks are templates, which are checked at every call, so that names in
 * one that nothing calls would be looked up nowhere. Also finds imports that nothing uses.
 */
import type * as ast from '../../../grammar/ast.ts';
import { REAL_FUNCTIONS } from '../../ir/numbers/real.ts';
import { Reporter, count, didYouMean } from '../report.ts';
import { Scope, sourceKey } from './scope.ts';
import { allValues, differentiable, hasSignature, innerValues } from './syntax.ts';

/**
 * Looks up every name in the blocks, tables and optimizers of a file, and reports those that are not there. Names in
 * models are reported where they are read; here their uses are recorded, also in models and branches that are not read.
 */
export function resolveItems(reporter: Reporter, program: ast.Program, scope: Scope): void {
  const resolver = new Resolver(reporter);
  const silent = new Resolver(new Reporter());
  for (const item of program.items) {
    if (item.kind === 'block') resolver.block(item, new Scope(scope));
    if (item.kind === 'optimizer') resolver.optimizer(item, new Scope(scope));
    if (item.kind === 'table') resolver.table(item, new Scope(undefined, scope.table));
    if (item.kind === 'model') silent.model(item, new Scope(scope));
  }
}

/** A name that is defined again, by a parameter that has the same dimension, is the first one. */
function add(scope: Scope, { text, span }: ast.Name): void {
  if (scope.own(text) === undefined) scope.set(text, { kind: 'unread', span });
  else scope.find(text, span);
}

class Resolver {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  block(node: ast.Block, scope: Scope): void {
    for (const dim of node.dims) add(scope, dim);
    this.#params(node.params, scope);
    for (const result of node.results) this.#axes(result.axes, scope);
    this.#statements(node.body, scope);
    if (node.derivative === undefined) return;
    this.#derivative(node, node.derivative);
    const inner = new Scope(scope);
    this.#params(node.derivative.params, inner);
    this.#statements(node.derivative.body, inner);
  }

  /** One cotangent for each result, one result for each tensor parameter that is no index. */
  #derivative(block: ast.Block, node: ast.Derivative): void {
    if (hasSignature(block, node)) return;
    const takes = count(block.results.length, 'cotangent');
    this.#reporter.report({
      code: 'ZKL218',
      span: node.span,
      label: `it takes ${takes} and gives ${count(differentiable(block).length, 'result')}`,
      notes: [{ span: block.name.span, text: `the derivative of \`${block.name.text}\`` }],
      help: 'one cotangent for each result, one result for each tensor parameter that is not an index',
    });
  }

  optimizer(node: ast.Optimizer, scope: Scope): void {
    this.#params(node.params, scope);
    // So is one that stands bare in the type of one.
    for (const param of node.params)
      for (const part of (param.kind === 'tensor' && param.type?.arguments) || [])
        if (part.kind === 'reference') add(scope, part.name);
    for (const state of node.states) {
      add(scope, state.name);
      for (const part of state.type.arguments) this.#index(part, scope);
      this.#value(state.value, scope);
    }
    this.#statements(node.body, scope);
  }

  model(node: ast.Model, scope: Scope): void {
    this.#statements(node.body, scope);
    if (node.train === undefined) return;
    const inner = new Scope(scope);
    this.#statements(node.train.body, inner);
    const { loss, over, by, arguments: given } = node.train.minimize;
    this.#name(loss, inner);
    for (const { source } of over) inner.find(sourceKey(source.text), source.span);
    this.#name(by, inner);
    for (const { value } of given) this.#value(value, inner);
  }

  /** The body of a table sees its parameter, the dimensions of its type and the functions of reals, nothing of its file. */
  table(node: ast.Table, scope: Scope): void {
    for (const name of [node.parameter, ...node.dims]) add(scope, name);
    for (const value of allValues(node.value)) {
      if (value.kind === 'reference') this.#name(value.name, scope);
      if (value.kind === 'call' && ![...REAL_FUNCTIONS, 'round'].includes(value.name.text))
        this.#unknown(value.name, REAL_FUNCTIONS);
    }
  }

  #params(params: readonly ast.Parameter[], scope: Scope): void {
    for (const param of params) {
      if (param.kind === 'source-parameter') continue;
      add(scope, param.name);
      if (param.kind !== 'tensor') continue;
      // A dimension that stands bare in a parameter is bound there.
      for (const axis of param.axes) if (axis.index.kind === 'reference') add(scope, axis.index.name);
    }
    for (const param of params) if (param.kind === 'tensor') this.#axes(param.axes, scope);
  }

  #statements(statements: readonly ast.Statement[], scope: Scope): void {
    for (const node of statements) this.#statement(node, scope);
  }

  #statement(node: ast.Statement, scope: Scope): void {
    switch (node.kind) {
      case 'dims':
        for (const dim of node.dims) {
          this.#index(dim.value, scope);
          add(scope, dim.name);
        }
        return;
      case 'sources':
        return;
      case 'consts':
        for (const definition of node.definitions) this.#define(definition, scope);
        return;
      case 'repeat': {
        this.#index(node.count, scope);
        const inner = new Scope(scope);
        add(inner, node.index);
        this.#statements(node.body, inner);
        return;
      }
      case 'input':
        for (const axis of node.axes) this.#index(axis.range ?? axis.index, scope);
        add(scope, node.name);
        return;
      case 'output':
      case 'define':
        this.#define(node, scope);
    }
  }

  #define(node: ast.Define | ast.Output, scope: Scope): void {
    const inner = new Scope(scope);
    this.#bind(node.axes, inner);
    this.#value(node.value, inner);
    add(scope, node.name);
  }

  #bind(axes: readonly ast.Axis[], scope: Scope): void {
    for (const axis of axes) {
      if (axis.range !== undefined) this.#index(axis.range, scope);
      if (axis.index.kind === 'reference') add(scope, axis.index.name);
    }
  }

  #axes(axes: readonly ast.Axis[], scope: Scope): void {
    for (const axis of axes) this.#index(axis.index, scope);
  }

  #guard(node: ast.Guard | undefined, scope: Scope): void {
    for (const comparison of node?.comparisons ?? []) {
      this.#index(comparison.left, scope);
      this.#index(comparison.right, scope);
    }
  }

  #index(node: ast.Index, scope: Scope): void {
    if (node.kind === 'reference') this.#name(node.name, scope);
    if (node.kind === 'index-negate') this.#index(node.operand, scope);
    if (node.kind === 'index-binary') {
      this.#index(node.left, scope);
      this.#index(node.right, scope);
    }
    if (node.kind === 'access') {
      this.#name(node.name, scope);
      this.#axes(node.axes, scope);
    }
  }

  #value(node: ast.Value, scope: Scope): void {
    let inside = scope;
    if (node.kind === 'reference') this.#name(node.name, scope);
    if (node.kind === 'access') {
      this.#name(node.name, scope);
      this.#axes(node.axes, scope);
    }
    if (node.kind === 'view') this.#axes(node.shape, scope);
    if (node.kind === 'conditional' || node.kind === 'indicator') this.#guard(node.guard, scope);
    if (node.kind === 'reduce') {
      inside = new Scope(scope);
      this.#bind(node.axes, inside);
      this.#guard(node.guard, inside);
    }
    if (node.kind === 'call') {
      if (![...REAL_FUNCTIONS, 'round'].includes(node.name.text)) this.#name(node.name, scope);
      else scope.find(node.name.text, node.name.span);
      for (const dim of node.dims) this.#index(dim.value, scope);
      for (const { value } of node.arguments)
        // An argument that is a bare name may be a source, which only the call can tell.
        if (value.kind === 'reference') scope.find(value.name.text, value.name.span);
        else this.#value(value, scope);
      return;
    }
    for (const inner of innerValues(node)) this.#value(inner, inside);
  }

  #name(name: ast.Name, scope: Scope): void {
    if (scope.find(name.text, name.span) !== undefined) return;
    this.#unknown(
      name,
      scope.names((b) => b.kind !== 'source'),
    );
  }

  #unknown(name: ast.Name, candidates: readonly string[]): void {
    const near = didYouMean(name.text, name.span, candidates);
    this.#reporter.report({
      code: 'ZKL201',
      about: { name: name.text },
      span: name.span,
      label: 'not defined here',
      ...near,
    });
  }
}

/** Warns about imported names that nothing in the file uses. */
export function warnUnusedImports(
  reporter: Reporter,
  program: ast.Program,
  imported: ReadonlyMap<string, ast.Name>,
  { table }: Scope,
): void {
  // A file of imports alone passes them on.
  if (program.items.length === 0) return;
  for (const [name, { span }] of imported) {
    if (table.entry(name, span)?.uses.length !== 0) continue;
    reporter.report({ code: 'ZKL604', about: { name }, span, label: 'leave it out' });
  }
}
