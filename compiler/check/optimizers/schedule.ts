/**
 * Numbers that differ from step to step, such as a falling rate or Adam's corrections of bias: worked out exactly for every
 * step of a run, rounded as the text says, and put into a constant that the public input `step` reads. They are part of the
 * program, and cost a proof nothing.
 */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import { divide, equals, formatRational, gcdRational, rational } from '../../ir/numbers/rational.ts';
import type { Rational, TensorId, TensorType } from '../../ir/tensor/program.ts';
import { MAX_CONSTANT_ENTRIES, addTensor } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { emit, typeScale } from '../equations/emit.ts';
import { writtenType } from '../indices/values.ts';
import { tensorName } from '../names/paths.ts';
import { Scope } from '../names/scope.ts';
import { namesIn } from '../names/syntax.ts';
import { constantNumber } from '../numbers/constants.ts';
import { factorPoly } from '../numbers/polynomial.ts';

/** A number for each step, or one for all of them. */
export interface Series {
  readonly values: readonly Rational[];
  /** It hangs on the step: where only one step is read, as many values as one say nothing of that. */
  readonly varies: boolean;
  /** Where it is defined. */
  readonly span: Span;
}

/** The steps of one training, and what was tabulated over them. */
export interface Steps {
  /** How many there are; 1 where an optimizer is read for its own sake. */
  readonly count: number;
  /** The scalar input that says which step it is, from 0; nothing reads it where there is one step. */
  readonly input: TensorId | undefined;
  /** Scalars read from tables; equal ones are shared. */
  readonly tables: Map<string, TensorId>;
  /** What an expression was worked out to be, by what it hangs on. */
  readonly known: Map<ast.Value, Map<string, Series>>;
  /** The numbers of the steps, counted from 0 or from 1. */
  readonly numbers: readonly [readonly Rational[], readonly Rational[]];
}

export function stepsOf(input: TensorId | undefined, count: number): Steps {
  const from = (first: number): Rational[] => Array.from({ length: count }, (_, k) => rational(k + first));
  return { count, input, tables: new Map(), known: new Map(), numbers: [from(0), from(1)] };
}

/** Where `public` lines of an optimizer are read. */
export interface Schedule {
  /** The scope that they stand in. */
  readonly owner: Scope;
  readonly steps: Steps;
  /** What hangs on the step, or may: the step, constants given, and the lines read so far. */
  readonly series: Map<string, Series>;
}

/** The numbers of the steps, of which the first is 0 or 1. */
export const counting = (steps: Steps, first: 0 | 1, span: Span): Series => ({
  values: steps.numbers[first],
  varies: true,
  span,
});

/** A constant expression at every step. */
export function seriesOf(
  session: Session,
  frame: Frame,
  steps: Steps,
  series: ReadonlyMap<string, Series>,
  value: ast.Value,
  span: Span,
): Series {
  const mentioned = [...namesIn({ axes: [], value })].flatMap((name): (readonly [string, Series])[] => {
    const found = series.get(name);
    return found === undefined ? [] : [[name, found]];
  });
  const known = steps.known.get(value) ?? new Map<string, Series>();
  steps.known.set(value, known);
  const key = dependencies(frame.scope, value, series);
  const before = known.get(key);
  if (before !== undefined) return before;
  const varying = mentioned.filter(([, { varies }]) => varies);
  const values: Rational[] = [];
  for (let k = 0; k < (varying.length === 0 ? 1 : steps.count); k++) {
    const scope = new Scope(frame.scope);
    for (const [name, of] of mentioned)
      scope.set(name, { kind: 'const', value: of.values[k] ?? of.values[0], span: of.span });
    values.push(constantNumber(session, { ...frame, scope }, value));
  }
  const same = values.every((v) => equals(v, values[0]));
  const made = { values: same ? values.slice(0, 1) : values, varies: varying.length > 0, span };
  known.set(key, made);
  return made;
}

