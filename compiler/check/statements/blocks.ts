/** Block calls: a block is a template, read anew for every call with its dimensions, constants and tensors. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Rational, TensorId } from '../../ir/tensor/program.ts';
import { formatType, sameType } from '../context.ts';
import type { Declared, Frame, Instance, Session } from '../context.ts';
import { constantNumber } from '../numbers/constants.ts';
import { wholeTensor } from '../equations/equations.ts';
import { lookUp, plainAxis, readType, staticIndex, staticLength } from '../indices/values.ts';
import { extendAt } from '../names/paths.ts';
import { didYouMean, formatShape } from '../report.ts';
import type { BlockBinding } from '../names/scope.ts';
import { Scope, describe, sourceKey, sourceNames } from '../names/scope.ts';

/** Blocks may call blocks this deep. */
const MAX_DEPTH = 64;

/** Reads a block for one call; the tensor of its result. */
export function instantiate(
  session: Session,
  caller: Frame,
  call: ast.Call,
  block: BlockBinding,
  instance: Instance,
): TensorId {
  const { reporter } = session;
  const { node } = block;
  const [result] = node.results;
  if (node.results.length !== 1)
    return reporter.fail({
      code: 'ZKL225',
      about: { name: node.name.text, count: node.results.length },
      span: call.span,
      label: 'a call gives one',
      notes: [{ span: node.name.span, text: 'defined here' }],
    });

  if (session.open.length >= MAX_DEPTH)
    return reporter.fail({
      code: 'ZKL243',
      about: { depth: MAX_DEPTH },
      span: call.span,
      label: 'there may be no end to this',
    });

  if (session.open.includes(node))
    return reporter.fail({
      code: 'ZKL214',
      about: { name: node.name.text },
      span: call.span,
      label: 'there is no end to this',
      notes: [{ span: node.name.span, text: 'defined here' }],
    });
  let { name, path } = instance;
  for (let n = 2; session.instances.has(path); n++) {
    name = `${instance.name}.${n}`;
    path = `${instance.path}.${n}`;
  }
  session.instances.add(path);

  const scope = new Scope(block.scope);
  const at = extendAt(session, caller, caller.scope, call.at);
  bindDims(session, caller, call, node, scope);
  const tensors = bindArguments(session, at, call, node, scope, { ...instance, path });

  reporter.calls.push(call.span);
  session.open.push(node);
  try {
    inferDims(session, scope, tensors);
    const declared = new Map<string, Declared>();
    const shape = result.axes.map((axis) => staticLength(session, scope, plainAxis(session, axis)));
    const type = result.type === undefined ? undefined : readType(session, scope, result.type);
    declared.set(result.name.text, { shape, name, span: result.span, ...(type === undefined ? {} : { type }) });
    const { gradient = false } = caller;
    const frame: Frame = { scope, path: [path], at: at.at, keys: instance.key, place: 'block', gradient, declared };
    const from = session.equations.length;
    session.walk(frame, node.body);
    const made = resultOf(session, scope, result.name, result.span, 'a block');
    const equations = { from, to: session.equations.length };
    session.calls.push({
      block: node,
      frame,
      arguments: tensors,
      results: [made],
      equations,
      spans: [...reporter.calls],
    });
    return made;
  } finally {
    session.open.pop();
    reporter.calls.pop();
  }
}

/** The tensor that the statements of `owner` have defined as its result. */
export function resultOf(session: Session, scope: Scope, name: ast.Name, span: Span, owner: string): TensorId {
  const { reporter } = session;
  if (scope.own(name.text) === undefined)
    return reporter.fail({ code: 'ZKL215', about: { name: name.text }, span, label: `${owner} defines its result` });
  const bound = lookUp(session, scope, name);
  if (bound.kind === 'tensor') return bound.tensor;
  return reporter.fail({
    code: 'ZKL206',
    about: { name: name.text, kind: describe(bound) },
    span: bound.span,
    label: `${owner} results in a tensor`,
  });
}

function bindDims(session: Session, caller: Frame, call: ast.Call, node: ast.Block, scope: Scope): void {
  const { reporter } = session;
  const names = node.dims.map((d) => d.text);
  const defined = [{ span: node.name.span, text: 'defined here' }];
  let position = 0;
  for (const argument of call.dims) {
    const name = argument.name?.text ?? names[position++];
    if (name === undefined || !names.includes(name)) {
      const help = argument.name === undefined ? {} : didYouMean(argument.name.text, argument.name.span, names);
      return reporter.fail({
        code: 'ZKL226',
        span: argument.span,
        label: `\`${node.name.text}\` takes <${names.join(', ')}>`,
        notes: defined,
        ...help,
      });
    }
    if (scope.own(name) !== undefined)
      return reporter.fail({
        code: 'ZKL227',
        about: { name },
        span: argument.span,
        label: 'again here',
        notes: defined,
      });
    const value = staticLength(session, caller.scope, argument.value);
    const definition = node.dims.find((dim) => dim.text === name)?.span;
    scope.set(name, { kind: 'dim', value, span: argument.span }, definition);
    if (argument.name !== undefined) scope.find(name, argument.name.span);
  }
  const missing = names.filter((name) => scope.own(name) === undefined);
  if (missing.length > 0)
    return reporter.fail({
      code: 'ZKL228',
      about: { name: node.name.text, missing: missing.map((n) => `\`${n}\``).join(', ') },
      span: call.span,
      label: 'not given',
      notes: defined,
      help: `write \`${node.name.text}<${names.join(', ')}>(...)\``,
    });
}

