/** Constants: values known at compile time, exact rationals, or reals under a `round`. */
import type * as ast from '../../../grammar/ast.ts';
import type { Rational } from '../../ir/tensor/program.ts';
import {
  NumberTooLarge,
  divide,
  formatRational,
  gcdRational,
  multiply,
  powerOfTwo,
  rational,
  signedBits,
} from '../../ir/numbers/rational.ts';
import { evaluateIndex } from '../../ir/indices/evaluate.ts';
import { comparisons } from '../../ir/indices/guards.ts';
import { MAX_CONSTANT_ENTRIES, addTensor, entries, formatType, typeRange } from '../context.ts';
import type { ConstantEntries, Frame, Session } from '../context.ts';
import { lookUp, readIndex, readNumber, writtenType } from '../indices/values.ts';
import { bindIndices } from '../indices/bindings.ts';
import { tensorName } from '../names/paths.ts';
import {
  NotReal,
  addReal,
  applyReal,
  divideReal,
  exactly,
  multiplyReal,
  negateReal,
  powerReal,
  roundReal,
  isRealFunction,
} from '../../ir/numbers/real.ts';
import type { Real } from '../../ir/numbers/real.ts';
import { Scope, describe } from '../names/scope.ts';
import { namesIn } from '../names/syntax.ts';

/** Where a constant is read: a scope, the values of the indices in it, and in the body of a table its argument. */
export interface ConstantPlace {
  readonly session: Session;
  readonly frame: Frame;
  readonly scope: Scope;
  readonly index: (variable: number) => number;
  readonly argument?: { readonly name: string; readonly value: Rational };
}

/** A scalar constant: a rational, or a diagnostic that it is none. */
export function constantNumber(session: Session, frame: Frame, node: ast.Value): Rational {
  const place: ConstantPlace = { session, frame, scope: frame.scope, index: () => 0 };
  return exactRational(place, node);
}

function exactRational(place: ConstantPlace, node: ast.Value): Rational {
  const value = guardedReal(place, node);
  if (value.kind === 'rational') return value.value;
  return place.session.reporter.fail({
    code: 'ZKL401',
    span: node.span,
    label: 'constants are exact',
    help: 'round it: `round<16, 15>(...)`',
  });
}

/** The real a constant expression denotes; what is not real is a diagnostic. */
export function guardedReal(place: ConstantPlace, node: ast.Value): Real {
  try {
    return readReal(place, node);
  } catch (error) {
    if (!(error instanceof NotReal || error instanceof NumberTooLarge)) throw error;
    return place.session.reporter.fail({ code: 'ZKL418', span: node.span, label: error.message });
  }
}

function readReal(place: ConstantPlace, node: ast.Value): Real {
  const { session, scope } = place;
  const { reporter } = session;
  const inner = (next: ast.Value): Real => readReal(place, next);
  switch (node.kind) {
    case 'number':
      return exactly(readNumber(session, node));
    case 'negate':
      return negateReal(inner(node.operand));
    case 'binary': {
      const [left, right] = [inner(node.left), inner(node.right)];
      if (node.operator === '+') return addReal(left, right);
      if (node.operator === '-') return addReal(left, negateReal(right));
      return node.operator === '*' ? multiplyReal(left, right) : divideReal(left, right);
    }
    case 'power':
      return powerReal(inner(node.base), inner(node.exponent));
    case 'reference':
      return readReference(place, node);
    case 'access':
      return readEntry(place, node);
    case 'conditional':
      return inner(holdsAt(place, scope, node.guard) ? node.then : node.else);
    case 'indicator':
      return exactly(rational(holdsAt(place, scope, node.guard) ? 1 : 0));
    case 'reduce':
      return readSum(place, node);
    case 'call':
      return readCall(place, node);
    case 'view':
      return reporter.fail({ code: 'ZKL434', span: node.span, label: 'write its entries' });
  }
}

