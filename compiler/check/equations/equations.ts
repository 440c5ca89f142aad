/** Definitions: `u[t, r] = ...` over indices, `u = ...` between whole tensors. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { TensorId, Visibility } from '../../ir/tensor/program.ts';
import { addVariable, formatType, sameType } from '../context.ts';
import type { Declared, Frame, Session } from '../context.ts';
import { emit } from './emit.ts';
import { checkSize } from '../indices/values.ts';
import { bindIndices } from '../indices/bindings.ts';
import { derive, readMeaning } from './meanings.ts';
import type { Wanted } from './meanings.ts';
import { calibrationKey, extendAt, tensorName } from '../names/paths.ts';
import { count, formatShape } from '../report.ts';
import { Scope } from '../names/scope.ts';
import { bareTensor, makeView, shapeOf } from './whole.ts';
import type { Place } from './place.ts';

/** A definition as a statement, an output or the argument of a call gives it. */
export interface Definition {
  readonly name: string;
  readonly axes: readonly ast.Axis[];
  readonly value: ast.Value;
  readonly visibility: Visibility;
  readonly role: 'output' | 'inner';
  readonly span: Span;
}

/** Adds what a definition defines; the tensor it is. */
export function defineTensor(session: Session, frame: Frame, def: Definition): TensorId {
  const declared = frame.declared.get(def.name);
  const name = declared?.name ?? tensorName(frame, def.name);
  const id =
    def.axes.length > 0
      ? defineIndexed(session, frame, def, name, declared)
      : defineWhole(session, frame, def, name, declared);
  if (declared !== undefined) checkDeclared(session, def, id, declared);
  return id;
}

function wantedType(frame: Frame, def: Definition, declared: Declared | undefined, value: ast.Value): Wanted {
  if (declared?.type !== undefined && declared.carried !== 'width')
    return { type: declared.type, ...(declared.key === undefined ? {} : { given: declared.key }) };
  const at = value.kind === 'call' && value.at !== undefined ? [value.at.text] : [];
  // The braces of `at` were resolved when the value was read; the key has the resolved path.
  return { key: calibrationKey(at.length === 0 ? frame : { ...frame, at: [...frame.at, ...at] }, def.name) };
}

function defineIndexed(
  session: Session,
  frame: Frame,
  def: Definition,
  name: string,
  declared: Declared | undefined,
): TensorId {
  const scope = new Scope(frame.scope);
  if (declared !== undefined && declared.shape.length !== def.axes.length)
    return session.reporter.fail({
      code: 'ZKL303',
      span: def.span,
      label: `\`${def.name}\` has ${count(declared.shape.length, 'axis', 'axes')}`,
      notes: [{ span: declared.span, text: 'declared here' }],
    });
  const outputs = bindIndices(session, scope, def.axes, [def.value], declared?.shape ?? []);
  checkSize(
    session,
    outputs.map((id) => session.variables[id].size),
    def.span,
  );
  const place: Place = {
    session,
    frame,
    scope,
    outputs,
    reduced: [],
    guards: [],
    whole: false,
    exact: true,
    name,
    key: calibrationKey(frame, def.name),
    prepared: new Map(),
    derive,
  };
  return finish(session, frame, def, place, declared);
}

function finish(
  session: Session,
  frame: Frame,
  def: Definition,
  place: Place,
  declared: Declared | undefined,
): TensorId {
  const resolved = resolveAt(session, frame, place.scope, def.value);
  const meaning = readMeaning(place, def.value, wantedType(frame, def, declared, resolved));
  const { visibility, role, span } = def;
  const target = { name: place.name, indices: place.outputs, visibility, role, span, value: def.value.span };
  return emit(session, target, meaning).id;
}

/** The value with the braces of its own `at` resolved. */
function resolveAt(session: Session, frame: Frame, scope: Scope, value: ast.Value): ast.Value {
  if (value.kind !== 'call' || value.at === undefined) return value;
  const [text] = extendAt(session, { ...frame, at: [] }, scope, value.at).at;
  return { ...value, at: { ...value.at, text } };
}

