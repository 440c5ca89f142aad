/** Whole tensors: views of the same entries under another shape, and the shapes that operators between them give. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { IndexExpr, TensorId } from '../../ir/tensor/program.ts';
import { variable } from '../../ir/indices/expression.ts';
import { constant, floorQuotient, plus, product, remainder } from '../../ir/indices/normal.ts';
import { addVariable } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { emit } from './emit.ts';
import { plainAxis, staticLength } from '../indices/values.ts';
import { factorPoly } from '../numbers/polynomial.ts';
import { count, formatShape } from '../report.ts';
import type { Scope } from '../names/scope.ts';

/** The tensor that a bare name stands for. */
export function bareTensor(scope: Scope, value: ast.Value): TensorId | undefined {
  const binding = value.kind === 'reference' ? scope.find(value.name.text, value.name.span) : undefined;
  return binding?.kind === 'tensor' ? binding.tensor : undefined;
}

/** `operand as [T, H, K]`: the same entries, row-major. */
export function makeView(session: Session, frame: Frame, node: ast.View, operand: TensorId, name: string): TensorId {
  const { reporter } = session;
  const tensor = session.tensors[operand];
  const shape = node.shape.map((axis) => staticLength(session, frame.scope, plainAxis(session, axis)));
  const [from, to] = [tensor.shape, shape].map((lengths) => lengths.reduce((n, length) => n * length, 1));
  if (from !== to)
    return reporter.fail({
      code: 'ZKL317',
      span: node.span,
      label: `${formatShape(shape)} has ${count(to, 'entry', 'entries')}`,
      notes: [{ span: node.operand.span, text: `${formatShape(tensor.shape)} has ${count(from, 'entry', 'entries')}` }],
    });
  const outputs = shape.map((size, k) => {
    const axis = node.shape[k].index;
    const label = axis.kind === 'reference' ? axis.name.text.toLowerCase() : `i${k}`;
    return addVariable(session, label, size);
  });
  const at = rowMajor(session, outputs, tensor.shape);
  const target = {
    name,
    indices: outputs,
    visibility: 'hidden',
    role: 'inner',
    span: node.span,
    value: node.span,
  } as const;
  return emit(session, target, { kind: 'polynomial', p: factorPoly({ tensor: operand, at }) }).id;
}

/** The axes of `shape` as functions of other row-major indices of the same entries. */
function rowMajor(session: Session, outputs: readonly number[], shape: readonly number[]): IndexExpr[] {
  let flat: IndexExpr = constant(0);
  for (const id of outputs) flat = plus(product(flat, constant(session.variables[id].size)), variable(id));
  const at: IndexExpr[] = [];
  for (let k = shape.length - 1; k >= 0; k--) {
    at.unshift(k === 0 ? flat : remainder(flat, shape[k], session.bounds));
    flat = floorQuotient(flat, shape[k], session.bounds);
  }
  return at;
}

interface Shaped {
  readonly shape: readonly number[];
  readonly span: Span;
}

/** The shape of a value between whole tensors. */
export function shapeOf(
  session: Session,
  frame: Frame,
  node: ast.Value,
  prepared: ReadonlyMap<ast.Value, TensorId>,
): Shaped {
  const of = (next: ast.Value): Shaped => shapeOf(session, frame, next, prepared);
  const scalar: Shaped = { shape: [], span: node.span };
  const made = prepared.get(node) ?? bareTensor(frame.scope, node);
  if (made !== undefined) return { shape: session.tensors[made].shape, span: node.span };
  switch (node.kind) {
    case 'negate':
      return of(node.operand);
    case 'binary':
      return unify(session, of(node.left), of(node.right));
    case 'power':
      return of(node.base);
    case 'conditional':
      return unify(session, of(node.then), of(node.else));
    case 'call':
      return node.arguments.map((a) => of(a.value)).reduce((a, b) => unify(session, a, b), scalar);
    default:
      return scalar;
  }
}

function unify(session: Session, a: Shaped, b: Shaped): Shaped {
  if (a.shape.length === 0) return b;
  if (b.shape.length === 0 || a.shape.join() === b.shape.join()) return a;
  return session.reporter.fail({
    code: 'ZKL306',
    span: b.span,
    label: `this is ${formatShape(b.shape)}`,
    notes: [{ span: a.span, text: `this is ${formatShape(a.shape)}` }],
    help: 'operators on whole tensors need equal shapes; only scalars and constants broadcast',
  });
}