function readReference(place: ConstantPlace, node: ast.Reference): Real {
  const { session, scope, argument } = place;
  if (argument?.name === node.name.text) return exactly(argument.value);
  const binding = lookUp(session, scope, node.name);
  switch (binding.kind) {
    case 'dim':
    case 'counter':
      return exactly(rational(binding.value));
    case 'const':
      return exactly(binding.value);
    case 'index':
      return exactly(rational(place.index(binding.variable)));
    default:
      return session.reporter.fail({
        code: 'ZKL412',
        span: node.span,
        label: `\`${node.name.text}\` is ${describe(binding)}`,
        help: 'constants are made of numbers, dimensions and other constants',
      });
  }
}

function readEntry(place: ConstantPlace, node: ast.Access): Real {
  const { session, scope } = place;
  const binding = lookUp(session, scope, node.name);
  const values = binding.kind === 'tensor' ? session.constants.get(binding.tensor) : undefined;
  if (binding.kind !== 'tensor' || values === undefined)
    return session.reporter.fail({
      code: 'ZKL412',
      span: node.span,
      label: `\`${node.name.text}\` is ${describe(binding)}`,
    });
  const { shape } = session.tensors[binding.tensor];
  if (shape.length !== node.axes.length)
    return session.reporter.fail({ code: 'ZKL303', span: node.span, label: `it has ${shape.length}` });
  let flat = 0;
  for (const [k, axis] of node.axes.entries()) {
    const at = evaluateIndex(readIndex(session, scope, axis.index), place.index);
    if (at < 0 || at >= shape[k]) {
      const label = `index ${at} of an axis of length ${shape[k]}`;
      return session.reporter.fail({ code: 'ZKL304', about: { name: node.name.text }, span: axis.span, label });
    }
    flat = flat * shape[k] + at;
  }
  return exactly(values[flat]);
}

function holdsAt(place: ConstantPlace, scope: Scope, guard: ast.Guard): boolean {
  return guard.comparisons.every((c) => {
    const [left, right] = [c.left, c.right].map((e) => evaluateIndex(readIndex(place.session, scope, e), place.index));
    return comparisons[c.operator](left, right);
  });
}

function readSum(place: ConstantPlace, node: ast.Reduce): Real {
  const { session } = place;
  if (node.operator !== 'sum')
    return session.reporter.fail({
      code: 'ZKL435',
      about: { operator: node.operator },
      span: node.span,
      label: 'only sums are taken here',
    });
  const scope = new Scope(place.scope);
  const over = bindIndices(session, scope, node.axes, [node.body], []);
  let sum = exactly(rational(0));
  eachPoint(session, over, (at) => {
    const inner: ConstantPlace = { ...place, scope, index: (id) => at.get(id) ?? place.index(id) };
    if (node.guard === undefined || holdsAt(inner, scope, node.guard)) sum = addReal(sum, readReal(inner, node.body));
  });
  return sum;
}

/** Visits all values of variables, row-major. */
function eachPoint(session: Session, ids: readonly number[], visit: (at: ReadonlyMap<number, number>) => void): void {
  const at = new Map<number, number>();
  const go = (k: number): void => {
    if (k === ids.length) return visit(at);
    for (let v = 0; v < session.variables[ids[k]].size; v++) {
      at.set(ids[k], v);
      go(k + 1);
    }
  };
  go(0);
}

function readCall(place: ConstantPlace, node: ast.Call): Real {
  const { session, scope } = place;
  const { reporter } = session;
  const name = node.name.text;
  const [argument] = node.arguments;
  if (!isRealFunction(name) && name !== 'round')
    return reporter.fail({
      code: 'ZKL412',
      span: node.span,
      label: `\`${name}\` is not a function of constants`,
      help: 'constants have `exp`, `log`, `sin`, `cos`, `sqrt`, `erf`, `tanh` and `round<bits, frac>`',
    });

  if (node.arguments.length !== 1 || argument.name !== undefined)
    return reporter.fail({ code: 'ZKL207', about: { name }, span: node.span, label: 'wrong arguments' });
  const of = readReal(place, argument.value);
  if (isRealFunction(name)) return applyReal(name, of);
  const type = writtenType(session, scope, node);
  if (type === undefined)
    return reporter.fail({ code: 'ZKL422', span: node.span, label: 'write `round<bits, frac>(...)`' });
  const value = roundReal(of, type.frac);
  const { lo, hi } = typeRange(type);
  if (value < lo || value > hi)
    return reporter.fail({
      code: 'ZKL402',
      about: { type: formatType(type) },
      span: node.span,
      label: `it needs ${signedBits(value)} bits`,
    });
  return exactly(multiply(rational(value), powerOfTwo(-type.frac)));
}

