/** Reads the right-hand side of an equation: values become polynomials, fractions and roots of tensor entries. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Compare } from '../../ir/tensor/program.ts';
import { ONE, isInteger, power as powerRational } from '../../ir/numbers/rational.ts';
import { readAccess, readPrepared, readReference } from '../indices/accesses.ts';
import { copier } from '../context.ts';
import { lookUp, readGuard, readNumber } from '../indices/values.ts';
import { bindIndices } from '../indices/bindings.ts';
import type { Place } from './place.ts';
import { constantPoly, freeVariables, guardPoly, multiplyPoly, sumPoly } from '../numbers/polynomial.ts';
import type { Quantity } from '../numbers/polynomial.ts';
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
} from '../numbers/quantity.ts';
import { isRealFunction } from '../../ir/numbers/real.ts';
import { Scope, describe } from '../names/scope.ts';

export function readValue(place: Place, node: ast.Value): Quantity {
  const { session, scope } = place;
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
  }
}

/** The message for what `round` cannot take. */
function notRoundable(place: Place, span: Span): never {
  return place.session.reporter.fail({
    code: 'ZKL403',
    span,
    label: 'P, P/Q, sqrt(P) or P/sqrt(Q), with P and Q polynomials',
    help: 'name the inner part with a `round` of its own',
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
      return multiplyQuantities(left, right, copy) ?? irrationalFactor(place, node, [left, right]);
    case '/':
      if (quantityValue(right)?.num === 0n)
        return place.session.reporter.fail({ code: 'ZKL407', span: node.right.span, label: 'this is 0' });
      return divideQuantities(left, right, copy) ?? notRoundable(place, node.span);
  }
}

/** A root of a constant is the more likely mistake; otherwise the form is. */
function irrationalFactor(place: Place, node: ast.Binary, sides: readonly [Quantity, Quantity]): never {
  for (const [k, side] of sides.entries())
    if (isConstant(side) && quantityValue(side) === undefined)
      return irrational(place, (k === 0 ? node.left : node.right).span);
  return notRoundable(place, node.span);
}

function readPower(place: Place, node: ast.Power): Quantity {
  const { reporter } = place.session;
  const base = readValue(place, node.base);
  const exponent = quantityValue(readValue(place, node.exponent));
  if (exponent === undefined)
    return reporter.fail({ code: 'ZKL433', span: node.exponent.span, label: 'a number is expected here' });
  const value = quantityValue(base);
  if (value !== undefined && isInteger(exponent) && (value.num !== 0n || exponent.num >= 0n))
    if (exponent.num < 4096n && exponent.num > -4096n) return constantQuantity(powerRational(value, exponent.num));
  if (!isInteger(exponent) || exponent.num < 0n || exponent.num > 16n) return irrational(place, node.span);
  if (base.q !== undefined || base.root !== undefined) return notRoundable(place, node.span);
  let p = constantPoly(ONE);
  for (let n = 0n; n < exponent.num; n++) p = multiplyPoly(p, base.p, copier(place.session));
  return { p };
}

function irrational(place: Place, span: Span): never {
  return place.session.reporter.fail({
    code: 'ZKL401',
    span,
    label: 'constants are exact',
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
  if (guards === 'never')
    return session.reporter.fail({
      code: 'ZKL311',
      about: { reduction: node.operator },
      span: node.span,
      label: 'its guard never holds',
    });
  const inner = { ...place, scope, reduced: [...place.reduced, ...over], guards: [...place.guards, ...guards] };
  return { inner, over, guards };
}

function readSum(place: Place, node: ast.Reduce): Quantity {
  const { session } = place;
  const { inner, over, guards } = enterReduction(place, node);
  const body = readValue(inner, node.body);
  const size = (id: number): number => session.variables[id].size;
  if (body.root === 'p') return notRoundable(place, node.span);
  if (body.q !== undefined && [...freeVariables(body.q)].some((id) => over.includes(id)))
    return session.reporter.fail({
      code: 'ZKL419',
      span: node.span,
      label: 'the divisor depends on what is summed over',
      help: 'name the quotient with a `round` of its own',
    });
  return { ...body, p: sumPoly(body.p, over, guards, size) };
}

function readCall(place: Place, node: ast.Call): Quantity {
  const { session, scope } = place;
  const { reporter } = session;
  const name = node.name.text;
  if (name === 'round') return place.derive(place, node);
  const binding = scope.find(name);
  if (binding === undefined && isRealFunction(name)) return readFunction(place, node);
  const found = lookUp(session, scope, node.name);
  if (found.kind === 'table') return place.derive(place, node);
  if (found.kind === 'block') return readPrepared(place, node, node.span);
  return reporter.fail({
    code: 'ZKL206',
    about: { name, kind: describe(found) },
    span: node.name.span,
    label: 'a block or a table is expected here',
  });
}

/** `sqrt` of a polynomial under `round`; the other functions only of constants. */
function readFunction(place: Place, node: ast.Call): Quantity {
  const { reporter } = place.session;
  const name = node.name.text;
  const [argument] = node.arguments;
  if (node.arguments.length !== 1 || argument.name !== undefined || node.dims.length > 0)
    return reporter.fail({ code: 'ZKL207', about: { name }, span: node.span, label: 'wrong arguments' });
  const of = readValue(place, argument.value);
  if (name === 'sqrt') return rootQuantity(of) ?? notRoundable(place, node.span);
  if (isConstant(of)) return irrational(place, node.span);
  return reporter.fail({
    code: 'ZKL220',
    about: { name },
    span: node.name.span,
    label: 'a function of data is a table',
    help: `import { ${name} } from "std", or declare \`table ${name}(...)\``,
  });
}

/** What stands outside `round` has to be a polynomial. */
export function exactPolynomial(place: Place, of: Quantity, span: Span): Quantity['p'] {
  if (of.q === undefined && of.root === undefined) return of.p;
  if (isConstant(of)) return irrational(place, span);
  return place.session.reporter.fail({
    code: 'ZKL420',
    span,
    label: 'this is not a polynomial',
    help: '`round(...)` around it says to which precision it is taken',
  });
}
