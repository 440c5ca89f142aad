/** `optimizer sgd(w, g, step, const rate) { ... }`: the statements of one step, for one weight. */
import type * as ast from '../../../grammar/ast.ts';
import { ONE, rational } from '../../ir/numbers/rational.ts';
import type { Rational, TensorId, TensorType } from '../../ir/tensor/program.ts';
import { addTensor, typeRange } from '../context.ts';
import type { Declared, Frame, Session } from '../context.ts';
import { wholeTensor } from '../equations/equations.ts';
import { typeScale } from '../equations/emit.ts';
import { readType, writtenType } from '../indices/values.ts';
import { constantNumber } from '../numbers/constants.ts';
import { tensorName } from '../names/paths.ts';
import { Scope } from '../names/scope.ts';
import type { OptimizerBinding } from '../names/scope.ts';
import { formatShape } from '../report.ts';
import type { Reporter } from '../report.ts';
import { inferDims, resultOf } from './blocks.ts';
import { defining } from './defining.ts';

/** Parameters that training gives: the weight, its gradient, the number of the step. Constants follow. */
export const GIVEN = 3;

/** What an optimizer is read for. */
export interface OptimizerCall {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weight: TensorType;
  readonly gradient: TensorType;
  /** The last step's number; the first is 1. */
  readonly steps: number;
  readonly constants: ReadonlyMap<ast.Parameter, Rational>;
}

/** The parameters have to be weight, gradient and step, then constants. */
export function checkParameters(reporter: Reporter, { name, params }: ast.Optimizer): void {
  const given = params.slice(0, GIVEN);
  const constants = params.slice(GIVEN);
  const right = given.length === GIVEN && given.every((param) => param.kind === 'tensor');
  if (right && constants.every((param) => param.kind === 'const-parameter')) return;
  return reporter.fail({
    code: 'ZKL231',
    span: name.span,
    label: 'weight, gradient, step, then constants',
    help: '`optimizer sgd(w, g, step, const rate)`',
  });
}

/** Reads an optimizer; the weight after the step. State has the shape of the weight. */
export function readOptimizer(
  session: Session,
  { node, scope: file }: OptimizerBinding,
  call: OptimizerCall,
): TensorId {
  const scope = new Scope(file);
  const publics = new Scope(scope);
  const declared = new Map<string, Declared>();
  const frame: Frame = { scope, path: [call.name], at: [], keys: [], place: 'optimizer', publics, declared };
  const add = (name: ast.Name, shape: readonly number[], type: TensorType): TensorId => {
    const { id } = addTensor(session, {
      name: tensorName(frame, name.text),
      shape,
      scale: typeScale(type),
      range: typeRange(type),
      type,
      visibility: 'hidden',
      role: 'inner',
      span: name.span,
    });
    scope.set(name.text, { kind: 'tensor', tensor: id, span: name.span });
    return id;
  };
  const [weight, gradient, step] = node.params;
  const given = new Map<ast.Tensor, TensorId>();
  const give = (param: ast.Parameter, shape: readonly number[], type: TensorType): void => {
    const id = add(param.name, shape, type);
    // Without axes they are whole tensors of any shape.
    if (param.kind === 'tensor' && param.axes.length > 0) given.set(param, id);
  };
  give(weight, call.shape, call.weight);
  give(gradient, call.shape, call.gradient);
  give(step, [], { kind: 'index', size: call.steps + 1 });
  publics.set(step.name.text, { kind: 'const', value: ONE, span: step.span }, step.name.span);
  for (const param of node.params.slice(GIVEN)) {
    const value = call.constants.get(param) ?? rational(0);
    scope.set(param.name.text, { kind: 'const', value, span: param.span }, param.name.span);
  }
  inferDims(session, scope, given);
  const next: ast.Name = { text: `${weight.name.text}'`, span: weight.name.span };
  declared.set(next.text, { shape: call.shape, type: call.weight, span: weight.span });
  for (const state of node.states) {
    const { shape } = call;
    declared.set(`${state.name.text}'`, { shape, span: state.span });
    defining(session, frame, state.name, state.span, () => {
      const type = readType(session, scope, state.type);
      declared.set(`${state.name.text}'`, { shape, type, span: state.span });
      checkFirst(session, frame, state, shape);
      add(state.name, shape, type);
    });
  }
  session.walk(frame, node.body);
  return resultOf(session, scope, next, weight.span, 'an optimizer');
}

/** What a state is before the first step: a number, or something in the shape of the weight. */
function checkFirst(session: Session, frame: Frame, state: ast.State, shape: readonly number[]): void {
  const first = wholeTensor(
    session,
    frame,
    state.value,
    tensorName(frame, `${state.name.text}/first`),
    state.name.text,
  );
  const own = session.tensors[first].shape;
  if (own.length === 0 || own.join() === shape.join()) return;
  return session.reporter.fail({
    code: 'ZKL306',
    span: state.value.span,
    label: `this is ${formatShape(own)}`,
    help: `a state has the shape of the weight, here ${formatShape(shape)}`,
  });
}

/**
 * `public c = round<32, 16>(1 / (1 - beta ^ step))`: a number that prover and verifier work out for each step. Read here
 * at the first step; other steps are tabulated by whoever trains.
 */
export function definePublic(session: Session, frame: Frame, node: ast.Output): void {
  const { scope, publics } = frame;
  const { name, value } = node;
  if (publics === undefined || publics.parent !== scope || node.axes.length > 0) {
    const label = 'the verifier works out scalars, one for each step';
    return session.reporter.fail({ code: 'ZKL234', span: node.span, label });
  }
  const first = constantNumber(session, { ...frame, scope: publics }, value);
  const type = value.kind === 'call' && value.name.text === 'round' ? writtenType(session, scope, value) : undefined;
  publics.set(name.text, { kind: 'const', value: first, span: name.span });
  if (type === undefined) return scope.set(name.text, { kind: 'const', value: first, span: name.span });
  const { id } = addTensor(session, {
    name: tensorName(frame, name.text),
    shape: [],
    scale: typeScale(type),
    range: typeRange(type),
    type,
    visibility: 'public',
    role: 'inner',
    span: name.span,
  });
  scope.set(name.text, { kind: 'tensor', tensor: id, span: name.span });
}