/** Reads a value between whole tensors; a bare name or call makes no equation of its own. */
export function defineWhole(
  session: Session,
  frame: Frame,
  def: Definition,
  name: string,
  declared: Declared | undefined,
): TensorId {
  const { scope } = frame;
  const prepared = new Map<ast.Value, TensorId>();
  const mark = session.tensors.length;
  prepare(session, frame, def.value, name, def.name, prepared, true);
  const same = prepared.get(def.value) ?? bareTensor(scope, def.value);
  if (same !== undefined) {
    if (def.role === 'inner') return same;
    const tensor = session.tensors[same];
    // What this very statement made becomes the output; what was there before is copied.
    if (same >= mark && tensor.role === 'inner') {
      session.tensors[same] = { ...tensor, role: def.role, visibility: def.visibility, span: def.span };
      return same;
    }
  }
  const shape = shapeOf(session, frame, def.value, prepared).shape;
  checkSize(session, shape, def.span);
  const outputs = shape.map((size, k) => addVariable(session, `i${k}`, size));
  const place: Place = {
    session,
    frame,
    scope,
    outputs,
    reduced: [],
    guards: [],
    whole: true,
    exact: true,
    name,
    key: calibrationKey(frame, def.name),
    prepared,
    derive,
  };
  return finish(session, frame, def, place, declared);
}

/** A value as a whole tensor: the tensor it names, or one made for it under `name`. */
export function wholeTensor(session: Session, frame: Frame, value: ast.Value, name: string, key: string): TensorId {
  const def: Definition = { name: key, axes: [], value, visibility: 'hidden', role: 'inner', span: value.span };
  return defineWhole(session, frame, def, name, undefined);
}

/**
 * Makes the tensors of the block calls and views in a value between whole tensors, in order. `direct`: the value is the
 * whole right-hand side, so that the result of a call gets the defined name itself.
 */
function prepare(
  session: Session,
  frame: Frame,
  node: ast.Value,
  name: string,
  key: string,
  into: Map<ast.Value, TensorId>,
  direct: boolean,
): void {
  const inner = (next: ast.Value, at: Frame = frame): void => {
    prepare(session, at, next, name, key, into, false);
  };
  switch (node.kind) {
    case 'negate':
      return inner(node.operand);
    case 'binary':
      inner(node.left);
      return inner(node.right);
    case 'power':
      inner(node.base);
      return inner(node.exponent);
    case 'conditional':
      inner(node.then);
      return inner(node.else);
    case 'view': {
      const operand = wholeTensor(session, frame, node.operand, `${name}/operand`, key);
      into.set(node, makeView(session, frame, node, operand, direct ? name : `${name}/view`));
      return;
    }
    case 'call': {
      const binding = frame.scope.find(node.name.text, node.name.span);
      if (binding?.kind === 'block') {
        const called = node.name.text;
        const instance = direct
          ? { name, path: tensorName(frame, key), key: [...frame.keys, key] }
          : { name: `${name}/${called}`, path: `${name}/${called}`, key: [...frame.keys, key, called] };
        into.set(node, session.instantiate(frame, node, binding, instance));
        return;
      }
      const at = extendAt(session, frame, frame.scope, node.at);
      for (const argument of node.arguments) inner(argument.value, at);
      return;
    }
    // Under a reduction names have indices; calls and views there are reported when the body is read.
    case 'reduce':
    case 'indicator':
    case 'access':
    case 'reference':
    case 'number':
      return;
  }
}

/** A definition of a declared name has its shape and type. */
function checkDeclared(session: Session, def: Definition, id: TensorId, declared: Declared): void {
  const { reporter } = session;
  const tensor = session.tensors[id];
  const notes = [{ span: declared.span, text: 'declared here' }];
  if (tensor.shape.join() !== declared.shape.join()) {
    const label = `this is ${formatShape(tensor.shape)}`;
    return reporter.fail({
      code: 'ZKL318',
      about: { name: def.name },
      span: def.span,
      label,
      notes: [{ span: declared.span, text: `declared as ${formatShape(declared.shape)}` }],
    });
  }
  if (declared.type === undefined) return;
  if (tensor.type !== undefined && sameType(tensor.type, declared.type)) return;
  const wide =
    tensor.type?.kind === 'fixed' && declared.type.kind === 'fixed' && tensor.type.bits === declared.type.bits;
  if (declared.carried === 'width' && wide && tensor.key !== undefined) return;
  const { span, name } = def;
  const label =
    tensor.type === undefined ? 'this has no type: it is not rounded' : `this is \`${formatType(tensor.type)}\``;
  const help = `\`${formatType(declared.type)}\` is expected: a bare \`round(...)\` takes it`;
  return declared.carried === undefined
    ? reporter.fail({ code: 'ZKL405', about: { name }, span, label, notes, help })
    : reporter.fail({ code: 'ZKL427', about: { name }, span, label, notes, help });
}
