/** `round`, tables and maxima: as a whole right-hand side, or inside an expression as tensors of their own. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Compare, Range, TensorId, TensorType } from '../../ir/tensor/program.ts';
import { connected } from '../indices/bounds.ts';
import { formatType, sameType } from '../context.ts';
import type { FixedType, Session } from '../context.ts';
import { emit, entryFactor, guardQuantity } from './emit.ts';
import type { Meaning } from './emit.ts';
import { lookUp, readFixed, writtenType } from '../indices/values.ts';
import { factorPoly, freeVariables, guardPoly } from '../numbers/polynomial.ts';
import type { Quantity } from '../numbers/polynomial.ts';
import { neverEmpty } from '../numbers/ranges.ts';
import { extendAt } from '../names/paths.ts';
import { readTable } from '../numbers/tables.ts';
import type { Place } from './place.ts';
import { enterReduction, exactPolynomial, readValue } from './values.ts';

/** What a bare `round` is rounded to, where the context says it. */
export interface Wanted {
  readonly type?: TensorType;
  readonly clamp?: Range;
  /** The key that calibration gave `type` under. */
  readonly given?: string;
  /** The calibration key, where the `round` is a whole right-hand side. */
  readonly key?: string;
}

/** What a value means as a whole right-hand side. */
export function readMeaning(place: Place, node: ast.Value, wanted: Wanted): Meaning {
  if (node.kind === 'call' && node.name.text === 'round') return readRound(place, node, wanted);
  if (node.kind === 'call' && place.scope.find(node.name.text)?.kind === 'table') return readTableCall(place, node);
  if (node.kind === 'reduce' && node.operator !== 'sum') return readMaximum(place, node);
  return { kind: 'polynomial', p: exactPolynomial(place, readValue(place, node), node.span) };
}

/** A `round`, table or maximum inside an expression: a hidden tensor over the indices it depends on. */
export function derive(place: Place, node: ast.Call | ast.Reduce): Quantity {
  const what = node.kind === 'call' ? node.name.text : node.operator;
  const name = `${place.name}/${what}`;
  const meaning = readMeaning({ ...place, name, key: `${place.key}/${what}`, exact: false }, node, {});
  const tensor = emitDerived(place, meaning, name, node.span);
  return { p: factorPoly(entryFactor(tensor.id, tensor.indices)) };
}

function emitDerived(place: Place, meaning: Meaning, name: string, span: Span): { id: TensorId; indices: number[] } {
  const { session } = place;
  const base = { name, visibility: 'hidden', role: 'inner', span, value: span } as const;
  if (meaning.kind === 'table') {
    // Its argument is a tensor already, over the variables it depends on.
    const indices = session.derived.get(meaning.argument) ?? [...place.outputs];
    return { id: emit(session, { ...base, indices }, meaning).id, indices };
  }
  const free = meaningVariables(meaning);
  const guards = connected(place.guards, free);
  const indices = [...place.outputs, ...place.reduced].filter((id) => free.has(id));
  const id = emit(session, { ...base, indices }, guarded(meaning, guards)).id;
  session.derived.set(id, indices);
  return { id, indices };
}

function meaningVariables(meaning: Exclude<Meaning, { kind: 'table' }>): Set<number> {
  if (meaning.kind === 'polynomial') return freeVariables(meaning.p);
  if (meaning.kind === 'round') {
    const free = freeVariables(meaning.of.p);
    for (const id of freeVariables(meaning.of.q ?? [])) free.add(id);
    return free;
  }
  const free = freeVariables([...meaning.of, ...guardPoly(meaning.of.slice(0, 1), meaning.guards)]);
  for (const id of meaning.over) free.delete(id);
  return free;
}

function guarded(meaning: Meaning, guards: readonly Compare[]): Meaning {
  if (meaning.kind === 'polynomial') return { ...meaning, p: guardPoly(meaning.p, guards) };
  if (meaning.kind === 'round') return { ...meaning, of: guardQuantity(meaning.of, guards) };
  if (meaning.kind === 'table') return meaning;
  return { ...meaning, of: guardPoly(meaning.of, guards) };
}

