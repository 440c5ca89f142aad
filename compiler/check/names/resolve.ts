/**
 * Names in what no call reads: blocks are templates and are checked at every call, derivatives and optimizers are not
 * read at all yet. Here every name in them is looked up, without shapes. Also finds imports that nothing uses.
 */
import type * as ast from '../../../grammar/ast.ts';
import { REAL_FUNCTIONS } from '../../ir/numbers/real.ts';
import { count, didYouMean } from '../report.ts';
import type { Reporter } from '../report.ts';
import type { Scope } from './scope.ts';
import { allValues, innerValues } from './syntax.ts';

/** Names that mean something, innermost scope first. */
class Names {
  private readonly own = new Set<string>();
  private readonly outer: Names | Scope;

  constructor(outer: Names | Scope) {
    this.outer = outer;
  }

  add(name: string): void {
    this.own.add(name);
  }

  has(name: string): boolean {
    if (this.own.has(name)) return true;
    return this.outer instanceof Names ? this.outer.has(name) : this.outer.find(name) !== undefined;
  }

  all(): string[] {
    const outer = this.outer instanceof Names ? this.outer.all() : this.outer.names((b) => b.kind !== 'source');
    return [...this.own, ...outer];
  }
}

/** Looks up every name in the blocks, tables and optimizers of a file. */
export function resolveItems(reporter: Reporter, program: ast.Program, scope: Scope): void {
  const resolver = new Resolver(reporter);
  for (const item of program.items) {
    if (item.kind === 'block') resolver.block(item, new Names(scope));
    if (item.kind === 'optimizer') resolver.optimizer(item, new Names(scope));
    if (item.kind === 'table') resolver.table(item);
  }
}

class Resolver {
  private readonly reporter: Reporter;

  constructor(reporter: Reporter) {
    this.reporter = reporter;
  }

  block(node: ast.Block, names: Names): void {
    for (const dim of node.dims) names.add(dim.text);
    this.params(node.params, names);
    for (const result of node.results) this.axes(result.axes, names);
    this.statements(node.body, names);
    if (node.derivative === undefined) return;
    this.derivative(node, node.derivative);
    const inner = new Names(names);
    this.params(node.derivative.params, inner);
    this.statements(node.derivative.body, inner);
  }

  /** One cotangent for each result, one result for each tensor parameter that is no index. */
  private derivative(block: ast.Block, node: ast.Derivative): void {
    const tensors = block.params.filter((param) => param.kind === 'tensor' && param.type?.name !== 'index');
    const wrong = node.params.length !== block.results.length || node.results.length !== tensors.length;
    if (!wrong) return;
    const takes = count(block.results.length, 'cotangent');
    this.reporter.error(
      'ZKL218',
      node.span,
      'a derivative of another signature',
      `it takes ${takes} and gives ${count(tensors.length, 'result')}`,
      {
        notes: [{ span: block.name.span, text: `the derivative of \`${block.name.text}\`` }],
        help: 'one cotangent for each result, one result for each tensor parameter that is not an index',
      },
    );
  }

  optimizer(node: ast.Optimizer, names: Names): void {
    this.params(node.params, names);
    for (const state of node.states) {
      names.add(state.name.text);
      this.value(state.value, names);
    }
    this.statements(node.body, names);
  }

  table(node: ast.Table): void {
    const known = [node.parameter.text, ...node.dims.map((dim) => dim.text)];
    for (const value of allValues(node.value)) {
      if (value.kind === 'reference' && !known.includes(value.name.text)) this.unknown(value.name, known);
      if (value.kind === 'call' && ![...REAL_FUNCTIONS, 'round'].includes(value.name.text)) {
        this.unknown(value.name, REAL_FUNCTIONS);
      }
    }
  }

  private params(params: readonly ast.Parameter[], names: Names): void {
    for (const param of params) {
      if (param.kind === 'source-parameter') continue;
      names.add(param.name.text);
      if (param.kind !== 'tensor') continue;
      // A dimension that stands bare in a parameter is bound there.
      for (const axis of param.axes) if (axis.index.kind === 'reference') names.add(axis.index.name.text);
    }
    for (const param of params) if (param.kind === 'tensor') this.axes(param.axes, names);
  }

  private statements(statements: readonly ast.Statement[], names: Names): void {
    for (const node of statements) this.statement(node, names);
  }

