/**
 * A whole step of training: the optimizer of a `train` for every trained weight, after their gradients are there. Weights and
 * states are read from the source `state`, and what they are after the step leaves the proof in the same layout.
 */
import type * as ast from '../../../grammar/ast.ts';
import { variable } from '../../ir/indices/expression.ts';
import { typeScale, emit, entryFactor } from '../equations/emit.ts';
import type { Tensor, TensorFile, TensorId, TensorType } from '../../ir/tensor/program.ts';
import { addTensor, addVariable, typeRange } from '../context.ts';
import type { FixedType, Frame, Session } from '../context.ts';
import { lookUp, readFixed } from '../indices/values.ts';
import type { OptimizerBinding } from '../names/scope.ts';
import { addPoly, factorPoly } from '../numbers/polynomial.ts';
import { matchArguments } from '../statements/blocks.ts';
import type { First } from './first.ts';
import { readOptimizer } from './optimizer.ts';
import type { OptimizerCall, Updated } from './optimizer.ts';
import { checkParameters, constantsOf, givenTo } from './parameters.ts';
import { counting, seriesOf, stepsOf } from './schedule.ts';
import type { Series, Steps } from './schedule.ts';
import { trainedTensors } from './trained.ts';

/** Where weights and states are while they are trained: a word of the language, so that no program calls another source so. */
export const STATE = 'state';

/** A tensor of the source `state`. */
export interface StateTensor {
  /** `w:NAME` for the weight NAME itself, `m:NAME` for its state m. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** What it is before the first step. */
  readonly first: First;
  /** The weight in the model's own sources. */
  readonly weight: { readonly source: string; readonly name: string; readonly type: TensorType };
}

/** A weight or state after the step. */
export interface StateOutput {
  readonly name: string;
  readonly tensor: TensorId;
}

/** What a step of training reads and makes. */
export interface Step {
  /** The public input that says which step it is, and how many there are. */
  readonly input: TensorId;
  readonly count: number;
  /** What weights and states are after the step: secret outputs, and their names in the commitment. */
  readonly outputs: readonly StateOutput[];
  /** Where the trained weights are read from in the training program. */
  readonly files: ReadonlyMap<TensorId, TensorFile>;
  readonly states: readonly StateTensor[];
}

/** The type of the norm of all gradients, where an optimizer asks for it. */
export const NORM: FixedType = { bits: 32, frac: 20 };

/**
 * The public input `step: index<K>` of a `train`; a diagnostic where there is none.
 */
export function stepInput(session: Session, frame: Frame, node: ast.Minimize): { input: TensorId; count: number } {
  const own = frame.scope.own('step');
  const tensor = own?.kind === 'tensor' ? session.tensors[own.tensor] : undefined;
  const { role, visibility, shape = [], type } = tensor ?? {};
  if (tensor !== undefined && role === 'input' && visibility === 'public' && shape.length === 0)
    if (type?.kind === 'index') return { input: tensor.id, count: type.size };
  return session.reporter.fail({
    code: 'ZKL526',
    span: own?.span ?? node.span,
    label: own === undefined ? 'nothing says which step it is' : '`step` is something else',
    help: '`public step: index<K>` in `train`, with K the number of steps of a run',
  });
}

/** The constants of an optimizer as `minimize` gives them: `step` counts from 0 in them, as the input does. */
export function constantSeries(
  session: Session,
  frame: Frame,
  node: ast.Minimize,
  optimizer: ast.Optimizer,
  steps: Steps,
): Map<ast.Parameter, Series> {
  const step = frame.scope.own('step')?.span ?? node.span;
  const numbers = new Map([['step', counting(steps, 0, step)]]);
  const matched = matchArguments(session, optimizer.name, constantsOf(optimizer), node);
  return new Map(
    [...matched].map(([param, { value }]) => [param, seriesOf(session, frame, steps, numbers, value, param.name.span)]),
  );
}

/**
 * Instantiates the optimizer of a `train` for every trained weight.
 *
 * @param frame of the statements of `train`
 * @param gradients for each trained weight a rounded tensor of its shape
 */
export function finishStep(
  session: Session,
  frame: Frame,
  node: ast.Minimize,
  gradients: ReadonlyMap<TensorId, TensorId>,
): Step {
  const binding = lookUp(session, frame.scope, node.by);
  if (binding.kind !== 'optimizer') throw new Error('internal error: an optimizer that was not checked');
  checkParameters(session.reporter, binding.node);
  const { input, count } = stepInput(session, frame, node);
  const steps = stepsOf(input, count);
  const constants = constantSeries(session, frame, node, binding.node, steps);
  const trained = trainedTensors(session, frame, node).map((weight) => {
    const gradient = gradients.get(weight.id);
    if (gradient === undefined) throw new Error(`internal error: ${weight.name} has no gradient`);
    return { weight, gradient };
  });
  const asked = givenTo(binding.node).norm !== undefined;
  const norm = asked
    ? normOf(
        session,
        node,
        trained.map(({ gradient }) => gradient),
      )
    : undefined;
  const given = { step: input, steps, constants, ...(norm === undefined ? {} : { norm }) };
  const parts = trained.map((one) => trainOne(session, node, binding, { ...one, ...given }));
  return {
    input,
    count,
    outputs: parts.flatMap(({ outputs }) => outputs),
    files: new Map(parts.map(({ weight, file }) => [weight, file])),
    states: parts.flatMap(({ states }) => states),
  };
}

