/** `train { ... minimize LOSS over SOURCE by OPTIMIZER(...) }`: names, shapes, arguments, and the optimizer for each weight. */
import type * as ast from '../../../grammar/ast.ts';
import type { Rational, Tensor, TensorId } from '../../ir/tensor/program.ts';
import { matchArguments } from './blocks.ts';
import { constantNumber } from '../numbers/constants.ts';
import type { Frame, Session } from '../context.ts';
import { lookUp } from '../indices/values.ts';
import { attempt, didYouMean, formatShape } from '../report.ts';
import { Scope, describe, sourceKey, sourceNames } from '../names/scope.ts';
import { GIVEN, checkParameters } from './optimizers.ts';
import { tryOptimizer, trying } from './trials.ts';
import { differentiateLoss } from '../gradient/reverse.ts';

/** Checks a training step; the tensors its loss is made of. */
export function checkTrain(session: Session, model: Frame, node: ast.Train): TensorId[] {
  const scope = new Scope(model.scope);
  const frame: Frame = { ...model, scope, place: 'train', declared: new Map() };
  const mark = session.statement.length;
  const first = session.tensors.length;
  session.walk(frame, node.body);
  for (const id of session.statement.slice(mark)) session.training.add(id);
  const used: TensorId[] = session.tensors.slice(first).map((tensor) => tensor.id);
  for (const check of [checkLoss, checkWeights, checkOptimizer])
    attempt(session.reporter, node.minimize.span, () => {
      check(session, frame, node.minimize);
    });
  if (!session.reporter.failed) tryGradients(session, frame, node.minimize);
  return used;
}

/** Differentiates into a trial: what has no gradient is told whether or not anything is trained. */
function tryGradients(session: Session, frame: Frame, node: ast.Minimize): void {
  const loss = frame.scope.find(node.loss.text);
  if (loss?.kind !== 'tensor') return;
  const trained = trainedTensors(session, frame, node).map((tensor) => tensor.id);
  trying(session, node.span, (trial) => differentiateLoss(trial, loss.tensor, trained, node.span));
}

function checkLoss(session: Session, frame: Frame, node: ast.Minimize): void {
  const { reporter } = session;
  const binding = lookUp(session, frame.scope, node.loss);
  if (binding.kind !== 'tensor')
    return reporter.fail({
      code: 'ZKL206',
      about: { name: node.loss.text, kind: describe(binding) },
      span: node.loss.span,
      label: 'a loss is a scalar tensor',
    });
  const { shape } = session.tensors[binding.tensor];
  if (shape.length > 0)
    return reporter.fail({
      code: 'ZKL320',
      span: node.loss.span,
      label: `\`${node.loss.text}\` is ${formatShape(shape)}`,
    });
}

function checkWeights(session: Session, frame: Frame, node: ast.Minimize): void {
  const { reporter } = session;
  for (const { source, pattern, span } of node.over) {
    const binding = frame.scope.find(sourceKey(source.text), source.span);
    if (binding?.kind !== 'source') {
      const sources = sourceNames(frame.scope);
      return reporter.fail({
        code: 'ZKL211',
        about: { given: `\`${source.text}\`` },
        span: source.span,
        label: 'trained weights have one',
        help: `sources here: ${sources.map((s) => `\`${s}\``).join(', ')}`,
        ...didYouMean(source.text, source.span, sources),
      });
    }
    const names = session.tensors.filter((t) => t.file?.source === binding.source).flatMap((t) => t.file?.names ?? []);
    const matches = pattern === undefined ? names : names.filter((name) => matchesPattern(name, pattern.text));
    if (matches.length === 0) {
      const label = pattern === undefined ? 'the model reads nothing from it' : `none of ${names.length} names matches`;
      return reporter.fail({ code: 'ZKL240', span, label });
    }
  }
}

/** `*` stands for any text. */
function matchesPattern(name: string, pattern: string): boolean {
  const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`).test(name);
}

function checkOptimizer(session: Session, frame: Frame, node: ast.Minimize): void {
  const { reporter } = session;
  const binding = lookUp(session, frame.scope, node.by);
  if (binding.kind !== 'optimizer')
    return reporter.fail({
      code: 'ZKL206',
      about: { name: node.by.text, kind: describe(binding) },
      span: node.by.span,
      label: 'an optimizer is expected here',
    });
  const { params, name } = binding.node;
  checkParameters(reporter, binding.node);
  const matched = matchArguments(session, name, params.slice(GIVEN), node);
  const constants = new Map<ast.Parameter, Rational>();
  for (const [param, { value }] of matched) constants.set(param, constantNumber(session, frame, value));
  const step = frame.scope.own('step');
  const type = step?.kind === 'tensor' ? session.tensors[step.tensor].type : undefined;
  const steps = type?.kind === 'index' ? type.size : undefined;
  tryOptimizer(session, binding, trainedTensors(session, frame, node), { constants, steps, by: node.by.span });
}

/** The tensors of which a weight matches. */
function trainedTensors(session: Session, frame: Frame, node: ast.Minimize): Tensor[] {
  return session.tensors.filter(({ file }) =>
    node.over.some(({ source, pattern }) => {
      const binding = frame.scope.find(sourceKey(source.text));
      if (file === undefined || binding?.kind !== 'source' || binding.source !== file.source) return false;
      return pattern === undefined || file.names.some((name) => matchesPattern(name, pattern.text));
    }),
  );
}
