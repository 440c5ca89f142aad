/**
 * Derivatives and optimizers, whether anything is trained or not: they are read into tensors that are thrown away, so that
 * what is wrong with them is told as for any equation. Nothing here changes the program.
 */
import type * as ast from '../../../grammar/ast.ts';
import type { Code } from '../../../grammar/codes/index.ts';
import { powerOfTwo } from '../../ir/numbers/rational.ts';
import type { Rational, Tensor } from '../../ir/tensor/program.ts';
import { formatType } from '../context.ts';
import type { CallRecord, Session } from '../context.ts';
import { calibrated } from '../equations/meanings.ts';
import { gradientKey } from '../names/paths.ts';
import type { OptimizerBinding } from '../names/scope.ts';
import { Abort, Reporter, attempt } from '../report.ts';
import type { Span } from '../../../grammar/span.ts';
import { hasSignature } from '../names/syntax.ts';
import { cotangentsOf, readDerivative } from './derivatives.ts';
import { GIVEN, checkParameters, readOptimizer } from './optimizers.ts';
import type { OptimizerCall } from './optimizers.ts';
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

/** More steps than a run has, where no `train` says how many. */
const MAX_STEPS = 2 ** 20;

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

/** Reads something into a trial; what is wrong with it is told. */
export function trying(session: Session, span: Span, read: (trial: Session) => void): void {
  const trial = trialOf(session, new Reporter());
  tryOut(trial, span, () => {
    read(trial);
  });
  session.reporter.merge(trial.reporter, trial.uncalibrated.length + session.uncalibrated.length > 0 ? OF_TYPES : []);
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
  /** As many steps as a run has, if it says so. */
  readonly steps?: number | undefined;
  readonly by: Span;
}

/** Reads the optimizer of a `train` for every shape and type among the trained tensors. */
export function tryOptimizer(
  session: Session,
  optimizer: OptimizerBinding,
  trained: readonly Tensor[],
  { constants, steps = MAX_STEPS, by }: Chosen,
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
      readOptimizer(trial, optimizer, { name, shape, weight: type, gradient, steps, constants });
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
  // All different, and none 0, 1 or large: `1 - beta ^ step` may stand under a line.
  const constants = new Map(
    node.params.slice(GIVEN).map((param, k): [ast.Parameter, Rational] => [param, powerOfTwo(-1 - k)]),
  );
  tryOut(trial, node.span, () => {
    checkParameters(trial.reporter, node);
    const [weight] = node.params;
    const axes = weight.kind === 'tensor' && weight.axes.length > 0 ? weight.axes.length : 2;
    readOptimizer(trial, optimizer, {
      name: node.name.text,
      shape: Array.from({ length: axes }, (_, k) => 2 + k),
      weight: fixed,
      gradient: fixed,
      steps: MAX_STEPS,
      constants,
    });
  });
  reporter.merge(trial.reporter, OF_CONSTANTS);
}
