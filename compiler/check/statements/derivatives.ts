/** `derivative(dy) -> dx { ... }`: the statements of a block's derivative, in the scope of one call of the block. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { TensorId } from '../../ir/tensor/program.ts';
import { addTensor, typeRange } from '../context.ts';
import type { CallRecord, Declared, Frame, Session } from '../context.ts';
import { typeScale } from '../equations/emit.ts';
import { calibrated } from '../equations/meanings.ts';
import { plainAxis, readType, staticLength } from '../indices/values.ts';
import { calibrationKey, gradientKey, tensorName } from '../names/paths.ts';
import { Scope } from '../names/scope.ts';
import { differentiable } from '../names/syntax.ts';
import { formatShape } from '../report.ts';
import { inferDims, resultOf } from './blocks.ts';

/**
 * Tensors for the cotangents of a call's results. Their types are written, or calibrated under `KEY.grad` for the key of
 * the result; a bare `round` in the derivative has the key of its name, with `.grad`, too. Where calibration says nothing
 * the type is that of whatever is not calibrated, `fixed<16, 8>`: names, shapes and ranges of indices hang on none of it,
 * and what does is not told (`trials.ts`).
 */
export function cotangentsOf(session: Session, call: CallRecord, derivative: ast.Derivative): TensorId[] {
  return call.results.map((id, k) => {
    const { name, shape, key = calibrationKey(call.frame, call.block.results[k].name.text) } = session.tensors[id];
    const param = derivative.params[k];
    const type =
      param.kind === 'tensor' && param.type !== undefined
        ? readType(session, call.frame.scope, param.type)
        : ({ kind: 'fixed', ...calibrated(session, gradientKey(key), name, param.span) } as const);
    const tensor = addTensor(session, {
      name: tensorName(call.frame, param.name.text),
      shape,
      scale: typeScale(type),
      range: typeRange(type),
      type,
      visibility: 'hidden',
      role: 'inner',
      span: param.span,
    });
    return tensor.id;
  });
}

/**
 * Reads the derivative of a call's block.
 *
 * @param cotangents of the call's results, in their shapes
 * @returns the cotangents of `differentiable(call.block)`
 */
export function readDerivative(
  session: Session,
  call: CallRecord,
  derivative: ast.Derivative,
  cotangents: readonly TensorId[],
): TensorId[] {
  const { frame: around, block } = call;
  const scope = new Scope(around.scope);
  const given = new Map<ast.Tensor, TensorId>();
  for (const [k, param] of derivative.params.entries()) {
    refuseKnown(session, scope, param.name);
    scope.set(param.name.text, { kind: 'tensor', tensor: cotangents[k], span: param.span }, param.name.span);
    if (param.kind === 'tensor' && param.axes.length > 0) given.set(param, cotangents[k]);
  }
  inferDims(session, scope, given);
  const declared = new Map<string, Declared>();
  for (const [k, param] of differentiable(block).entries()) {
    const { name } = derivative.results[k];
    const before = declared.get(name.text);
    if (before !== undefined) twice(session, name, before.span);
    declared.set(name.text, declare(session, scope, derivative.results[k], call.arguments.get(param)));
  }
  const frame: Frame = { ...around, scope, place: 'derivative', gradient: true, declared };
  session.walk(frame, derivative.body);
  return derivative.results.map(({ name, span }) => resultOf(session, scope, name, span, 'a derivative'));
}

function refuseKnown(session: Session, scope: Scope, name: ast.Name): void {
  const before = scope.find(name.text);
  if (before === undefined || before.kind === 'poison' || ['block', 'table', 'optimizer'].includes(before.kind)) return;
  twice(session, name, before.span);
}

function twice(session: Session, name: ast.Name, first: Span): never {
  return session.reporter.fail({
    code: 'ZKL202',
    about: { name: name.text },
    span: name.span,
    label: 'the second definition',
    notes: [{ span: first, text: 'the first' }],
    help: 'names are defined once, and a derivative sees those of its block',
  });
}

/** The cotangent of a parameter has its shape. */
function declare(session: Session, scope: Scope, result: ast.Tensor, given: TensorId | undefined): Declared {
  const shape = given === undefined ? [] : session.tensors[given].shape;
  const written = result.axes.map((axis) => staticLength(session, scope, plainAxis(session, axis)));
  if (written.length > 0 && written.join() !== shape.join()) {
    const label = `it is the cotangent of ${formatShape(shape)}, here it is ${formatShape(written)}`;
    return session.reporter.fail({ code: 'ZKL318', about: { name: result.name.text }, span: result.span, label });
  }
  const type = result.type === undefined ? {} : { type: readType(session, scope, result.type) };
  return { shape, ...type, span: result.span };
}
