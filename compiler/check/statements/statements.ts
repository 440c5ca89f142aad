/** Walks statements: each is read on its own, and one that is wrong poisons only the names it would have defined. */
import type * as ast from '../../../grammar/ast.ts';
import type { Rational } from '../../ir/tensor/program.ts';
import { formatRational } from '../../ir/numbers/rational.ts';
import { defineConstant } from '../numbers/constants.ts';
import { MAX_ENTRIES, MAX_STATEMENTS, describePlace } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { definePublic } from '../optimizers/schedule.ts';
import { defineTensor } from '../equations/equations.ts';
import { staticLength } from '../indices/values.ts';
import { defining } from './defining.ts';
import { declareInput } from './inputs.ts';
import { repeatStatements } from './repeat.ts';
import { Abort, attempt } from '../report.ts';
import { sourceKey } from '../names/scope.ts';

export function walkStatements(session: Session, frame: Frame, statements: readonly ast.Statement[]): void {
  for (const statement of statements) {
    if (++session.statements > MAX_STATEMENTS) {
      const label = 'calls and every iteration of a `repeat` count';
      session.reporter.report({ code: 'ZKL330', about: { most: MAX_STATEMENTS }, span: statement.span, label });
      throw new Abort('too many statements');
    }
    walkStatement(session, frame, statement);
  }
}

function walkStatement(session: Session, frame: Frame, node: ast.Statement): void {
  const { reporter } = session;
  const { scope } = frame;
  switch (node.kind) {
    case 'dims':
      for (const dim of node.dims)
        defining(session, frame, dim.name, dim.span, () => {
          const given = session.override(frame, dim.name, dim.value.kind === 'number');
          const value =
            given === undefined ? staticLength(session, scope, dim.value) : givenLength(session, dim.name, given);
          scope.set(dim.name.text, { kind: 'dim', value, span: dim.name.span });
        });
      return;
    case 'sources':
      for (const name of node.names)
        attempt(session.reporter, name.span, () => {
          if (scope.find(sourceKey(name.text)) !== undefined)
            return reporter.fail({ code: 'ZKL224', about: { name: name.text }, span: name.span, label: 'the second' });

          if (frame.place !== 'model')
            return reporter.fail({
              code: 'ZKL235',
              span: node.span,
              label: 'sources are declared in the model',
              help: 'a block takes one as a parameter: `source a = adapter`',
            });
          scope.set(sourceKey(name.text), { kind: 'source', source: name.text, span: name.span });
          if (node.isState) session.stateSources.add(name.text);
        });
      return;
    case 'consts':
      for (const definition of node.definitions)
        defining(session, frame, definition.name, definition.span, () => {
          const literal = definition.axes.length === 0 && isLiteral(definition.value);
          const value = session.override(frame, definition.name, literal);
          if (value === undefined) defineConstant(session, frame, definition);
          else scope.set(definition.name.text, { kind: 'const', value, span: definition.name.span });
        });
      return;
    case 'repeat':
      attempt(session.reporter, node.span, () => {
        repeatStatements(session, frame, node);
      });
      return;
    case 'input':
      defining(session, frame, node.name, node.span, () => {
        declareInput(session, frame, node);
      });
      return;
    case 'output':
      defining(session, frame, node.name, node.span, () => {
        defineOutput(session, frame, node);
      });
      return;
    case 'define':
      defining(session, frame, node.name, node.span, () => {
        define(session, frame, node);
      });
      return;
  }
}

function givenLength(session: Session, name: ast.Name, given: Rational): number {
  if (given.den === 1n && given.num >= 1n && given.num <= BigInt(MAX_ENTRIES)) return Number(given.num);
  return session.reporter.fail({
    code: 'ZKL217',
    about: { name: name.text, value: formatRational(given) },
    span: name.span,
    label: 'a length is at least 1',
  });
}

const isLiteral = (node: ast.Value): boolean =>
  node.kind === 'number' || (node.kind === 'negate' && node.operand.kind === 'number');

function define(session: Session, frame: Frame, node: ast.Define): void {
  const name = node.name.text;
  if (name.endsWith("'") && !frame.declared.has(name))
    return session.reporter.fail({ code: 'ZKL236', span: node.name.span, label: `\`${name}\` is carried to nothing` });
  const mark = session.tensors.length;
  const tensor = defineTensor(session, frame, {
    name,
    axes: node.axes,
    value: node.value,
    visibility: 'hidden',
    role: 'inner',
    span: node.name.span,
  });
  // Another name for what was there before is not a definition of its own.
  if (tensor >= mark) session.named.set(tensor, node.name.span);
  frame.scope.set(name, { kind: 'tensor', tensor, span: node.name.span });
}

function defineOutput(session: Session, frame: Frame, node: ast.Output): void {
  const { reporter } = session;
  const name = node.name.text;
  const computed = frame.schedule !== undefined && node.visibility === 'public';
  if (frame.place !== 'model' && frame.place !== 'train' && !computed)
    return reporter.fail({
      code: 'ZKL237',
      about: { place: describePlace(frame.place) },
      span: node.span,
      label: 'only a model has outputs',
    });

  if (node.visibility === 'open')
    return reporter.fail({ code: 'ZKL238', span: node.span, label: 'an output is `public` or `secret`' });

  if (name.endsWith("'"))
    return reporter.fail({
      code: 'ZKL239',
      about: { what: 'an output' },
      span: node.name.span,
      label: 'primes are for values carried by `repeat`',
    });
  if (computed) return definePublic(session, frame, node);
  const tensor = defineTensor(session, frame, {
    name,
    axes: node.axes,
    value: node.value,
    visibility: node.visibility,
    role: 'output',
    span: node.name.span,
  });
  session.statement.push(tensor);
  frame.scope.set(name, { kind: 'tensor', tensor, span: node.name.span });
}