/** Arguments in the order of the parameters. */
export function matchArguments(
  session: Session,
  name: ast.Name,
  params: readonly ast.Parameter[],
  call: { readonly arguments: readonly ast.Argument[]; readonly span: ast.Call['span'] },
): Map<ast.Parameter, ast.Argument> {
  const { reporter } = session;
  const notes = [{ span: name.span, text: `\`${name.text}\` is defined here` }];
  const matched = new Map<ast.Parameter, ast.Argument>();
  let position = 0;
  for (const argument of call.arguments) {
    const param: ast.Parameter | undefined =
      argument.name === undefined ? params[position++] : params.find((p) => p.name.text === argument.name?.text);
    if (param === undefined) {
      const { span } = argument;
      const label = `\`${name.text}\` has no place for it`;
      if (argument.name === undefined) return reporter.fail({ code: 'ZKL229', span, label, notes });
      const { text } = argument.name;
      const names = params.map((p) => p.name.text);
      const near = didYouMean(text, argument.name.span, names);
      return reporter.fail({ code: 'ZKL230', about: { name: text }, span, label, notes, ...near });
    }
    if (matched.has(param))
      return reporter.fail({
        code: 'ZKL227',
        about: { name: param.name.text },
        span: argument.span,
        label: 'again here',
        notes,
      });
    matched.set(param, argument);
  }
  for (const param of params) {
    if (matched.has(param) || (param.kind === 'source-parameter' && param.default !== undefined)) continue;
    return reporter.fail({
      code: 'ZKL228',
      about: { name: name.text, missing: `\`${param.name.text}\`` },
      span: call.span,
      label: 'not given',
      notes,
    });
  }
  return matched;
}

function bindArguments(
  session: Session,
  caller: Frame,
  call: ast.Call,
  node: ast.Block,
  scope: Scope,
  instance: Instance,
): Map<ast.Tensor, TensorId> {
  const { reporter } = session;
  const matched = matchArguments(session, node.name, node.params, call);
  const tensors = new Map<ast.Tensor, TensorId>();
  for (const param of node.params) {
    const argument = matched.get(param);
    const { text } = param.name;
    const { span } = argument ?? param;
    if (scope.own(text) !== undefined)
      return reporter.fail({ code: 'ZKL202', about: { name: text }, span: param.name.span, label: 'the second' });
    if (param.kind === 'const-parameter' && argument !== undefined) {
      const value: Rational = constantNumber(session, caller, argument.value);
      scope.set(text, { kind: 'const', value, span }, param.name.span);
    } else if (param.kind === 'source-parameter') bindSource(session, caller, scope, param, argument);
    else if (param.kind === 'tensor' && argument !== undefined) {
      const tensor = wholeTensor(
        session,
        caller,
        argument.value,
        `${instance.path}/${text}`,
        [...instance.key.slice(caller.keys.length), text].join('/'),
      );
      tensors.set(param, tensor);
      scope.set(text, { kind: 'tensor', tensor, span }, param.name.span);
    }
    const key = param.kind === 'source-parameter' ? sourceKey(text) : text;
    if (argument?.name !== undefined) scope.find(key, argument.name.span);
  }
  return tensors;
}

function bindSource(
  session: Session,
  caller: Frame,
  scope: Scope,
  param: ast.SourceParameter,
  argument: ast.Argument | undefined,
): void {
  const given = argument?.value.kind === 'reference' ? argument.value.name : undefined;
  const name = argument === undefined ? param.default : given;
  const found = name && (argument === undefined ? scope : caller.scope).find(sourceKey(name.text), name.span);
  const { span } = argument ?? param;
  if (found?.kind !== 'source') {
    const sources = sourceNames(caller.scope);
    return session.reporter.fail({
      code: 'ZKL211',
      about: { given: name === undefined ? 'this' : `\`${name.text}\`` },
      span,
      label: `\`${param.name.text}\` is one`,
      help: `sources here: ${sources.map((s) => `\`${s}\``).join(', ')}`,
      ...(name === undefined ? {} : didYouMean(name.text, name.span, sources)),
    });
  }
  scope.set(sourceKey(param.name.text), { ...found, span }, param.name.span);
}

/** Dimensions that stand bare in a tensor parameter have the length given there; the rest of the shape has to agree. */
export function inferDims(session: Session, scope: Scope, tensors: ReadonlyMap<ast.Tensor, TensorId>): void {
  const { reporter } = session;
  for (const [param, id] of tensors) {
    const { shape } = session.tensors[id];
    if (shape.length !== param.axes.length)
      return reporter.fail({
        code: 'ZKL319',
        about: { name: param.name.text },
        span: param.span,
        label: `it is given ${formatShape(shape)}`,
      });
    for (const [k, axis] of param.axes.entries()) {
      if (axis.index.kind !== 'reference') continue;
      const { text } = axis.index.name;
      // The parameters of a derivative stand where those of its block are known.
      if (scope.own(text) !== undefined || ['dim', 'const'].includes(scope.find(text)?.kind ?? '')) continue;
      scope.set(text, { kind: 'dim', value: shape[k], span: axis.span });
    }
  }
  for (const [param, id] of tensors) {
    const { shape, type } = session.tensors[id];
    const wanted = param.axes.map((axis) => staticIndex(session, scope, plainAxis(session, axis)));
    if (wanted.join() !== shape.join()) {
      const label = `it is given ${formatShape(shape)}, here it is ${formatShape(wanted)}`;
      return reporter.fail({ code: 'ZKL318', about: { name: param.name.text }, span: param.span, label });
    }
    if (param.type === undefined) continue;
    const expected = readType(session, scope, param.type);
    if (type === undefined || !sameType(type, expected)) {
      const given = type === undefined ? 'a tensor without a type' : `\`${formatType(type)}\``;
      return reporter.fail({
        code: 'ZKL426',
        about: { name: param.name.text, type: formatType(expected) },
        span: param.span,
        label: `it is given ${given}`,
      });
    }
  }
}
