/** `train { ... minimize LOSS over SOURCE by OPTIMIZER(...) }`: names, shapes, arguments, and the optimizer for each weight. */
import type * as ast from '../../../grammar/ast.ts';
import type { TensorId } from '../../ir/tensor/program.ts';
import type { Frame, Session } from '../context.ts';
import { lookUp } from '../indices/values.ts';
import { attempt, didYouMean, formatShape } from '../report.ts';
import { Scope, describe, sourceKey, sourceNames } from '../names/scope.ts';
import { differentiateLoss } from '../gradient/reverse.ts';
import { checkParameters } from '../optimizers/parameters.ts';
import { stepsOf } from '../optimizers/schedule.ts';
import { constantSeries, finishStep, stepInput } from '../optimizers/step.ts';
import type { Step } from '../optimizers/step.ts';
import { matchesPattern, trainedTensors } from '../optimizers/trained.ts';
import { tryOptimizer } from './trials.ts';

export interface Trained {
  /** The tensors that the loss is made of. */
  readonly used: readonly TensorId[];
  /** Absent where something is wrong. */
  readonly step?: Step;
}

/** Reads a training step: its loss, the gradients, and the optimizer for every trained weight. */
export function readTrain(session: Session, model: Frame, node: ast.Train): Trained {
  const { reporter } = session;
  const scope = new Scope(model.scope);
  const frame: Frame = { ...model, scope, place: 'train', declared: new Map() };
  const mark = session.statement.length;
  const first = session.tensors.length;
  session.walk(frame, node.body);
  for (const id of session.statement.slice(mark)) session.training.add(id);
  const used: TensorId[] = session.tensors.slice(first).map((tensor) => tensor.id);
  const { minimize } = node;
  for (const check of [checkLoss, checkWeights, stepInput, checkOptimizer])
    attempt(reporter, minimize.span, () => {
      check(session, frame, minimize);
    });
  let step: Step | undefined;
  if (!reporter.failed)
    attempt(reporter, minimize.span, () => {
      step = finishStep(session, frame, minimize, gradientsOf(session, frame, minimize));
    });
  return { used, ...(step === undefined ? {} : { step }) };
}

function gradientsOf(session: Session, frame: Frame, node: ast.Minimize): Map<TensorId, TensorId> {
  const loss = lookUp(session, frame.scope, node.loss);
  if (loss.kind !== 'tensor') throw new Error('internal error: a loss that was not checked');
  const trained = trainedTensors(session, frame, node);
  const ids = trained.map((tensor) => tensor.id);
  const gradients = differentiateLoss(session, loss.tensor, ids, node.span);
  for (const { id, name, span } of trained)
    if (!gradients.has(id))
      return session.reporter.fail({
        code: 'ZKL520',
        span: node.span,
        label: `the loss does not depend on \`${name}\``,
        notes: [{ span, text: 'declared here' }],
        help: 'name the weights that it depends on: `over adapter "*.q_proj.*"`',
      });
  return gradients;
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
    const tensors = session.tensors.filter((t) => t.file?.source === binding.source);
    const names = tensors.flatMap((t) => t.file?.names ?? []);
    const matches = (name: string): boolean => pattern === undefined || matchesPattern(name, pattern.text);
    if (!names.some(matches)) {
      const label = pattern === undefined ? 'the model reads nothing from it' : `none of ${names.length} names matches`;
      return reporter.fail({ code: 'ZKL240', span, label });
    }
    for (const { file, span: declared, visibility } of tensors) {
      const chosen = (file?.names ?? []).filter(matches).length;
      if (chosen === 0) continue;
      const notes = [{ span: declared, text: 'declared here' }];
      if (visibility === 'open')
        return reporter.fail({ code: 'ZKL527', about: { source: source.text }, span, label: 'it is open', notes });
      if (chosen < (file?.names.length ?? 0))
        return reporter.fail({
          code: 'ZKL530',
          span,
          label: `it matches ${chosen} of ${file?.names.length ?? 0}`,
          notes,
        });
      if ((file?.stacked ?? 0) > 0)
        return reporter.fail({ code: 'ZKL531', span, label: 'it leaves a step under one name', notes });
    }
  }
}

/** Reads the optimizer for every shape and type among the trained tensors, whatever becomes of gradients. */
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
  checkParameters(reporter, binding.node);
  const constants = constantSeries(session, frame, node, binding.node, stepsOf(undefined, 1));
  tryOptimizer(session, binding, trainedTensors(session, frame, node), { constants, by: node.by.span });
}
