/** Reads the right-hand side of an equation: values become polynomials, fractions and roots of tensor entries. */
import type * as ast from '../../grammar/ast.ts';
import type { Span } from '../../grammar/span.ts';
import type { Compare, IndexExpr, TensorId } from '../tensor/program.ts';
import { ONE, isInteger, parseDecimal, power as powerRational, rational } from '../tensor/rational.ts';
import { proveInside } from './bounds.ts';
import { variable } from './arithmetic.ts';
import { addVariable } from './context.ts';
import type { Frame, Session } from './context.ts';
import { bindIndices } from './indices.ts';
import { lookUp, plainAxis, readGuard, readIndex } from './index-values.ts';
import { constantPoly, factorPoly, freeVariables, guardPoly, multiplyPoly, sumPoly } from './polynomial.ts';
import type { Quantity } from './polynomial.ts';
import {
  addQuantities,
  chooseQuantity,
  constantQuantity,
  divideQuantities,
  failing,
  isConstant,
  multiplyQuantities,
  negateQuantity,
  quantityValue,
  rootQuantity,
} from './quantity.ts';
import { count, formatShape } from './report.ts';
import { Scope, describe } from './scope.ts';

/** Where a value stands. */
export interface Place {
  readonly session: Session;
  readonly frame: Frame;
  /** The frame's scope and the indices of the equation and the reductions around. */
  readonly scope: Scope;
  /** Variables of the equation's left side. */
  readonly outputs: readonly number[];
  /** Variables of the reductions around. */
  readonly reduced: readonly number[];
  /** Guards of the conditionals and reductions around. */
  readonly guards: readonly Compare[];
  /** An equation between whole tensors: bare names stand for their entries at the outputs. */
  readonly whole: boolean;
  /** The value is a whole right-hand side: what it applies a table to has all the outputs as indices. */
  readonly exact?: boolean;
  /** Full name of the tensor being defined. */
  readonly name: string;
  /** Results of the block calls and views that stand in the value. */
  readonly prepared: ReadonlyMap<ast.Value, TensorId>;
  /** Makes a tensor of a call (`round`, a table) or a maximum that stands inside an expression, and reads its entry. */
  readonly derive: (place: Place, node: ast.Call | ast.Reduce) => Quantity;
}

/** Functions of real constants, only in constants and tables. */
export const CONST_FUNCTIONS = ['exp', 'log', 'sin', 'cos', 'sqrt'];

export function readValue(place: Place, node: ast.Value): Quantity {
  const { session, scope } = place;
  const { reporter } = session;
  switch (node.kind) {
    case 'number':
      return constantQuantity(readNumber(session, node));
    case 'reference':
      return readReference(place, node);
    case 'access':
      return readAccess(place, node);
    case 'negate':
      return negateQuantity(readValue(place, node.operand)) ?? notRoundable(place, node.span);
    case 'binary':
      return readBinary(place, node);
    case 'power':
      return readPower(place, node);
    case 'conditional':
      return readConditional(place, node);
    case 'reduce':
      return node.operator === 'sum' ? readSum(place, node) : place.derive(place, node);
    case 'indicator': {
      const guards = readGuard(session, place.frame, scope, node.guard, true);
      return guards === 'never' ? { p: [] } : { p: guardPoly(constantPoly(ONE), guards) };
    }
    case 'view':
      return readPrepared(place, node, node.span);
    case 'call':
      return readCall(place, node);
    default:
      return reporter.fail('ZKL206', (node as ast.Value).span, 'not a value', 'not expected here');
  }
}

export function readNumber(session: Session, node: ast.NumberLiteral): { num: bigint; den: bigint } {
  const value = parseDecimal(node.text);
  if (value !== undefined) return value;
  return session.reporter.fail('ZKL402', node.span, 'a number out of reach', 'its exponent is over 1000');
}

const copier =
  (session: Session) =>
  (id: number): number =>
    addVariable(session, session.variables[id].name, session.variables[id].size);