interface Trained {
  readonly weight: Tensor;
  readonly gradient: TensorId;
  readonly norm?: TensorId;
  readonly step: TensorId;
  readonly steps: Steps;
  readonly constants: OptimizerCall['constants'];
}

interface Part {
  readonly weight: TensorId;
  readonly file: TensorFile;
  readonly outputs: readonly StateOutput[];
  readonly states: readonly StateTensor[];
}

function trainOne(session: Session, node: ast.Minimize, binding: OptimizerBinding, of: Trained): Part {
  const { weight, gradient, norm, step, steps, constants } = of;
  const { file, type, shape, span } = weight;
  if (file === undefined || type === undefined) throw new Error(`internal error: ${weight.name} is no weight`);
  // One that is stacked over files is refused before (`statements/train.ts`).
  const { source } = file;
  const [weightName] = file.names;
  const key = `${source}:${weightName}`;
  const nameOf = (state: string): string => `${state}:${weightName}`;
  const declare = (state: string): TensorFile => {
    const name = nameOf(state);
    claim(session, name, node);
    return { source: STATE, names: [name], stacked: 0 };
  };
  const own = declare('w');
  const updated = readOptimizer(session, binding, {
    path: [weight.name, binding.node.name.text],
    key,
    given: { weight: weight.id, gradient, step, ...(norm === undefined ? {} : { norm }) },
    sized: sizedBy(session, key, gradient, node),
    steps,
    constants,
    state: ({ name }, stateType) =>
      stateInput(
        session,
        `${weight.name}/${binding.node.name.text}/${name.text}`,
        shape,
        stateType,
        declare(name.text),
        name.span,
      ),
  });
  const outputs = updated.map((one) => ({
    name: nameOf(one.name),
    tensor: output(session, one, { ...weight, span }),
  }));
  const states = updated.map((one): StateTensor => ({
    name: nameOf(one.name),
    shape,
    type: one.type,
    first: one.first,
    weight: { source, name: weightName, type },
  }));
  return { weight: weight.id, file: own, outputs, states };
}

/** Two trained weights of one name would have one place. */
function claim(session: Session, name: string, node: ast.Minimize): void {
  const key = `${STATE}:${name}`;
  const before = session.weights.get(key);
  if (before === undefined) return void session.weights.set(key, node.span);
  return session.reporter.fail({
    code: 'ZKL208',
    about: { name },
    span: node.span,
    label: 'two trained weights have this name',
    help: 'weights of two sources are trained together only if their names differ',
  });
}

/**
 * What the types of states are made of. They stay what they are for a whole run: where scales were chosen anew, calibration
 * says under `SOURCE:NAME.state` which type the gradient had when the run began.
 */
function sizedBy(session: Session, key: string, gradient: TensorId, node: ast.Minimize): TensorType {
  const { type } = session.tensors[gradient];
  if (type === undefined) throw new Error('internal error: a gradient that is not rounded');
  const state = `${key}.state`;
  if (!Object.hasOwn(session.calibration, state)) return type;
  const { bits, frac } = session.calibration[state];
  return readFixed(session, node.by.span, bits, frac);
}

function stateInput(
  session: Session,
  name: string,
  shape: readonly number[],
  type: TensorType,
  file: TensorFile,
  span: Tensor['span'],
): TensorId {
  const given = { name, shape, scale: typeScale(type), range: typeRange(type), type, file, span };
  const { id } = addTensor(session, { ...given, visibility: 'secret', role: 'input' });
  session.statement.push(id);
  session.training.add(id);
  return id;
}

/** What a weight or state is after the step, as an output: a copy of what is something else besides. */
function output(session: Session, { name, after }: Updated, weight: Tensor): TensorId {
  const made = session.tensors[after];
  let id = after;
  if (made.role !== 'inner' || session.statement.includes(after)) {
    const indices = made.shape.map((size, k) => addVariable(session, `i${k}`, size));
    const target = { name: `${weight.name}/${name}'`, indices, visibility: 'hidden', role: 'inner' } as const;
    const p = factorPoly(entryFactor(after, indices));
    ({ id } = emit(session, { ...target, span: made.span, value: made.span }, { kind: 'polynomial', p }));
  }
  session.tensors[id] = { ...session.tensors[id], role: 'output', visibility: 'secret' };
  session.statement.push(id);
  session.training.add(id);
  return id;
}

/** The root of the sum of all squares of all gradients. */
function normOf(session: Session, node: ast.Minimize, gradients: readonly TensorId[]): TensorId {
  const hidden = { visibility: 'hidden', role: 'inner', span: node.span, value: node.span } as const;
  const squares = gradients.map((id) => {
    const over = session.tensors[id].shape.map((size, k) => addVariable(session, `i${k}`, size));
    const factor = { tensor: id, at: over.map(variable) };
    const [term] = factorPoly(factor);
    const p = [{ ...term, reduced: over, factors: [factor, factor] }];
    return emit(
      session,
      { ...hidden, name: `${session.tensors[id].name}/square`, indices: [] },
      { kind: 'polynomial', p },
    );
  });
  const p = squares.map(({ id }) => factorPoly({ tensor: id, at: [] })).reduce(addPoly, []);
  const type = { kind: 'fixed', ...NORM } as const;
  return emit(session, { ...hidden, name: 'norm', indices: [] }, { kind: 'round', of: { p, root: 'p' }, type }).id;
}
