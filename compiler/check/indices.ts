/** Names bound by equations and reductions, and their ranges (rule 2). */
import type * as ast from '../../grammar/ast.ts';
import type { Span } from '../../grammar/span.ts';
import { addVariable } from './context.ts';
import type { Session } from './context.ts';
import { staticLength } from './index-values.ts';
import { count } from './report.ts';
import type { Scope } from './scope.ts';
import { describe } from './scope.ts';

/** A bare use of an index: the axis it stands in. */
interface Use {
  readonly length: number;
  readonly span: Span;
}

/** Every bare use of `name` as an axis of a tensor in `values`. */
function bareUses(session: Session, scope: Scope, name: string, values: readonly ast.Value[]): Use[] {
  const uses: Use[] = [];
  const visitAccess = (node: ast.Access): void => {
    const binding = scope.find(node.name.text);
    const shape = binding?.kind === 'tensor' ? session.tensors[binding.tensor].shape : [];
    for (const [k, axis] of node.axes.entries()) {
      if (axis.index.kind === 'reference' && axis.index.name.text === name && shape.length === node.axes.length) {
        uses.push({ length: shape[k], span: axis.span });
      }
      visitIndex(axis.index);
    }
  };
  const visitIndex = (node: ast.Index): void => {
    if (node.kind === 'access') visitAccess(node);
    if (node.kind === 'index-negate') visitIndex(node.operand);
    if (node.kind === 'index-binary') {
      visitIndex(node.left);
      visitIndex(node.right);
    }
  };
  const visitGuard = (guard: ast.Guard | undefined): void => {
    for (const c of guard?.comparisons ?? []) {
      visitIndex(c.left);
      visitIndex(c.right);
    }
  };
  const visit = (node: ast.Value): void => {
    switch (node.kind) {
      case 'access':
        return visitAccess(node);
      case 'conditional':
        visitGuard(node.guard);
        visit(node.then);
        return visit(node.else);
      case 'binary':
        visit(node.left);
        return visit(node.right);
      case 'negate':
      case 'view':
        return visit(node.operand);
      case 'reduce':
        visitGuard(node.guard);
        return visit(node.body);
      case 'power':
        visit(node.base);
        return visit(node.exponent);
      case 'call':
        for (const argument of node.arguments) visit(argument.value);
        return;
      case 'indicator':
        return visitGuard(node.guard);
      case 'reference':
      case 'number':
        return;
    }
  };
  values.forEach(visit);
  return uses;
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
    if (axis.index.kind !== 'reference') {
      return reporter.fail('ZKL314', axis.span, 'not a fresh name', 'an equation or reduction binds names here', {
        help: 'bind a name and use arithmetic on the right side',
      });
    }
    const { name } = axis.index;
    const hidden = scope.find(name.text);
    if (hidden !== undefined) {
      return reporter.fail('ZKL202', name.span, `\`${name.text}\` already has a meaning`, `it is ${describe(hidden)}`, {
        notes: [{ span: hidden.span, text: 'defined here' }],
        help: 'an index is a fresh name',
      });
    }
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
    return session.reporter.fail(
      'ZKL301',
      name.span,
      `no range for \`${name.text}\``,
      'it never stands alone in an axis',
      { help },
    );
  }
  const notes = [...lengths].map(([length, span]) => ({ span, text: `length ${String(length)} here` }));
  return session.reporter.fail(
    'ZKL302',
    name.span,
    `two ranges for \`${name.text}\``,
    `its uses give ${count(lengths.size, 'length')}`,
    { notes, help },
  );
}