/** The message for what `round` cannot take. */
function notRoundable(place: Place, span: Span): never {
  return place.session.reporter.fail(
    'ZKL403',
    span,
    'not a form that `round` takes',
    'P, P/Q, sqrt(P) or P/sqrt(Q), with P and Q polynomials',
    { help: 'name the inner part with a `round` of its own' },
  );
}

function readReference(place: Place, node: ast.Reference): Quantity {
  const { session, scope } = place;
  const binding = lookUp(session, scope, node.name);
  switch (binding.kind) {
    case 'dim':
    case 'counter':
      return constantQuantity(rational(binding.value));
    case 'const':
      return constantQuantity(binding.value);
    case 'tensor':
      return wholeEntry(place, binding.tensor, node.name.text, node.span);
    case 'index':
      return session.reporter.fail(
        'ZKL413',
        node.span,
        'an index as a number',
        `\`${node.name.text}\` chooses entries`,
        {
          help: `give its values a name: \`const ${node.name.text}s[${node.name.text}: ...] = ${node.name.text}\``,
        },
      );
    default:
      return session.reporter.fail(
        'ZKL206',
        node.span,
        `\`${node.name.text}\` is ${describe(binding)}`,
        'a tensor or a constant is expected here',
      );
  }
}

/** The entry of a whole tensor at the outputs; a scalar's only entry. */
function wholeEntry(place: Place, tensor: TensorId, name: string, span: Span): Quantity {
  const { session } = place;
  const { shape } = session.tensors[tensor];
  if (shape.length === 0) return { p: factorPoly({ tensor, at: [] }) };
  if (!place.whole || place.reduced.length > 0) {
    return session.reporter.fail(
      'ZKL309',
      span,
      'a whole tensor under indices',
      `\`${name}\` has ${count(shape.length, 'axis', 'axes')}`,
      {
        help: `write its indices, \`${name}[...]\``,
      },
    );
  }
  const lengths = place.outputs.map((id) => session.variables[id].size);
  if (lengths.length !== shape.length || lengths.some((n, k) => n !== shape[k])) {
    return session.reporter.fail('ZKL306', span, 'shapes differ', `\`${name}\` is ${formatShape(shape)}`, {
      help: `${formatShape(lengths)} is expected here; only scalars and constants broadcast`,
    });
  }
  return { p: factorPoly({ tensor, at: place.outputs.map(variable) }) };
}

function readPrepared(place: Place, node: ast.Value, span: Span): Quantity {
  const tensor = place.prepared.get(node);
  if (tensor !== undefined) return wholeEntry(place, tensor, node.kind === 'call' ? node.name.text : 'the view', span);
  const what = node.kind === 'view' ? 'a view under indices' : 'a block call under indices';
  return place.session.reporter.fail('ZKL309', span, what, 'works on whole tensors', {
    help: 'give it a name in an equation of its own, and index that',
  });
}

function readAccess(place: Place, node: ast.Access): Quantity {
  const { session, scope } = place;
  const { reporter } = session;
  const binding = lookUp(session, scope, node.name);
  if (binding.kind !== 'tensor') {
    return reporter.fail(
      'ZKL206',
      node.span,
      `\`${node.name.text}\` is ${describe(binding)}`,
      'only tensors have entries',
    );
  }
  const { shape } = session.tensors[binding.tensor];
  if (node.axes.length !== shape.length) {
    return reporter.fail(
      'ZKL303',
      node.span,
      'wrong number of indices',
      `\`${node.name.text}\` has ${count(shape.length, 'axis', 'axes')}, here are ${count(node.axes.length, 'index', 'indices')}`,
      { notes: [{ span: binding.span, text: 'declared here' }] },
    );
  }
  const at = node.axes.map((axis, k) => readAxis(place, axis, shape[k], node.name.text, binding.span));
  return { p: factorPoly({ tensor: binding.tensor, at }) };
}

