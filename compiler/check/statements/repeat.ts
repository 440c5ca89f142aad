/** `repeat l: L at "..." { ... }`: the body once for every value of the index, with values carried by primes. */
import type * as ast from '../../../grammar/ast.ts';
import { MAX_STATEMENTS } from '../context.ts';
import type { Declared, Frame, Session } from '../context.ts';
import { lookUp, staticLength } from '../indices/values.ts';
import { extendAt } from '../names/paths.ts';
import { Abort, Halt } from '../report.ts';
import { Scope, describe } from '../names/scope.ts';

export function repeatStatements(session: Session, frame: Frame, node: ast.Repeat): void {
  const { reporter } = session;
  const count = staticLength(session, frame.scope, node.count);
  if (count > MAX_STATEMENTS)
    return reporter.fail({
      code: 'ZKL329',
      about: { most: MAX_STATEMENTS },
      span: node.count.span,
      label: `${count} here`,
    });
  const least = count * statementsOf(frame, node.body);
  if (session.statements + least > MAX_STATEMENTS) {
    const label = `${least} here, every iteration counted`;
    reporter.report({ code: 'ZKL330', about: { most: MAX_STATEMENTS }, span: node.span, label });
    throw new Abort('too many statements');
  }
  const before = frame.scope.find(node.index.text);
  if (before !== undefined)
    return reporter.fail({
      code: 'ZKL222',
      about: { name: node.index.text },
      span: node.index.span,
      label: 'an index is a fresh name',
      notes: [{ span: before.span, text: 'defined here' }],
    });
  const carried = carriedNames(session, frame, node);
  // Between the scope around and that of an iteration: the values carried so far.
  const loop = new Scope(frame.scope);
  for (let step = 0; step < count; step++) {
    const scope = new Scope(loop);
    scope.set(node.index.text, { kind: 'counter', value: step, span: node.index.span });
    const declared = new Map<string, Declared>();
    for (const name of carried) declared.set(`${name.text}'`, carriedType(session, loop, name, node));
    const inner: Frame = {
      ...extendAt(session, frame, scope, node.at),
      scope,
      path: [...frame.path, `${node.index.text}[${step}]`],
      place: frame.place === 'model' || frame.place === 'train' ? 'repeat' : frame.place,
      declared,
    };
    session.walk(inner, node.body);
    for (const name of carried) {
      const next = scope.own(`${name.text}'`);
      if (next !== undefined) loop.set(name.text, next);
    }
  }
  for (const name of carried) {
    const last = loop.own(name.text);
    if (last !== undefined) frame.scope.set(name.text, last);
  }
}

/** At least how many statements a body stands for, before any is read. */
function statementsOf(frame: Frame, body: readonly ast.Statement[]): number {
  return body.reduce((n, statement) => {
    if (statement.kind !== 'repeat') return n + 1;
    const { count } = statement;
    const binding = count.kind === 'reference' ? frame.scope.find(count.name.text) : undefined;
    const times = count.kind === 'number' ? Number(count.text) : binding?.kind === 'dim' ? binding.value : 1;
    return n + times * statementsOf(frame, statement.body);
  }, 0);
}

/** The names defined with a prime in the body, without it. */
function carriedNames(session: Session, frame: Frame, node: ast.Repeat): ast.Name[] {
  const { reporter } = session;
  return node.body.flatMap((statement) => {
    if (statement.kind !== 'define' || !statement.name.text.endsWith("'")) return [];
    const { text, span } = statement.name;
    const name: ast.Name = { text: text.slice(0, -1), span };
    const binding = frame.scope.find(name.text);
    if (binding === undefined)
      return reporter.fail({
        code: 'ZKL221',
        about: { name: name.text },
        span,
        label: `\`${text}\` is the next one`,
        help: `define \`${name.text}\` before the repeat`,
      });
    if (binding.kind === 'poison') throw new Halt(name.text);
    if (binding.kind !== 'tensor')
      return reporter.fail({
        code: 'ZKL206',
        about: { name: name.text, kind: describe(binding) },
        span,
        label: 'only tensors are carried',
      });
    return [name];
  });
}

/**
 * A carried name keeps the shape and the type it has before the first step. Where calibration gave that type and the
 * iterations have paths of their own, it gives each iteration a scale of its own: a residual stream that grows from layer
 * to layer is as fine as it can be in each.
 */
function carriedType(session: Session, loop: Scope, name: ast.Name, node: ast.Repeat): Declared {
  const binding = lookUp(session, loop, name);
  const tensor = binding.kind === 'tensor' ? session.tensors[binding.tensor] : undefined;
  if (tensor?.type === undefined)
    return session.reporter.fail({
      code: 'ZKL411',
      about: { name: name.text },
      span: name.span,
      label: 'a carried value has one type for all steps',
      notes: [{ span: binding.span, text: 'its first value, which is not rounded' }],
      help: 'round it before the repeat',
    });
  const { shape, type, key } = tensor;
  const own = key !== undefined && node.at?.text.includes(`{${node.index.text}`) === true;
  const given = key === undefined ? {} : { key };
  return { shape, type, ...given, carried: own ? 'width' : 'type', span: binding.span };
}