function readRound(place: Place, node: ast.Call, wanted: Wanted): Meaning {
  const { session, frame } = place;
  const { reporter } = session;
  const [argument] = node.arguments;
  if (node.arguments.length !== 1 || argument.name !== undefined)
    return reporter.fail({ code: 'ZKL207', about: { name: 'round' }, span: node.span, label: 'wrong arguments' });
  const type = roundType(place, node, wanted);
  const inner = { ...place, frame: extendAt(session, frame, place.scope, node.at) };
  const of = readValue(inner, argument.value);
  const written = writtenType(session, place.scope, node) !== undefined;
  const key = wanted.type === undefined ? wanted.key : wanted.given;
  return {
    kind: 'round',
    of,
    type,
    ...(written || key === undefined ? {} : { key }),
    ...(wanted.clamp === undefined ? {} : { clamp: wanted.clamp }),
  };
}

function roundType(place: Place, node: ast.Call, wanted: Wanted): TensorType & { kind: 'fixed' } {
  const { session, scope } = place;
  const { reporter } = session;
  const written = writtenType(session, scope, node);
  if (written !== undefined) {
    if (wanted.type !== undefined && !sameType(written, wanted.type))
      return reporter.fail({
        code: 'ZKL423',
        span: node.span,
        label: `\`${formatType(written)}\``,
        help: `\`${formatType(wanted.type)}\` is expected here: a bare \`round(...)\` takes it`,
      });
    return written;
  }
  if (wanted.type !== undefined) {
    if (wanted.type.kind === 'fixed') return wanted.type;
    return reporter.fail({ code: 'ZKL424', span: node.span, label: `\`${formatType(wanted.type)}\` is expected here` });
  }
  if (wanted.key === undefined)
    return reporter.fail({
      code: 'ZKL421',
      span: node.span,
      label: 'rounded to what?',
      help: 'write `round<bits, frac>(...)`, or give it a name in an equation of its own',
    });
  return { kind: 'fixed', ...calibrated(session, wanted.key, place.name, node.name.span) };
}

/** What checking goes on with where calibration has not said a type; no program comes of it. */
const PROVISIONAL: FixedType = { bits: 16, frac: 8 };

/** The calibrated type under a key; `owner` is the name of the tensor it is for. */
export function calibrated(session: Session, key: string, owner: string, span: Span): FixedType {
  const place = owner.replace(/\[\d+\]/g, '');
  const known = session.keys.get(key);
  if (known !== undefined && known.place !== place)
    return session.reporter.fail({
      code: 'ZKL216',
      about: { key },
      span,
      label: 'and here',
      notes: [{ span: known.span, text: 'the first' }],
      help: 'name the calls: each in an equation of its own, or with its own `at`',
    });
  session.keys.set(key, { span, place });
  const type = Object.hasOwn(session.calibration, key) ? session.calibration[key] : undefined;
  if (type === undefined) {
    if (known === undefined) session.uncalibrated.push({ key, span });
    return PROVISIONAL;
  }
  checkBits(session, key, place, type, span);
  return type;
}

/** Iterations of a `repeat` may differ in scale, not in width: they are proved as instances of one plan. */
function checkBits(session: Session, key: string, place: string, { bits, frac }: FixedType, span: Span): void {
  readFixed(session, span, bits, frac);
  const before = session.widths.get(place);
  if (before !== undefined && before.bits !== bits)
    return session.reporter.fail({
      code: 'ZKL416',
      about: { key, bits, other: before.key, width: before.bits },
      span,
      label: 'one width for all iterations',
      help: 'give both keys the larger width in the calibration',
    });
  session.widths.set(place, { key, bits });
}

