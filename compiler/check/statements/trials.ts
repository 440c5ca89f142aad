/**
 * Derivatives and optimizers, whether anything is trained or not: they are read into tensors that are thrown away, so that
 * what is wrong with them is told as for any equation. Nothing here changes the program.
 */
import type * as ast from '../../../grammar/ast.ts';
import type { Code } from '../../../grammar/codes/index.ts';
import { powerOfTwo } from '../../ir/numbers/rational.ts';
import type { Tensor, TensorId, TensorType } from '../../ir/tensor/program.ts';
import { addTensor, formatType, typeRange } from '../context.ts';
import type { CallRecord, Session } from '../context.ts';
import { typeScale } from '../equations/emit.ts';
import { calibrated } from '../equations/meanings.ts';
import { gradientKey } from '../names/paths.ts';
import type { OptimizerBinding } from '../names/scope.ts';
import { readOptimizer } from '../optimizers/optimizer.ts';
import type { OptimizerCall } from '../optimizers/optimizer.ts';
import { checkParameters, constantsOf, givenTo } from '../optimizers/parameters.ts';
import { stepsOf } from '../optimizers/schedule.ts';
import type { Series } from '../optimizers/schedule.ts';
import { NORM } from '../optimizers/step.ts';
import { Abort, Reporter, attempt } from '../report.ts';
import type { Span } from '../../../grammar/span.ts';
import { hasSignature } from '../names/syntax.ts';
import { cotangentsOf, readDerivative } from './derivatives.ts';
import { newSession, trialOf } from './session.ts';

/**
 * What hangs on how large and how fine numbers are: not told where a type was assumed that calibration has yet to give, or
 * a constant that a `train` has yet to give.
 */
const OF_TYPES: readonly Code[] = [
  'ZKL406',
  'ZKL428',
  'ZKL407',
  'ZKL429',
  'ZKL430',
  'ZKL409',
  'ZKL414',
  'ZKL436',
  'ZKL437',
  'ZKL438',
  'ZKL439',
  'ZKL415',
];
const OF_CONSTANTS: readonly Code[] = ['ZKL402', 'ZKL417', 'ZKL418', ...OF_TYPES];

/**
 * Reads every derivative of the blocks that were called, once for each block and what its shapes and constants are: equal
 * layers differ in scales alone, which are checked one by one where a program is made of a derivative.
 */
export function tryDerivatives(session: Session): void {
  const seen = new Map<ast.Block, Set<string>>();
  for (const call of session.calls) {
    const { block, spans } = call;
    const { derivative } = block;
    // A derivative of another signature is told by its text alone.
    if (derivative === undefined || !hasSignature(block, derivative)) continue;
    const known = seen.get(block) ?? new Set();
    seen.set(block, known);
    const key = instanceKey(session, call);
    if (known.has(key)) continue;
    known.add(key);
    const trial = trialOf(session, new Reporter(spans));
    tryOut(trial, derivative.span, () => {
      readDerivative(trial, call, derivative, cotangentsOf(trial, call, derivative));
    });
    const assumed = trial.uncalibrated.length + session.uncalibrated.length > 0;
    session.reporter.merge(trial.reporter, assumed ? OF_TYPES : []);
  }
}

/** What ends a trial ends nothing else. */
function tryOut({ reporter }: Session, span: Span, read: () => void): void {
  try {
    attempt(reporter, span, read);
  } catch (error) {
    if (!(error instanceof Abort)) throw error;
  }
}

/** What the statements of a block depend on, but for scales. */
function instanceKey(session: Session, { frame, arguments: given }: CallRecord): string {
  const constants = [...frame.scope.entries()].flatMap(([name, b]) =>
    b.kind === 'dim' ? [`${name}=${b.value}`] : b.kind === 'const' ? [`${name}=${b.value.num}/${b.value.den}`] : [],
  );
  const shapes = [...given.values()].map((id) => {
    const { shape, type } = session.tensors[id];
    return `[${shape.join()}]${type?.kind === 'index' ? formatType(type) : ''}`;
  });
  return [...constants, ...shapes].join(' ');
}

/** What a `train` says of its optimizer. */
export interface Chosen {
  readonly constants: OptimizerCall['constants'];
  readonly by: Span;
}

/** Reads the optimizer of a `train`, at the first step, for every shape and type among the trained tensors. */
export function tryOptimizer(
  session: Session,
  optimizer: OptimizerBinding,
  trained: readonly Tensor[],
  { constants, by }: Chosen,
): void {
  const seen = new Set<string>();
  for (const { name, shape, type, file } of trained) {
    if (type === undefined || file === undefined) continue;
    const key = `${shape.join()} ${formatType(type)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const trial = trialOf(session, new Reporter([by]));
    tryOut(trial, optimizer.node.span, () => {
      const given = calibrated(trial, gradientKey(`${file.source}:${file.names[0]}`), name, by);
      const gradient = { kind: 'fixed', ...given } as const;
      readAlone(trial, optimizer, { name, shape, weight: type, gradient, constants });
    });
    session.reporter.merge(trial.reporter, trial.uncalibrated.length > 0 ? OF_TYPES : []);
  }
}

/**
 * Reads an optimizer that no `train` of its file uses, for a weight [2, 3] of `fixed<16, 14>`, as those of adapters are:
 * what it says holds for any shape, or for the number of axes that its weight is written with.
 */
export function tryUnused(reporter: Reporter, optimizer: OptimizerBinding): void {
  const { node } = optimizer;
  const trial = newSession(new Reporter(), {}, () => undefined);
  const fixed = { kind: 'fixed', bits: 16, frac: 14 } as const;
  tryOut(trial, node.span, () => {
    checkParameters(trial.reporter, node);
    // All different, and none 0, 1 or large: `1 - beta ^ step` may stand under a line.
    const constants = new Map(
      constantsOf(node).map((param, k): [ast.Parameter, Series] => [
        param,
        { values: [powerOfTwo(-1 - k)], varies: false, span: param.name.span },
      ]),
    );
    const { axes } = givenTo(node).weight;
    const shape = Array.from({ length: axes.length > 0 ? axes.length : 2 }, (_, k) => 2 + k);
    readAlone(trial, optimizer, { name: node.name.text, shape, weight: fixed, gradient: fixed, constants });
  });
  reporter.merge(trial.reporter, OF_CONSTANTS);
}

interface Alone {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weight: TensorType;
  readonly gradient: TensorType;
  readonly constants: OptimizerCall['constants'];
}

/** Reads an optimizer at the first step, of tensors that nothing gives. */
function readAlone(trial: Session, optimizer: OptimizerBinding, of: Alone): void {
  const { weight, gradient, step, norm } = givenTo(optimizer.node);
  const add = ({ span }: ast.Name, shape: readonly number[], type: TensorType): TensorId => {
    const name = `${of.name}/${optimizer.node.name.text}`;
    const made = { name, shape, scale: typeScale(type), range: typeRange(type), type, span } as const;
    return addTensor(trial, { ...made, visibility: 'hidden', role: 'inner' }).id;
  };
  readOptimizer(trial, optimizer, {
    path: [of.name, optimizer.node.name.text],
    key: of.name,
    given: {
      weight: add(weight.name, of.shape, of.weight),
      gradient: add(gradient.name, of.shape, of.gradient),
      step: add(step.name, [], { kind: 'index', size: 1 }),
      ...(norm === undefined ? {} : { norm: add(norm.name, [], { kind: 'fixed', ...NORM }) }),
    },
    sized: of.gradient,
    steps: stepsOf(undefined, 1),
    constants: of.constants,
    state: (state, type) => add(state.name, of.shape, type),
  });
}
