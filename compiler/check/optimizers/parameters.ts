/** `optimizer adamw(w, g: fixed<B, F>, step, const rate)`: what training gives it, and the constants that follow. */
import type * as ast from '../../../grammar/ast.ts';
import type { TensorId, TensorType } from '../../ir/tensor/program.ts';
import { formatType, sameType } from '../context.ts';
import type { Session } from '../context.ts';
import { readType } from '../indices/values.ts';
import type { Scope } from '../names/scope.ts';
import type { Reporter } from '../report.ts';

/** What training gives: the weight, its gradient, the number of the step and, where it is asked for, the gradients' norm. */
export interface Given<T> {
  readonly weight: T;
  readonly gradient: T;
  readonly step: T;
  readonly norm?: T;
}

/** Parameters without `const` come first: three of them, or four. */
const counted = (params: readonly ast.Parameter[]): number => {
  const first = params.findIndex((param) => param.kind !== 'tensor');
  return first === -1 ? params.length : first;
};

/** The constants of an optimizer. */
export const constantsOf = ({ params }: ast.Optimizer): readonly ast.Parameter[] => params.slice(counted(params));

/** What training gives an optimizer whose parameters are right. */
export function givenTo(node: ast.Optimizer): Given<ast.Tensor> {
  const [weight, gradient, step, norm] = node.params.filter((param) => param.kind === 'tensor');
  return { weight, gradient, step, ...(node.params[3]?.kind === 'tensor' ? { norm } : {}) };
}

/** The parameters have to be weight, gradient and step, perhaps the norm, then constants. */
export function checkParameters(reporter: Reporter, node: ast.Optimizer): void {
  const given = counted(node.params);
  if ((given === 3 || given === 4) && constantsOf(node).every((param) => param.kind === 'const-parameter')) return;
  return reporter.fail({
    code: 'ZKL231',
    span: node.name.span,
    label: 'weight, gradient, step, the norm of all gradients or not, then constants',
    help: '`optimizer sgd(w, g, step, const rate)`',
  });
}

/**
 * Names that stand bare in the type of a parameter are the numbers of the type given: with `g: fixed<B, F>` a state may be
 * `fixed<32, F + 31 - B>`, as fine as the gradient is.
 *
 * @param type what the names are taken from
 * @param tensor what is given, of that type or, for a gradient in a later phase of a run, of another
 */
export function bindType(session: Session, scope: Scope, param: ast.Tensor, type: TensorType, tensor: TensorId): void {
  if (param.type === undefined) return;
  const numbers = type.kind === 'index' ? [type.size] : [type.bits, type.frac];
  let free = 0;
  for (const [k, part] of param.type.arguments.entries()) {
    if (part.kind !== 'reference' || k >= numbers.length) continue;
    free++;
    if (scope.own(part.name.text) !== undefined) continue;
    scope.set(part.name.text, { kind: 'dim', value: numbers[k], span: part.span });
  }
  const own = session.tensors[tensor].type ?? type;
  const expected = readType(session, scope, param.type);
  if (sameType(expected, free === numbers.length ? type : own)) return;
  return session.reporter.fail({
    code: 'ZKL426',
    about: { name: param.name.text, type: formatType(expected) },
    span: param.span,
    label: `it is given \`${formatType(own)}\``,
  });
}
