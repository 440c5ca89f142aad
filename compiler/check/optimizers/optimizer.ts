/** `optimizer sgd(w, g, step, const rate) { ... }`: the statements of one step, for one weight. */
import type * as ast from '../../../grammar/ast.ts';
import { ONE, rational } from '../../ir/numbers/rational.ts';
import type { TensorId, TensorType } from '../../ir/tensor/program.ts';
import type { Declared, Frame, Session } from '../context.ts';
import { emit } from '../equations/emit.ts';
import { readType } from '../indices/values.ts';
import { tensorName } from '../names/paths.ts';
import { Scope } from '../names/scope.ts';
import type { OptimizerBinding } from '../names/scope.ts';
import { addPoly, constantPoly, factorPoly } from '../numbers/polynomial.ts';
import { inferDims } from '../statements/blocks.ts';
import { defining } from '../statements/defining.ts';
import { readFirst } from './first.ts';
import type { First } from './first.ts';
import { bindType, constantsOf, givenTo } from './parameters.ts';
import type { Given } from './parameters.ts';
import { bindSeries, counting } from './schedule.ts';
import type { Series, Steps } from './schedule.ts';

/** What an optimizer is read for. */
export interface OptimizerCall {
  /** Stand before the names of what it makes. */
  readonly path: readonly string[];
  /** The same for calibration keys. */
  readonly key: string;
  /** Weight and gradient of one shape, both rounded; the step as an input from 0, the norm where it is asked for. */
  readonly given: Given<TensorId>;
  /** What names in the gradient's type are taken from: the gradient's type, or that of the first phase of a run. */
  readonly sized: TensorType;
  readonly steps: Steps;
  readonly constants: ReadonlyMap<ast.Parameter, Series>;
  /** The tensor that a state is before the step. */
  readonly state: (node: ast.State, type: TensorType) => TensorId;
}

/** A state of a weight, or the weight: before the step, after it, and before the first. */
export interface Updated {
  readonly name: string;
  readonly type: TensorType;
  readonly before: TensorId;
  readonly after: TensorId;
  readonly first: First;
}

/** Reads an optimizer: the weight, then its states, each of the weight's shape. */
export function readOptimizer(
  session: Session,
  { node, scope: file }: OptimizerBinding,
  call: OptimizerCall,
): Updated[] {
  const scope = new Scope(file);
  const declared = new Map<string, Declared>();
  const schedule = { owner: scope, steps: call.steps, series: new Map<string, Series>() };
  const { path, key } = call;
  const frame: Frame = { scope, path, at: [], keys: [key], place: 'optimizer', schedule, declared };
  const params = givenTo(node);
  const { shape, type: weightType } = session.tensors[call.given.weight];
  if (weightType === undefined) throw new Error('internal error: a weight without a type is trained');
  give(session, frame, call, params);
  for (const param of constantsOf(node)) {
    const { span } = param.name;
    const series: Series = call.constants.get(param) ?? { values: [rational(0)], varies: false, span };
    schedule.series.set(param.name.text, { ...series, span });
    bindSeries(session, frame, call.steps, param.name.text, { ...series, span });
  }
  const { weight } = params;
  const next = (name: ast.Name): string => `${name.text}'`;
  declared.set(next(weight.name), { shape, type: weightType, span: weight.span });
  const states = new Map<ast.State, Omit<Updated, 'name' | 'after'>>();
  for (const state of node.states) {
    declared.set(next(state.name), { shape, span: state.span });
    defining(session, frame, state.name, state.span, () => {
      const type = readType(session, scope, state.type);
      declared.set(next(state.name), { shape, type, span: state.span });
      const first = readFirst(session, frame, state, type, weight.name.text, weightType);
      const before = call.state(state, type);
      scope.set(state.name.text, { kind: 'tensor', tensor: before, span: state.name.span });
      states.set(state, { type, before, first });
    });
  }
  session.walk(frame, node.body);
  const after = (name: ast.Name, label: string): TensorId => {
    const made = scope.own(next(name));
    if (made?.kind === 'tensor') return made.tensor;
    // What was defined and is wrong has been told.
    return session.reporter.fail({ code: 'ZKL528', about: { name: next(name) }, span: name.span, label });
  };
  const updated: Updated[] = [];
  if (scope.own(next(weight.name))?.kind !== 'poison') {
    const made = after(weight.name, 'an optimizer says what the weight is after the step');
    const before = call.given.weight;
    updated.push({ name: 'w', type: weightType, before, after: made, first: { kind: 'weight' } });
  }
  for (const [{ name }, state] of states)
    if (scope.own(next(name))?.kind !== 'poison')
      updated.push({ ...state, name: name.text, after: after(name, 'a state that no step changes is a constant') });
  return updated;
}

/** Binds weight, gradient, step and norm. */
function give(session: Session, frame: Frame, call: OptimizerCall, params: Given<ast.Tensor>): void {
  const { scope, schedule } = frame;
  const given = new Map<ast.Tensor, TensorId>();
  const bind = ({ name, span }: ast.Tensor, tensor: TensorId): void => {
    scope.set(name.text, { kind: 'tensor', tensor, span }, name.span);
  };
  const pairs = (['weight', 'gradient', 'norm'] as const).flatMap((of) => {
    const [param, tensor] = [params[of], call.given[of]];
    return param === undefined || tensor === undefined ? [] : [{ of, param, tensor }];
  });
  for (const { param, tensor } of pairs) {
    bind(param, tensor);
    // Without axes they are whole tensors of any shape.
    if (param.axes.length > 0) given.set(param, tensor);
  }
  const { step } = params;
  const input = factorPoly({ tensor: call.given.step, at: [] });
  const target = { indices: [], visibility: 'hidden', role: 'inner', span: step.name.span, value: step.span } as const;
  const first = addPoly(input, constantPoly(ONE));
  bind(
    step,
    emit(session, { ...target, name: tensorName(frame, step.name.text) }, { kind: 'polynomial', p: first }).id,
  );
  schedule?.series.set(step.name.text, counting(call.steps, 1, step.name.span));
  for (const { of, param, tensor } of pairs) {
    const { type } = session.tensors[tensor];
    const sized = of === 'gradient' ? call.sized : type;
    if (sized !== undefined) bindType(session, scope, param, sized, tensor);
  }
  inferDims(session, scope, given);
}
