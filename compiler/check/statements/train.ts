/** `train { ... minimize LOSS over SOURCE by OPTIMIZER(...) }`: names, shapes and arguments; what it derives is later work. */
import type * as ast from '../../../grammar/ast.ts';
import type { TensorId } from '../../ir/tensor/program.ts';
import { matchArguments } from './blocks.ts';
import { constantNumber } from '../numbers/constants.ts';
import type { Frame, Session } from '../context.ts';
import { lookUp } from '../indices/values.ts';
import { attempt, didYouMean, formatShape } from '../report.ts';
import { Scope, describe, sourceKey, sourceNames } from '../names/scope.ts';

/** Parameters that the training step gives an optimizer: the weight, its gradient, the number of the step. */
const GIVEN = 3;

/** Checks a training step; the tensors its loss is made of. */
export function checkTrain(session: Session, model: Frame, node: ast.Train): TensorId[] {
  const scope = new Scope(model.scope);
  const frame: Frame = { ...model, scope, place: 'train', declared: new Map() };
  const mark = session.statement.length;
  const first = session.tensors.length;
  session.walk(frame, node.body);
  for (const id of session.statement.slice(mark)) session.training.add(id);
  const used: TensorId[] = session.tensors.slice(first).map((tensor) => tensor.id);
  for (const check of [checkLoss, checkWeights, checkOptimizer]) {
    attempt(session.reporter, node.minimize.span, () => {
      check(session, frame, node.minimize);
    });
  }
  return used;
}

function checkLoss(session: Session, frame: Frame, node: ast.Minimize): void {
  const { reporter } = session;
  const binding = lookUp(session, frame.scope, node.loss);
  if (binding.kind !== 'tensor') {
    return reporter.fail(
      'ZKL206',
      node.loss.span,
      `\`${node.loss.text}\` is ${describe(binding)}`,
      'a loss is a scalar tensor',
    );
  }
  const { shape } = session.tensors[binding.tensor];
  if (shape.length > 0) {
    return reporter.fail(
      'ZKL306',
      node.loss.span,
      'a loss is a scalar',
      `\`${node.loss.text}\` is ${formatShape(shape)}`,
    );
  }
}

function checkWeights(session: Session, frame: Frame, node: ast.Minimize): void {
  const { reporter } = session;
  for (const { source, pattern, span } of node.over) {
    const binding = frame.scope.find(sourceKey(source.text), source.span);
    if (binding?.kind !== 'source') {
      const sources = sourceNames(frame.scope);
      return reporter.fail(
        'ZKL211',
        source.span,
        `\`${source.text}\` is not a source of weights`,
        'trained weights have one',
        {
          help: `sources here: ${sources.map((s) => `\`${s}\``).join(', ')}`,
          ...didYouMean(source.text, source.span, sources),
        },
      );
    }
    const names = session.tensors.filter((t) => t.file?.source === binding.source).flatMap((t) => t.file?.names ?? []);
    const matches = pattern === undefined ? names : names.filter((name) => matchesPattern(name, pattern.text));
    if (matches.length === 0) {
      const label =
        pattern === undefined ? 'the model reads nothing from it' : `none of ${String(names.length)} names matches`;
      return reporter.fail('ZKL211', span, 'nothing to train', label);
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
  if (binding.kind !== 'optimizer') {
    return reporter.fail(
      'ZKL206',
      node.by.span,
      `\`${node.by.text}\` is ${describe(binding)}`,
      'an optimizer is expected here',
    );
  }
  const { params, name } = binding.node;
  if (
    params.slice(0, GIVEN).some((p) => p.kind !== 'tensor') ||
    params.slice(GIVEN).some((p) => p.kind !== 'const-parameter')
  ) {
    return reporter.fail('ZKL207', name.span, 'parameters of an optimizer', 'weight, gradient, step, then constants', {
      help: '`optimizer sgd(w, g, step, const rate)`',
    });
  }
  const matched = matchArguments(session, name, params.slice(GIVEN), node);
  for (const argument of matched.values()) constantNumber(session, frame, argument.value);
}
