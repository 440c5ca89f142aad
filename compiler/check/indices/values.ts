/** Reads index arithmetic: dimensions, axes, guards. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Compare, IndexExpr, Rational, TensorType } from '../../ir/tensor/program.ts';
import { parseDecimal } from '../../ir/numbers/rational.ts';
import { readsData, variable } from '../../ir/indices/expression.ts';
import {
  constant,
  exactQuotient,
  floorQuotient,
  IndexOverflow,
  minus,
  plus,
  product,
  remainder,
} from '../../ir/indices/normal.ts';
import { constantGuard } from './bounds.ts';
import { MAX_ENTRIES, entries } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { count, didYouMean } from '../report.ts';
import { Halt } from '../report.ts';
import type { Binding, Scope } from '../names/scope.ts';
import { describe } from '../names/scope.ts';

/** Looks a name up; reports it where there is none. A poisoned name gives up silently: its own error has been told. */
export function lookUp(session: Session, scope: Scope, name: ast.Name): Binding {
  const found = scope.find(name.text, name.span);
  if (found === undefined) {
    const near = didYouMean(
      name.text,
      name.span,
      scope.names((b) => b.kind !== 'source'),
    );
    return session.reporter.fail({
      code: 'ZKL201',
      about: { name: name.text },
      span: name.span,
      label: 'not defined here',
      ...near,
    });
  }
  if (found.kind === 'poison') throw new Halt(name.text);
  return found;
}

/** An integer known at compile time. */
export function staticIndex(session: Session, scope: Scope, node: ast.Index): number {
  const value = readIndex(session, scope, node);
  if (value.kind === 'const') return value.value;
  return session.reporter.fail({
    code: 'ZKL322',
    span: node.span,
    label: 'a dimension is made of numbers and dimensions',
  });
}

/** A length: at least 1. */
export function staticLength(session: Session, scope: Scope, node: ast.Index): number {
  const length = staticIndex(session, scope, node);
  if (length < 1)
    return session.reporter.fail({
      code: 'ZKL308',
      about: { length },
      span: node.span,
      label: 'a length is at least 1',
    });
  return length;
}

export function checkSize(session: Session, shape: readonly number[], span: Span): void {
  if (entries(shape) > MAX_ENTRIES)
    return session.reporter.fail({ code: 'ZKL312', span, label: `[${shape.join(', ')}] entries` });
}

export function readIndex(session: Session, scope: Scope, node: ast.Index): IndexExpr {
  try {
    return read(session, scope, node);
  } catch (error) {
    if (!(error instanceof IndexOverflow)) throw error;
    return session.reporter.fail({ code: 'ZKL327', span: node.span, label: 'too large' });
  }
}

function read(session: Session, scope: Scope, node: ast.Index): IndexExpr {
  const { reporter, bounds } = session;
  switch (node.kind) {
    case 'number': {
      const value = parseDecimal(node.text);
      if (value === undefined || value.den !== 1n || value.num > BigInt(Number.MAX_SAFE_INTEGER))
        return reporter.fail({
          code: 'ZKL323',
          about: { what: node.text },
          span: node.span,
          label: 'an integer below 2^53 is expected here',
        });
      return constant(Number(value.num));
    }
    case 'reference':
      return readName(session, scope, node);
    case 'access':
      return readEntry(session, scope, node.name, node.axes, node.span);
    case 'index-negate':
      return minus(constant(0), noData(session, node.operand, read(session, scope, node.operand)));
    case 'index-binary': {
      const left = noData(session, node.left, read(session, scope, node.left));
      const right = noData(session, node.right, read(session, scope, node.right));
      if (node.operator === '+') return plus(left, right);
      if (node.operator === '-') return minus(left, right);
      if (node.operator === '*') return product(left, right);
      if (right.kind !== 'const' || right.value < 1)
        return reporter.fail({
          code: 'ZKL321',
          about: { operator: node.operator },
          span: node.right.span,
          label: right.kind === 'const' ? `this is ${right.value}` : 'not known at compile time',
        });
      if (node.operator === 'div') return floorQuotient(left, right.value, bounds);
      if (node.operator === 'mod') return remainder(left, right.value, bounds);
      const exact = exactQuotient(left, right.value);
      if (exact !== undefined) return exact;
      return reporter.fail({
        code: 'ZKL307',
        span: node.span,
        label:
          left.kind === 'const'
            ? `${left.value} is not a multiple of ${right.value}`
            : `not a multiple of ${right.value} for every value of the indices`,
        help: '`/` is exact among indices; `div` rounds down',
      });
    }
  }
}

function noData(session: Session, node: ast.Index, value: IndexExpr): IndexExpr {
  if (!readsData(value)) return value;
  return session.reporter.fail({
    code: 'ZKL324',
    span: node.span,
    label: 'this is data',
    help: 'an axis takes index arithmetic or an entry of an index tensor, not both',
  });
}

function readName(session: Session, scope: Scope, node: ast.Reference): IndexExpr {
  const { reporter } = session;
  const binding = lookUp(session, scope, node.name);
  switch (binding.kind) {
    case 'dim':
    case 'counter':
      return constant(binding.value);
    case 'index':
      return variable(binding.variable);
    case 'const':
      if (binding.value.den !== 1n)
        return reporter.fail({
          code: 'ZKL323',
          about: { what: node.name.text },
          span: node.span,
          label: 'an index is an integer',
        });
      return constant(Number(binding.value.num));
    case 'tensor':
      return readEntry(session, scope, node.name, [], node.span);
    default:
      return reporter.fail({
        code: 'ZKL206',
        about: { name: node.name.text, kind: describe(binding) },
        span: node.span,
        label: 'an index, a dimension or an entry of an index tensor is expected here',
      });
  }
}