/** One axis of an access, proved to lie inside the tensor. */
function readAxis(place: Place, axis: ast.Axis, length: number, name: string, declared: Span): IndexExpr {
  const { session, scope } = place;
  const { reporter } = session;
  const e = readIndex(session, scope, plainAxis(session, axis));
  const notes = [{ span: declared, text: `\`${name}\` is declared here` }];
  if (e.kind === 'entry') {
    const { type } = session.tensors[e.tensor];
    for (const [k, at] of e.at.entries()) {
      proveAxis(place, at, session.tensors[e.tensor].shape[k], axis, session.tensors[e.tensor].name, []);
    }
    if (type?.kind === 'index' && type.size !== length) {
      const label = `\`index<${String(type.size)}>\` on an axis of length ${String(length)}`;
      return reporter.fail('ZKL310', axis.span, 'an index of another length', label, { notes });
    }
    return e;
  }
  proveAxis(place, e, length, axis, name, notes);
  return e;
}

function proveAxis(
  place: Place,
  e: IndexExpr,
  length: number,
  axis: ast.Axis,
  name: string,
  notes: { span: Span; text: string }[],
): void {
  const { session } = place;
  const proof = proveInside(e, length, place.guards, session.bounds);
  if (proof.kind === 'inside') return;
  if (proof.kind === 'unknown') {
    return session.reporter.fail(
      'ZKL313',
      axis.span,
      'cannot prove that this stays inside',
      `an axis of length ${String(length)}`,
      {
        notes,
        help: 'write a guard that bounds it, or a simpler index',
      },
    );
  }
  const point = [...proof.at].map(([id, v]) => `${session.variables[id].name} = ${String(v)}`).join(', ');
  const label = `${String(proof.value)} of an axis of length ${String(length)}${point === '' ? '' : `, at ${point}`}`;
  return session.reporter.fail('ZKL304', axis.span, `\`${name}\` is read outside`, label, {
    notes,
    help: 'a guard, `if ... then ... else ...`, keeps an index inside',
  });
}

function readBinary(place: Place, node: ast.Binary): Quantity {
  const left = readValue(place, node.left);
  const right = readValue(place, node.right);
  const copy = copier(place.session);
  switch (node.operator) {
    case '+':
      return addQuantities(left, right, copy) ?? notRoundable(place, node.span);
    case '-': {
      const minus = negateQuantity(right);
      return (minus && addQuantities(left, minus, copy)) ?? notRoundable(place, node.span);
    }
    case '*':
      return multiplyQuantities(left, right, copy) ?? notRoundable(place, node.span);
    case '/':
      if (quantityValue(right)?.num === 0n) {
        return place.session.reporter.fail('ZKL407', node.right.span, 'division by zero', 'this is 0');
      }
      return divideQuantities(left, right, copy) ?? notRoundable(place, node.span);
  }
}

function readPower(place: Place, node: ast.Power): Quantity {
  const { reporter } = place.session;
  const base = readValue(place, node.base);
  const exponent = quantityValue(readValue(place, node.exponent));
  if (exponent === undefined) {
    return reporter.fail('ZKL412', node.exponent.span, 'an exponent that is not constant', 'a number is expected here');
  }
  const value = quantityValue(base);
  if (value !== undefined && isInteger(exponent) && (value.num !== 0n || exponent.num >= 0n)) {
    if (exponent.num < 4096n && exponent.num > -4096n) return constantQuantity(powerRational(value, exponent.num));
  }
  if (!isInteger(exponent) || exponent.num < 0n || exponent.num > 16n) {
    return irrational(place, node.span);
  }
  if (base.q !== undefined || base.root !== undefined) return notRoundable(place, node.span);
  let p = constantPoly(ONE);
  for (let n = 0n; n < exponent.num; n++) p = multiplyPoly(p, base.p, copier(place.session));
  return { p };
}

function irrational(place: Place, span: Span): never {
  return place.session.reporter.fail('ZKL401', span, 'not a rational constant', 'constants are exact', {
    help: 'round it: `const c = round<16, 15>(...)`',
  });
}