  private statement(node: ast.Statement, names: Names): void {
    switch (node.kind) {
      case 'dims':
        for (const dim of node.dims) {
          this.index(dim.value, names);
          names.add(dim.name.text);
        }
        return;
      case 'sources':
        return;
      case 'consts':
        for (const definition of node.definitions) this.define(definition, names);
        return;
      case 'repeat': {
        this.index(node.count, names);
        const inner = new Names(names);
        inner.add(node.index.text);
        this.statements(node.body, inner);
        return;
      }
      case 'input':
        for (const axis of node.axes) this.index(axis.range ?? axis.index, names);
        names.add(node.name.text);
        return;
      case 'output':
      case 'define':
        this.define(node, names);
    }
  }

  private define(node: ast.Define | ast.Output, names: Names): void {
    const inner = new Names(names);
    this.bind(node.axes, inner);
    this.value(node.value, inner);
    names.add(node.name.text);
  }

  private bind(axes: readonly ast.Axis[], names: Names): void {
    for (const axis of axes) {
      if (axis.range !== undefined) this.index(axis.range, names);
      if (axis.index.kind === 'reference') names.add(axis.index.name.text);
    }
  }

  private axes(axes: readonly ast.Axis[], names: Names): void {
    for (const axis of axes) this.index(axis.index, names);
  }

  private guard(node: ast.Guard | undefined, names: Names): void {
    for (const comparison of node?.comparisons ?? []) {
      this.index(comparison.left, names);
      this.index(comparison.right, names);
    }
  }

  private index(node: ast.Index, names: Names): void {
    if (node.kind === 'reference') this.name(node.name, names);
    if (node.kind === 'index-negate') this.index(node.operand, names);
    if (node.kind === 'index-binary') {
      this.index(node.left, names);
      this.index(node.right, names);
    }
    if (node.kind === 'access') {
      this.name(node.name, names);
      this.axes(node.axes, names);
    }
  }

  private value(node: ast.Value, names: Names): void {
    let inside = names;
    if (node.kind === 'reference') this.name(node.name, names);
    if (node.kind === 'access') {
      this.name(node.name, names);
      this.axes(node.axes, names);
    }
    if (node.kind === 'view') this.axes(node.shape, names);
    if (node.kind === 'conditional' || node.kind === 'indicator') this.guard(node.guard, names);
    if (node.kind === 'reduce') {
      inside = new Names(names);
      this.bind(node.axes, inside);
      this.guard(node.guard, inside);
    }
    if (node.kind === 'call') {
      if (![...REAL_FUNCTIONS, 'round'].includes(node.name.text)) this.name(node.name, names);
      for (const dim of node.dims) this.index(dim.value, names);
      // An argument that is a bare name may be a source, which only the call can tell.
      for (const { value } of node.arguments) if (value.kind !== 'reference') this.value(value, names);
      return;
    }
    for (const inner of innerValues(node)) this.value(inner, inside);
  }

  private name(name: ast.Name, names: Names): void {
    if (!names.has(name.text)) this.unknown(name, names.all());
  }

  private unknown(name: ast.Name, candidates: readonly string[]): void {
    const near = didYouMean(name.text, name.span, candidates);
    this.reporter.error('ZKL201', name.span, `unknown name \`${name.text}\``, 'not defined here', near);
  }
}

/** Warns about imported names that no call, and no `by`, mentions. */
export function warnUnusedImports(
  reporter: Reporter,
  program: ast.Program,
  imported: ReadonlyMap<string, ast.Name>,
): void {
  // A file of imports alone passes them on.
  if (program.items.length === 0) return;
  const called = new Set<string>();
  const visitValue = (node: ast.Value): void => {
    for (const inner of allValues(node)) if (inner.kind === 'call') called.add(inner.name.text);
  };
  const visit = (statements: readonly ast.Statement[]): void => {
    for (const node of statements) {
      if (node.kind === 'repeat') visit(node.body);
      if (node.kind === 'define' || node.kind === 'output') visitValue(node.value);
      if (node.kind === 'consts') node.definitions.forEach((d) => visitValue(d.value));
    }
  };
  for (const item of program.items) {
    if (item.kind !== 'table') visit(item.body);
    if (item.kind === 'block' && item.derivative !== undefined) visit(item.derivative.body);
    if (item.kind !== 'model' || item.train === undefined) continue;
    visit(item.train.body);
    called.add(item.train.minimize.by.text);
  }
  for (const [name, { span }] of imported) {
    if (!called.has(name)) reporter.warn('ZKL604', span, `\`${name}\` is imported and not used`, 'leave it out');
  }
}