/** What the values of an expression hang on besides its text and the steps. */
function dependencies(scope: Scope, value: ast.Value, series: ReadonlyMap<string, Series>): string {
  const parts = [...namesIn({ axes: [], value })].sort().map((name) => {
    const of = series.get(name);
    if (of !== undefined)
      return `${name} = ${of.values.length > 1 ? identity(of.values) : formatRational(of.values[0])}`;
    const binding = scope.find(name);
    if (binding?.kind === 'dim' || binding?.kind === 'counter') return `${name} = ${binding.value}`;
    return binding?.kind === 'const' ? `${name} = ${formatRational(binding.value)}` : name;
  });
  return parts.join(';');
}

const identities = new WeakMap<readonly Rational[], string>();
let identified = 0;

function identity(values: readonly Rational[]): string {
  const known = identities.get(values) ?? `series ${identified++}`;
  identities.set(values, known);
  return known;
}

/** Makes a name stand for its series in the equations of a frame: a constant, or a scalar read from a table. */
export function bindSeries(
  session: Session,
  frame: Frame,
  steps: Steps,
  name: string,
  { values, span }: Series,
  type?: TensorType,
): void {
  const { scope } = frame;
  if (values.length === 1) return scope.set(name, { kind: 'const', value: values[0], span });
  const common = type === undefined ? values.reduce(gcdRational, rational(0)) : typeScale(type);
  const integers = values.map((v) => divide(v, common).num);
  const key = `${formatRational(common)} ${type === undefined ? '' : typeScale(type).den} ${integers.join()}`;
  let tensor = steps.tables.get(key);
  if (tensor === undefined) {
    tensor = readAtStep(
      session,
      steps,
      tensorName({ ...frame, path: ['schedule'] }, name),
      common,
      integers,
      span,
      type,
    );
    steps.tables.set(key, tensor);
  }
  scope.set(name, { kind: 'tensor', tensor, span });
}

function readAtStep(
  session: Session,
  steps: Steps,
  name: string,
  scale: Rational,
  integers: readonly bigint[],
  span: Span,
  type: TensorType | undefined,
): TensorId {
  const { input } = steps;
  if (input === undefined) throw new Error('internal error: a schedule without steps');
  if (integers.length > MAX_CONSTANT_ENTRIES)
    return session.reporter.fail({ code: 'ZKL326', span, label: `[${integers.length}]` });
  let [lo, hi] = [integers[0], integers[0]];
  for (const v of integers) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  const shape = [integers.length];
  const of = type === undefined ? {} : { type };
  const table = { name: `${name}/steps`, shape, scale, range: { lo, hi }, ...of, span };
  const { id } = addTensor(session, { ...table, visibility: 'public', role: 'inner' });
  const indices = [{ name: 'step', size: integers.length }];
  session.equations.push({ target: id, indices, definition: { kind: 'constant', values: integers }, span });
  const p = factorPoly({ tensor: id, at: [{ kind: 'entry', tensor: input, at: [] }] });
  const target = { name, indices: [], visibility: 'hidden', role: 'inner', span, value: span } as const;
  return emit(session, target, { kind: 'polynomial', p }).id;
}

/**
 * `public c = round<32, 16>(1 / (1 - beta ^ step))`: a number that prover and verifier work out for each step. One that
 * differs from step to step stands in a table, so its text says how it is rounded.
 */
export function definePublic(session: Session, frame: Frame, node: ast.Output): void {
  const { scope, schedule } = frame;
  const { name, value } = node;
  if (schedule?.owner !== scope || node.axes.length > 0) {
    const label = 'the verifier works out scalars, one for each step';
    return session.reporter.fail({ code: 'ZKL234', span: node.span, label });
  }
  const { steps, series } = schedule;
  const made = seriesOf(session, frame, steps, series, value, name.span);
  const type = value.kind === 'call' && value.name.text === 'round' ? writtenType(session, scope, value) : undefined;
  if (made.varies && type === undefined)
    return session.reporter.fail({
      code: 'ZKL422',
      span: value.span,
      label: 'it differs from step to step: write `round<bits, frac>(...)`',
    });
  series.set(name.text, made);
  bindSeries(session, frame, steps, name.text, made, type);
}
