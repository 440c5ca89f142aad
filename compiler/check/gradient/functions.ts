/** Derivatives of real functions, as expressions. */
import type { Rational, RealExpression } from '../../ir/tensor/program.ts';
import { ONE, ZERO, equals, rational, subtract } from '../../ir/numbers/rational.ts';
import { addReal, applyReal, divideReal, exactly, multiplyReal, negateReal, powerReal } from '../../ir/numbers/real.ts';
import type { Real } from '../../ir/numbers/real.ts';

const number = (value: Rational): RealExpression => ({ kind: 'number', value });
const isNumber = (e: RealExpression, value: Rational): boolean => e.kind === 'number' && equals(e.value, value);

const plus = (left: RealExpression, right: RealExpression): RealExpression =>
  isNumber(left, ZERO) ? right : isNumber(right, ZERO) ? left : { kind: 'add', left, right };
const minus = (left: RealExpression, right: RealExpression): RealExpression =>
  isNumber(right, ZERO) ? left : { kind: 'subtract', left, right };
const times = (left: RealExpression, right: RealExpression): RealExpression => {
  if (isNumber(left, ZERO) || isNumber(right, ZERO)) return number(ZERO);
  return isNumber(left, ONE) ? right : isNumber(right, ONE) ? left : { kind: 'multiply', left, right };
};
const over = (left: RealExpression, right: RealExpression): RealExpression =>
  isNumber(left, ZERO) ? left : { kind: 'divide', left, right };
const power = (left: RealExpression, value: Rational): RealExpression =>
  equals(value, ONE) ? left : { kind: 'power', left, right: number(value) };
const square = (e: RealExpression): RealExpression => power(e, rational(2));

/** 2 / sqrt(pi) to 60 digits, in parts that are doubles: more than any table tells apart. */
const TWO_OVER_ROOT_PI = [1_128_379_167_095_512n, 573_896_158_903_121n, 545_171_688_101_258n, 657_997_713_688_171n]
  .map((digits, k): RealExpression => {
    const unit = number(rational(1, 10n ** 15n));
    return Array.from({ length: k }, () => unit).reduce<RealExpression>(times, number(rational(digits, 10n ** 15n)));
  })
  .reduce(plus);

/** f', by the rules of sums, products, quotients, powers and chains. */
export function differentiate(f: RealExpression): RealExpression {
  switch (f.kind) {
    case 'argument':
      return number(ONE);
    case 'number':
      return number(ZERO);
    case 'apply':
      return times(outer(f), differentiate(f.of));
    case 'power': {
      const [base, exponent] = [differentiate(f.left), differentiate(f.right)];
      if (f.right.kind !== 'number')
        // u^v = e^(v ln u)
        return times(
          f,
          plus(times(exponent, { kind: 'apply', function: 'log', of: f.left }), over(times(f.right, base), f.left)),
        );
      const { value } = f.right;
      return equals(value, ZERO) ? number(ZERO) : times(times(f.right, power(f.left, subtract(value, ONE))), base);
    }
    default: {
      const [a, b] = [differentiate(f.left), differentiate(f.right)];
      if (f.kind === 'add') return plus(a, b);
      if (f.kind === 'subtract') return minus(a, b);
      if (f.kind === 'multiply') return plus(times(a, f.right), times(f.left, b));
      if (isNumber(b, ZERO)) return over(a, f.right);
      return over(minus(times(a, f.right), times(f.left, b)), square(f.right));
    }
  }
}

/** g'(u) for g(u). */
function outer(f: Extract<RealExpression, { readonly kind: 'apply' }>): RealExpression {
  const { of } = f;
  switch (f.function) {
    case 'exp':
      return f;
    case 'log':
      return over(number(ONE), of);
    case 'sin':
      return { kind: 'apply', function: 'cos', of };
    case 'cos':
      return minus(number(ZERO), { kind: 'apply', function: 'sin', of });
    case 'sqrt':
      return over(number(ONE), times(number(rational(2)), f));
    case 'tanh':
      return minus(number(ONE), square(f));
    case 'erf':
      return times(TWO_OVER_ROOT_PI, { kind: 'apply', function: 'exp', of: minus(number(ZERO), square(of)) });
  }
}

/**
 * The expression at a point.
 *
 * @throws NotReal
 */
export function realAt(f: RealExpression, x: Rational): Real {
  switch (f.kind) {
    case 'argument':
      return exactly(x);
    case 'number':
      return exactly(f.value);
    case 'apply':
      return applyReal(f.function, realAt(f.of, x));
    default: {
      const [a, b] = [realAt(f.left, x), realAt(f.right, x)];
      if (f.kind === 'add') return addReal(a, b);
      if (f.kind === 'subtract') return addReal(a, negateReal(b));
      if (f.kind === 'multiply') return multiplyReal(a, b);
      return f.kind === 'divide' ? divideReal(a, b) : powerReal(a, b);
    }
  }
}
