/** Tables: every value of a real function at the points of a fixed-point type, each correctly rounded. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import { formatRational, multiply, powerOfTwo, rational, signedBits } from '../../ir/numbers/rational.ts';
import type { Range, Table, TensorType } from '../../ir/tensor/program.ts';
import { constantNumber, guardedReal, scaledExactly } from './constants.ts';
import { formatType, sameType, typeRange } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { expressionOf } from './expression.ts';
import { readType } from '../indices/values.ts';
import { NotReal, roundReal } from '../../ir/numbers/real.ts';
import { Scope } from '../names/scope.ts';
import { tabulator } from './tabulate.ts';

/** Larger tables are refused: they are lookups of that many rows. */
const MAX_ROWS = 1 << 20;

/**
 * The position in the program of a declared table; evaluates it the first time it is applied to a type.
 *
 * @param given the type of the argument, where it has one
 * @param span the argument, for messages
 */
export function readTable(
  session: Session,
  node: ast.Table,
  outer: Scope,
  given: TensorType | 'rounded' | undefined,
  span: Span,
): number {
  const { reporter } = session;
  const type = given === 'rounded' ? undefined : given;
  const scope = bindDims(node, outer, type);
  if (scope === undefined) return wrongArgument(session, node, type, span);
  const argument = readType(session, scope, node.input);
  // A `round` without a type takes that of the table.
  if (given !== 'rounded' && (type === undefined || !sameType(type, argument)))
    return wrongArgument(session, node, type, span);
  const instances = session.tableIds.get(node) ?? new Map<string, number>();
  session.tableIds.set(node, instances);
  const known = instances.get(formatType(argument));
  if (known !== undefined) return known;
  const frame: Frame = { scope, path: [], at: [], keys: [], place: 'block', declared: new Map() };
  const result = readType(session, scope, node.output);
  const { first, last } = domainOf(session, frame, node, argument);
  if (last - first >= BigInt(MAX_ROWS))
    return reporter.fail({
      code: 'ZKL414',
      span: node.input.span,
      label: `\`${formatType(argument)}\``,
      help: 'give it a domain, `in [a, b]`, or fewer bits',
    });
  const key = [formatType(argument), formatType(result), first, last, node.parameter.text, textOf(node.value)].join(
    ' ',
  );
  let values = evaluated.get(key);
  if (values === undefined) {
    values = evaluateTable(session, frame, node, argument, result, first, last);
    if (evaluated.size >= MAX_EVALUATED) evaluated.clear();
    evaluated.set(key, values);
  }
  const of = expressionOf(node.value, node.parameter.text, scope);
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
  instances.set(formatType(argument), session.tables.length - 1);
  return session.tables.length - 1;
}

/** The scope of a table's body: names in `<...>` are what they have to be for the argument's type; undefined if they cannot be. */
function bindDims(node: ast.Table, outer: Scope, given: TensorType | undefined): Scope | undefined {
  const scope = new Scope(outer);
  const numbers = given === undefined ? [] : given.kind === 'index' ? [given.size] : [given.bits, given.frac];
  for (const [k, part] of node.input.arguments.entries()) {
    if (part.kind !== 'reference' || k >= numbers.length || scope.own(part.name.text) !== undefined) continue;
    if (!node.dims.some((dim) => dim.text === part.name.text)) continue;
    scope.set(part.name.text, { kind: 'dim', value: numbers[k], span: part.span });
  }
  return node.dims.every((dim) => scope.own(dim.text) !== undefined) ? scope : undefined;
}

function wrongArgument(session: Session, node: ast.Table, given: TensorType | undefined, span: Span): never {
  const takes = node.input.arguments.map((part) => (part.kind === 'reference' ? part.name.text : undefined));
  const bound = node.dims.every((dim) => takes.includes(dim.text));
  if (!bound) {
    const [missing] = node.dims.filter((dim) => !takes.includes(dim.text));
    return session.reporter.fail({
      code: 'ZKL437',
      about: { name: missing.text },
      span: missing.span,
      label: 'the type of the argument has to be made of it, as `fixed<B, F>` is of B and F',
    });
  }
  const label = given === undefined ? 'this has no type' : `this is \`${formatType(given)}\``;
  return session.reporter.fail({
    code: 'ZKL425',
    about: { table: node.name.text, type: typeText(node.input) },
    span,
    label,
    help: `\`${node.name.text}(round(...))\` rounds to the type of the table`,
  });
}