/** `const c = ...` and `const C[t: T, j: J] = ...`. */
export function defineConstant(session: Session, frame: Frame, node: ast.Define): void {
  const { span } = node.name;
  if (node.axes.length === 0) {
    frame.scope.set(node.name.text, { kind: 'const', value: constantNumber(session, frame, node.value), span });
    return;
  }
  const scope = new Scope(frame.scope);
  const variables = bindIndices(session, scope, node.axes, [node.value], []);
  const shape = variables.map((id) => session.variables[id].size);
  if (entries(shape) > MAX_CONSTANT_ENTRIES)
    return session.reporter.fail({ code: 'ZKL326', span: node.span, label: `[${shape.join(', ')}]` });
  const made = constantEntries(session, frame, node, scope, variables);
  const { values, integers, scale, range } = made;
  const tensor = addTensor(session, {
    name: tensorName(frame, node.name.text),
    shape,
    scale,
    range,
    visibility: 'public',
    role: 'inner',
    span,
  });
  session.constants.set(tensor.id, values);
  session.equations.push({
    target: tensor.id,
    indices: variables.map((id) => session.variables[id]),
    definition: { kind: 'constant', values: integers },
    span: node.span,
  });
  frame.scope.set(node.name.text, { kind: 'tensor', tensor: tensor.id, span });
}

/** The entries of a constant tensor. Calls of one block with the same dimensions and constants have the same ones. */
function constantEntries(
  session: Session,
  frame: Frame,
  node: ast.Define,
  scope: Scope,
  variables: readonly number[],
): ConstantEntries {
  const known = session.constantEntries.get(node) ?? new Map<string, ConstantEntries>();
  session.constantEntries.set(node, known);
  const key = dependencies(session, frame.scope, node, variables);
  let made = known.get(key);
  if (made === undefined) known.set(key, (made = evaluateEntries(session, frame, node, scope, variables)));
  return made;
}

function evaluateEntries(
  session: Session,
  frame: Frame,
  node: ast.Define,
  scope: Scope,
  variables: readonly number[],
): ConstantEntries {
  const values: Rational[] = [];
  eachPoint(session, variables, (at) => {
    values.push(exactRational({ session, frame, scope, index: (id) => at.get(id) ?? 0 }, node.value));
  });
  const common = values.reduce(gcdRational, rational(0));
  const scale = common.num === 0n ? rational(1) : common;
  const integers = values.map((v) => divide(v, scale).num);
  let [lo, hi] = [integers[0], integers[0]];
  for (const v of integers) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return { values, integers, scale, range: { lo, hi } };
}

const identities = new WeakMap<readonly Rational[], number>();
let identified = 0;

/** The same for constants of different calls that were evaluated once. */
function identity(values: readonly Rational[]): number {
  const id = identities.get(values) ?? identified++;
  identities.set(values, id);
  return id;
}

/** Everything that the entries of a constant depend on besides its text. */
function dependencies(session: Session, scope: Scope, node: ast.Define, variables: readonly number[]): string {
  const sizes = variables.map((id) => session.variables[id].size);
  const bound = [...namesIn(node)].sort().map((name) => {
    const binding = scope.find(name);
    if (binding === undefined) return name;
    if (binding.kind === 'dim' || binding.kind === 'counter') return `${name} = ${binding.value}`;
    if (binding.kind === 'const') return `${name} = ${formatRational(binding.value)}`;
    if (binding.kind !== 'tensor') return `${name} is ${binding.kind}`;
    const values = session.constants.get(binding.tensor);
    return values ? `${name} has entries ${identity(values)}` : `${name} is tensor ${binding.tensor}`;
  });
  return [sizes.join(), ...bound].join(';');
}

/** value * 2^frac where that is an integer: the ends of a table's domain. */
export const scaledExactly = (value: Rational, frac: number): bigint | undefined => {
  const scaled = multiply(value, powerOfTwo(frac));
  return scaled.den === 1n ? scaled.num : undefined;
};
