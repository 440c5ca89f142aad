/** Tables: every value of a real function at the points of a fixed-point type, each correctly rounded. */
import type * as ast from '../../grammar/ast.ts';
import { formatRational, multiply, powerOfTwo, rational, signedBits } from '../tensor/rational.ts';
import type { TensorType } from '../tensor/program.ts';
import { constantNumber, guardedReal, scaledExactly } from './constants.ts';
import { formatType, typeRange } from './context.ts';
import type { Frame, Session } from './context.ts';
import { expressionOf } from './expression.ts';
import { readType } from './index-values.ts';
import { NotReal, roundReal } from './real.ts';
import type { Scope } from './scope.ts';

/** Larger tables are refused: they are lookups of that many rows. */
const MAX_ROWS = 1 << 20;

/** The position in the program of a declared table; evaluates it the first time it is applied. */
export function readTable(session: Session, node: ast.Table, scope: Scope): number {
  const known = session.tableIds.get(node);
  if (known !== undefined) return known;
  const { reporter } = session;
  const frame: Frame = { scope, path: [], at: [], keys: [], place: 'block', declared: new Map() };
  const argument = readType(session, scope, node.input);
  const result = readType(session, scope, node.output);
  const { first, last } = domainOf(session, frame, node, argument);
  if (last - first >= BigInt(MAX_ROWS)) {
    return reporter.fail('ZKL414', node.input.span, 'a table of more than 2^20 rows', `\`${formatType(argument)}\``, {
      help: 'give it a domain, `in [a, b]`, or fewer bits',
    });
  }
  const key = [formatType(argument), formatType(result), first, last, node.parameter.text, textOf(node.value)].join(
    ' ',
  );
  let values = evaluated.get(key);
  if (values === undefined) {
    values = evaluateTable(session, frame, node, argument, result, first, last);
    if (evaluated.size >= MAX_EVALUATED) evaluated.clear();
    evaluated.set(key, values);
  }
  const of = expressionOf(node.value, node.parameter.text);
  session.tables.push({
    name: node.name.text,
    argument,
    result,
    first,
    values,
    saturate: node.domain?.saturate ?? false,
    ...(of === undefined ? {} : { of }),
    span: node.name.span,
  });
  session.tableIds.set(node, session.tables.length - 1);
  return session.tables.length - 1;
}

/**
 * Values of tables already evaluated, by all that they depend on: types, domain and body. Tables are worth remembering
 * across programs, since those of the standard library are most of the time that checking a model takes.
 */
const evaluated = new Map<string, readonly bigint[]>();
const MAX_EVALUATED = 32;

/** A body without its places in the text. */
const textOf = (value: ast.Value): string =>
  JSON.stringify(value, (name, part: unknown) => (name === 'span' ? undefined : part));

function evaluateTable(
  session: Session,
  frame: Frame,
  node: ast.Table,
  argument: TensorType,
  result: TensorType,
  first: bigint,
  last: bigint,
): bigint[] {
  const { scope } = frame;
  const unit = powerOfTwo(argument.kind === 'index' ? 0 : -argument.frac);
  const frac = result.kind === 'index' ? 0 : result.frac;
  const limits = typeRange(result);
  const values: bigint[] = [];
  for (let x = first; x <= last; x++) {
    const at = multiply(rational(x), unit);
    const place = { session, frame, scope, index: () => 0, argument: { name: node.parameter.text, value: at } };
    const value = roundEntry(session, node, guardedReal(place, node.value), frac);
    if (value < limits.lo || value > limits.hi) {
      const label = `at ${node.parameter.text} = ${formatRational(at)} it needs ${signedBits(value)} bits`;
      return session.reporter.fail(
        'ZKL406',
        node.value.span,
        `\`${formatType(result)}\` does not hold every value`,
        label,
        {
          notes: [{ span: node.output.span, text: 'the type of its values' }],
        },
      );
    }
    values.push(value);
  }
  return values;
}

function roundEntry(session: Session, node: ast.Table, value: Parameters<typeof roundReal>[0], frac: number): bigint {
  try {
    return roundReal(value, frac);
  } catch (error) {
    if (!(error instanceof NotReal)) throw error;
    return session.reporter.fail('ZKL406', node.value.span, 'not a real number for every argument', error.message);
  }
}

function domainOf(
  session: Session,
  frame: Frame,
  node: ast.Table,
  argument: TensorType,
): { first: bigint; last: bigint } {
  const full = typeRange(argument);
  if (node.domain === undefined) return { first: full.lo, last: full.hi };
  const { lower, upper, span } = node.domain;
  const frac = argument.kind === 'index' ? 0 : argument.frac;
  const [first, last] = [lower, upper].map((end) => {
    const value = scaledExactly(constantNumber(session, frame, end), frac);
    if (value !== undefined && value >= full.lo && value <= full.hi) return value;
    return session.reporter.fail(
      'ZKL414',
      end.span,
      `not a value of \`${formatType(argument)}\``,
      'an end of the domain',
    );
  });
  if (first > last) session.reporter.fail('ZKL414', span, 'an empty domain', 'from the lower end to the upper');
  return { first, last };
}