const typeText = (node: ast.Type): string =>
  `${node.name}<${node.arguments.map((part) => (part.kind === 'reference' ? part.name.text : part.kind === 'number' ? part.text : '...')).join(', ')}>`;

/**
 * Values of tables already evaluated, by all that they depend on: types, domain and body. Tables are worth remembering
 * across programs, since those of the standard library are most of the time that checking a model takes.
 */
const evaluated = new Map<string, readonly bigint[]>();
const MAX_EVALUATED = 32;

/** A body without its places in the text. */
const textOf = (value: ast.Value): string =>
  JSON.stringify(value, (name, part: unknown) => (name === 'span' ? undefined : part));

/** The least and the greatest value of each table. */
const ranges = new WeakMap<readonly bigint[], Range>();

export function rangeOf({ values }: Table): Range {
  const known = ranges.get(values);
  if (known !== undefined) return known;
  const range = { lo: values[0], hi: values[0] };
  for (const value of values) include(range, value);
  ranges.set(values, range);
  return range;
}

/** Entries that are worked out together. */
const STRETCH = 1 << 12;

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
  const f = expressionOf(node.value, node.parameter.text, scope);
  const made = f && tabulator(f, argument.kind === 'index' ? 0 : argument.frac, frac);
  const at = (x: bigint): string => formatRational(multiply(rational(x), unit));
  const exactly = (x: bigint): bigint => {
    const value = multiply(rational(x), unit);
    const place = { session, frame, scope, index: () => 0, argument: { name: node.parameter.text, value } };
    return roundEntry(session, node, guardedReal(place, node.value), frac);
  };
  const within = (x: bigint, value: bigint): bigint =>
    value >= limits.lo && value <= limits.hi
      ? value
      : session.reporter.fail({
          code: 'ZKL406',
          about: { type: formatType(result) },
          span: node.value.span,
          label: `at ${node.parameter.text} = ${at(x)} it needs ${signedBits(value)} bits`,
          notes: [{ span: node.output.span, text: 'the type of its values' }],
        });
  const values: bigint[] = [];
  // Numbers, as long as they decide: bigints take half of the time.
  const [lo, hi] = [Number(limits.lo), Number(limits.hi)];
  const range = { lo: limits.hi, hi: limits.lo };
  const results = new Float64Array(STRETCH).fill(NaN);
  for (let from = first; from <= last; from += BigInt(STRETCH)) {
    const stretch = results.subarray(0, Math.min(STRETCH, Number(last - from) + 1));
    made?.quickly(from, stretch);
    let [least, most] = [Infinity, -Infinity];
    for (let k = 0; k < stretch.length; k++) {
      const y = stretch[k];
      if (y >= lo && y <= hi) {
        values.push(BigInt(y));
        if (y < least) least = y;
        if (y > most) most = y;
        continue;
      }
      const x = from + BigInt(k);
      const value = within(x, Number.isNaN(y) ? (made?.slowly(x) ?? exactly(x)) : BigInt(y));
      values.push(value);
      include(range, value);
    }
    if (least <= most) for (const y of [least, most]) include(range, BigInt(y));
  }
  ranges.set(values, range);
  return values;
}

function include(range: { lo: bigint; hi: bigint }, value: bigint): void {
  if (value < range.lo) range.lo = value;
  if (value > range.hi) range.hi = value;
}

function roundEntry(session: Session, node: ast.Table, value: Parameters<typeof roundReal>[0], frac: number): bigint {
  try {
    return roundReal(value, frac);
  } catch (error) {
    if (!(error instanceof NotReal)) throw error;
    return session.reporter.fail({ code: 'ZKL428', span: node.value.span, label: error.message });
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
    return session.reporter.fail({
      code: 'ZKL438',
      about: { type: formatType(argument) },
      span: end.span,
      label: 'an end of the domain',
    });
  });
  if (first > last) session.reporter.fail({ code: 'ZKL439', span, label: 'from the lower end to the upper' });
  return { first, last };
}