function readConditional(place: Place, node: ast.Conditional): Quantity {
  const guards = readGuard(place.session, place.frame, place.scope, node.guard);
  if (guards === 'never') return readValue(place, node.else);
  if (guards.length === 0) return readValue(place, node.then);
  const then = readValue({ ...place, guards: [...place.guards, ...guards] }, node.then);
  const otherwise = failing(guards).map((g) => readValue({ ...place, guards: [...place.guards, ...g] }, node.else));
  return chooseQuantity(guards, then, otherwise) ?? notRoundable(place, node.span);
}

/** The place inside a reduction, the variables it binds and its guards. */
export function enterReduction(
  place: Place,
  node: ast.Reduce,
): { inner: Place; over: readonly number[]; guards: readonly Compare[] } {
  const { session } = place;
  const scope = new Scope(place.scope);
  const over = bindIndices(session, scope, node.axes, [node.body], []);
  const guards = node.guard === undefined ? [] : readGuard(session, place.frame, scope, node.guard);
  if (guards === 'never') {
    return session.reporter.fail('ZKL311', node.span, 'a reduction over nothing', 'its guard never holds');
  }
  const inner = { ...place, scope, reduced: [...place.reduced, ...over], guards: [...place.guards, ...guards] };
  return { inner, over, guards };
}

function readSum(place: Place, node: ast.Reduce): Quantity {
  const { session } = place;
  const { inner, over, guards } = enterReduction(place, node);
  const body = readValue(inner, node.body);
  const size = (id: number): number => session.variables[id].size;
  if (body.root === 'p') return notRoundable(place, node.span);
  if (body.q !== undefined && [...freeVariables(body.q)].some((id) => over.includes(id))) {
    return session.reporter.fail(
      'ZKL403',
      node.span,
      'a sum of quotients',
      'the divisor depends on what is summed over',
      {
        help: 'name the quotient with a `round` of its own',
      },
    );
  }
  return { ...body, p: sumPoly(body.p, over, guards, size) };
}

function readCall(place: Place, node: ast.Call): Quantity {
  const { session, scope } = place;
  const { reporter } = session;
  const name = node.name.text;
  if (name === 'round') return place.derive(place, node);
  const binding = scope.find(name);
  if (binding === undefined && CONST_FUNCTIONS.includes(name)) return readFunction(place, node);
  const found = lookUp(session, scope, node.name);
  if (found.kind === 'table') return place.derive(place, node);
  if (found.kind === 'block') return readPrepared(place, node, node.span);
  return reporter.fail(
    'ZKL206',
    node.name.span,
    `\`${name}\` is ${describe(found)}`,
    'a block or a table is expected here',
  );
}

/** `sqrt` of a polynomial under `round`; the other functions only of constants. */
function readFunction(place: Place, node: ast.Call): Quantity {
  const { reporter } = place.session;
  const name = node.name.text;
  const [argument] = node.arguments;
  if (node.arguments.length !== 1 || argument.name !== undefined || node.dims.length > 0) {
    return reporter.fail('ZKL207', node.span, `\`${name}\` takes one argument`, 'wrong arguments');
  }
  const of = readValue(place, argument.value);
  if (name === 'sqrt') return rootQuantity(of) ?? notRoundable(place, node.span);
  if (isConstant(of)) return irrational(place, node.span);
  return reporter.fail('ZKL201', node.name.span, `no table \`${name}\` here`, 'a function of data is a table', {
    help: `import { ${name} } from "std", or declare \`table ${name}(...)\``,
  });
}

/** What stands outside `round` has to be a polynomial. */
export function exactPolynomial(place: Place, of: Quantity, span: Span): Quantity['p'] {
  if (of.q === undefined && of.root === undefined) return of.p;
  if (isConstant(of)) return irrational(place, span);
  return place.session.reporter.fail('ZKL403', span, 'a quotient or root outside `round`', 'this is not a polynomial', {
    help: '`round(...)` around it says to which precision it is taken',
  });
}
