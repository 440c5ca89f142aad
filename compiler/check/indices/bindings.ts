/** Names bound by equations and reductions, and their ranges (rule 2). */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import { addVariable } from '../context.ts';
import type { Session } from '../context.ts';
import { lookUp, staticLength } from './values.ts';
import { count } from '../report.ts';
import type { Scope } from '../names/scope.ts';
import { describe } from '../names/scope.ts';
import { accessesIn, allValues } from '../names/syntax.ts';

/** A bare use of an index: the axis it stands in. */
interface Use {
  readonly length: number;
  readonly span: Span;
}

/** Every bare use of `name` as an axis of a tensor in `values`. */
function bareUses(session: Session, scope: Scope, name: string, values: readonly ast.Value[]): Use[] {
  const uses: Use[] = [];
  for (const node of values.flatMap((value) => [...accessesIn(value)])) {
    const binding = scope.find(node.name.text);
    const shape = binding?.kind === 'tensor' ? session.tensors[binding.tensor].shape : [];
    if (shape.length !== node.axes.length) continue;
    for (const [k, axis] of node.axes.entries())
      if (axis.index.kind === 'reference' && axis.index.name.text === name)
        uses.push({ length: shape[k], span: axis.span });
  }
  return uses;
}

/** Reports what in `values` keeps an index from having a range, where something else is wrong. */
function explain(session: Session, scope: Scope, values: readonly ast.Value[]): void {
  const { reporter } = session;
  for (const node of values.flatMap((value) => [...accessesIn(value)])) {
    const binding = lookUp(session, scope, node.name);
    const shape = binding.kind === 'tensor' ? session.tensors[binding.tensor].shape : undefined;
    if (shape !== undefined && shape.length !== node.axes.length) wrongRank(session, node, shape, binding.span);
  }
  for (const node of values.flatMap((value) => [...allValues(value)])) {
    const name = node.kind === 'reference' || node.kind === 'call' ? node.name : undefined;
    const binding = name === undefined ? undefined : scope.find(name.text);
    const whole = binding?.kind === 'tensor' && session.tensors[binding.tensor].shape.length > 0;
    if (!whole && binding?.kind !== 'block' && node.kind !== 'view') continue;
    reporter.fail({
      code: 'ZKL309',
      about: { what: 'a whole tensor' },
      span: node.span,
      label: 'only entries can stand here',
      help: 'write its indices, or work on whole tensors in an equation of its own',
    });
  }
}

/** An access with too many or too few indices. */
export function wrongRank(session: Session, node: ast.Access, shape: readonly number[], declared: Span): never {
  const has = `\`${node.name.text}\` has ${count(shape.length, 'axis', 'axes')}`;
  const label = `${has}, here are ${count(node.axes.length, 'index', 'indices')}`;
  return session.reporter.fail({
    code: 'ZKL303',
    span: node.span,
    label,
    notes: [{ span: declared, text: 'declared here' }],
  });
}

/**
 * Binds the names of `axes` in `scope`, and gives their variables. The range of a name is its annotation, else the length
 * in `given` for its axis, else the one length that all its bare uses in `values` give.
 */
export function bindIndices(
  session: Session,
  scope: Scope,
  axes: readonly ast.Axis[],
  values: readonly ast.Value[],
  given: readonly number[],
): number[] {
  const { reporter } = session;
  return axes.map((axis, k) => {
    if (axis.index.kind !== 'reference')
      return reporter.fail({
        code: 'ZKL314',
        span: axis.span,
        label: 'an equation or reduction binds names here',
        help: 'bind a name and use arithmetic on the right side',
      });
    const { name } = axis.index;
    const hidden = scope.find(name.text);
    if (hidden !== undefined)
      return reporter.fail({
        code: 'ZKL222',
        about: { name: name.text },
        span: name.span,
        label: `it is ${describe(hidden)}`,
        notes: [{ span: hidden.span, text: 'defined here' }],
        help: 'an index is a fresh name',
      });
    const size =
      axis.range === undefined
        ? (given[k] ?? inferred(session, scope, name, values))
        : staticLength(session, scope, axis.range);
    const id = addVariable(session, name.text, size);
    scope.set(name.text, { kind: 'index', variable: id, span: name.span });
    return id;
  });
}

function inferred(session: Session, scope: Scope, name: ast.Name, values: readonly ast.Value[]): number {
  const uses = bareUses(session, scope, name.text, values);
  const lengths = new Map(uses.map((use) => [use.length, use.span]));
  const [first] = lengths.keys();
  if (lengths.size === 1) return first;
  const help = `say it: \`${name.text}: N\``;
  if (lengths.size === 0) {
    explain(session, scope, values);
    return session.reporter.fail({
      code: 'ZKL301',
      about: { name: name.text },
      span: name.span,
      label: 'it never stands alone in an axis',
      help,
    });
  }
  const notes = [...lengths].map(([length, span]) => ({ span, text: `length ${length} here` }));
  return session.reporter.fail({
    code: 'ZKL302',
    about: { name: name.text },
    span: name.span,
    label: `its uses give ${count(lengths.size, 'length')}`,
    notes,
    help,
  });
}