/** A table applied to a tensor or a `round`. */
function readTableCall(place: Place, node: ast.Call): Meaning {
  const { session, scope } = place;
  const { reporter } = session;
  const binding = lookUp(session, scope, node.name);
  const [argument] = node.arguments;
  if (binding.kind !== 'table' || node.arguments.length !== 1 || node.dims.length > 0 || argument.name !== undefined)
    return reporter.fail({
      code: 'ZKL207',
      about: { name: node.name.text },
      span: node.span,
      label: 'wrong arguments',
    });
  const inner: Place = {
    ...place,
    frame: extendAt(session, place.frame, scope, node.at),
    name: `${place.name}/argument`,
    key: `${place.key}/argument`,
  };
  const value = argument.value;
  if (value.kind === 'call' && value.name.text === 'round') {
    const given = roundedType(inner, binding.node, value);
    const table = readTable(session, binding.node, binding.scope, given.type ?? 'rounded', value.span);
    const { argument: type, first, values, saturate } = session.tables[table];
    refuseGuarded(place, node, table);
    const last = first + BigInt(values.length) - 1n;
    const clamp = saturate ? { clamp: { lo: first, hi: last } } : {};
    const key = given.key === undefined ? {} : { given: given.key };
    const meaning = readRound(inner, value, { type, ...key, ...clamp });
    return { kind: 'table', table, argument: argumentTensor(inner, meaning, value.span) };
  }
  const meaning = readMeaning(inner, value, {});
  const id = plainTensor(inner, meaning) ?? argumentTensor(inner, meaning, value.span);
  const table = readTable(session, binding.node, binding.scope, session.tensors[id].type, value.span);
  refuseGuarded(place, node, table);
  return { kind: 'table', table, argument: id };
}

/** What a `round` under a table whose type its argument gives rounds to: as written, or calibrated. */
function roundedType(
  place: Place,
  table: ast.Table,
  node: ast.Call,
): { readonly type?: TensorType; readonly key?: string } {
  if (table.dims.length === 0) return {};
  const type = writtenType(place.session, place.scope, node);
  if (type !== undefined) return { type };
  const { bits, frac } = calibrated(place.session, place.key, place.name, node.name.span);
  return { type: { kind: 'fixed', bits, frac }, key: place.key };
}

function refuseGuarded({ session, guards }: Place, node: ast.Call, table: number): void {
  const { first, values, saturate } = session.tables[table];
  if (guards.length === 0 || saturate || (first <= 0n && first + BigInt(values.length) > 0n)) return;
  return session.reporter.fail({
    code: 'ZKL436',
    span: node.span,
    label: 'outside the guard its argument is 0',
    help: 'apply it in an equation of its own, without the guard',
  });
}

/** The tensor that a polynomial reads entry by entry at exactly the outputs. */
function plainTensor(place: Place, meaning: Meaning): TensorId | undefined {
  if (meaning.kind !== 'polynomial' || meaning.p.length !== 1 || place.guards.length > 0) return undefined;
  const [term] = meaning.p;
  const [factor] = term.factors;
  const { outputs } = place;
  if (term.factors.length !== 1 || term.guards.length > 0 || term.reduced.length > 0 || place.reduced.length > 0)
    return undefined;
  if (term.coefficient.num !== 1n || term.coefficient.den !== 1n || factor.at.length !== outputs.length)
    return undefined;
  return factor.at.every((e, k) => e.kind === 'var' && e.var === outputs[k]) ? factor.tensor : undefined;
}

/** The argument of a table as a tensor: over all outputs where the table is the whole right-hand side. */
function argumentTensor(place: Place, meaning: Meaning, span: Span): TensorId {
  if (place.exact !== true) return emitDerived(place, meaning, place.name, span).id;
  const target = {
    name: place.name,
    indices: place.outputs,
    visibility: 'hidden',
    role: 'inner',
    span,
    value: span,
  } as const;
  return emit(place.session, target, meaning).id;
}

function readMaximum(place: Place, node: ast.Reduce): Meaning {
  const { session } = place;
  const { reporter, bounds } = session;
  const kind = node.operator === 'argmax' ? 'argmax' : 'max';
  const { inner, over, guards } = enterReduction(place, node);
  if (kind === 'argmax' && over.length !== 1)
    return reporter.fail({ code: 'ZKL316', span: node.span, label: `here are ${over.length}` });
  const some = neverEmpty(over, guards, bounds);
  if (some !== true)
    return reporter.fail({
      code: 'ZKL311',
      about: { reduction: kind },
      span: node.span,
      label:
        some === false
          ? 'its guard holds nowhere for some values of the other indices'
          : 'cannot prove that its guard ever holds',
    });
  const of = exactPolynomial(inner, readValue(inner, node.body), node.body.span);
  return { kind, over, guards, of };
}