function readEntry(session: Session, scope: Scope, name: ast.Name, axes: readonly ast.Axis[], span: Span): IndexExpr {
  const binding = lookUp(session, scope, name);
  const tensor = binding.kind === 'tensor' ? session.tensors[binding.tensor] : undefined;
  if (binding.kind !== 'tensor' || tensor?.type?.kind !== 'index')
    return session.reporter.fail({
      code: 'ZKL325',
      about: { name: name.text },
      span,
      label: tensor?.type === undefined ? `it is ${describe(binding)}` : 'its entries are numbers',
      help: 'declare it as `index<N>`, with N the length of the axis',
    });

  if (axes.length !== tensor.shape.length)
    return session.reporter.fail({
      code: 'ZKL303',
      span,
      label: `\`${name.text}\` has ${count(tensor.shape.length, 'axis', 'axes')}, here are ${count(axes.length, 'index', 'indices')}`,
    });
  return {
    kind: 'entry',
    tensor: binding.tensor,
    at: axes.map((axis) => readIndex(session, scope, plainAxis(session, axis))),
  };
}

/** An axis of an access: an index without a range. */
export function plainAxis(session: Session, axis: ast.Axis): ast.Index {
  if (axis.range !== undefined)
    return session.reporter.fail({
      code: 'ZKL332',
      span: axis.span,
      label: 'only a name that is being bound takes `: N`',
    });
  return axis.index;
}

/** What a type is; `scope` has the dimensions it mentions. */
export function readType(session: Session, scope: Scope, node: ast.Type): TensorType {
  const { reporter } = session;
  const values = node.arguments.map((argument) => staticIndex(session, scope, argument));
  const [first = 0, second = 0] = values;
  if (node.name === 'index') {
    if (values.length !== 1 || first < 1)
      return reporter.fail({ code: 'ZKL431', span: node.span, label: 'not a type' });
    return { kind: 'index', size: first };
  }
  return readFixed(session, node.span, values.length === 2 ? first : 0, second);
}

/** `fixed<bits, frac>` with limits that keep every later number in reach. */
export function readFixed(session: Session, span: Span, bits: number, frac: number): TensorType & { kind: 'fixed' } {
  const whole = Number.isInteger(bits) && Number.isInteger(frac);
  if (!whole || bits < 1 || bits > 64 || frac < -64 || frac > 128)
    return session.reporter.fail({ code: 'ZKL408', span, label: 'bits from 1 to 64, frac from -64 to 128' });
  return { kind: 'fixed', bits, frac };
}

/**
 * Comparisons of a guard, in order, without those that always hold; 'never' where one never does. `data`: an entry of an
 * index tensor may stand on one side of `==`.
 */
export function readGuard(
  session: Session,
  frame: Frame,
  scope: Scope,
  node: ast.Guard,
  data = false,
): Compare[] | 'never' {
  const { reporter, bounds } = session;
  const found: Compare[] = [];
  let never = false;
  for (const comparison of node.comparisons) {
    const left = readIndex(session, scope, comparison.left);
    const right = readIndex(session, scope, comparison.right);
    const guard: Compare = { left, op: comparison.operator, right };
    if (readsData(left) || readsData(right)) {
      if (!data || comparison.operator !== '==' || (readsData(left) && readsData(right)))
        return reporter.fail({
          code: 'ZKL315',
          span: comparison.span,
          label: 'guards are known at compile time',
          help: 'use `[v == t[i]]`, one index against an entry of an index tensor, or a table',
        });
      found.push(guard);
      continue;
    }
    const fixed = constantGuard(guard, bounds);
    // In a block or a repeat the same guard may be constant for one call or iteration and not for another.
    if ((fixed === true || fixed === false) && (frame.place === 'model' || frame.place === 'train'))
      return reporter.fail({
        code: 'ZKL305',
        about: { value: String(fixed) },
        span: comparison.span,
        label: 'over the whole range of its indices',
        help: fixed ? 'leave the guard out' : 'nothing is ever selected',
      });
    if (fixed === false) never = true;
    if (fixed !== true) found.push(guard);
  }
  return never ? 'never' : found;
}

/** A decimal literal, exactly. */
export function readNumber(session: Session, node: ast.NumberLiteral): Rational {
  const value = parseDecimal(node.text);
  if (value !== undefined) return value;
  return session.reporter.fail({ code: 'ZKL417', span: node.span, label: 'its exponent is over 1000' });
}

/** `round<b, f>`'s type. */
export function writtenType(
  session: Session,
  scope: Scope,
  node: ast.Call,
): (TensorType & { kind: 'fixed' }) | undefined {
  if (node.dims.length === 0) return undefined;
  const type = readType(session, scope, {
    kind: 'type',
    name: 'fixed',
    arguments: node.dims.map((d) => d.value),
    span: node.span,
  });
  return type.kind === 'fixed' && node.dims.every((d) => d.name === undefined)
    ? type
    : session.reporter.fail({ code: 'ZKL432', span: node.span, label: 'two numbers are expected here' });
}
