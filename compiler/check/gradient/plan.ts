/**
 * What reverse mode goes through, before anything of it is made: which tensors depend on what is trained, which calls have
 * a derivative of their own, and which cotangents are rounded. All of it follows from names, shapes and declared widths,
 * never from scales, so that calibration does not change which tensors there are.
 */
import type { Definition, Equation, Polynomial, TensorId } from '../../ir/tensor/program.ts';
import { polynomialsOf } from '../../ir/tensor/walk.ts';
import { entries } from '../context.ts';
import type { CallRecord, Session } from '../context.ts';
import { hasSignature } from '../names/syntax.ts';

export interface Plan {
  readonly trained: ReadonlySet<TensorId>;
  /** Depends on what is trained. */
  readonly active: ReadonlySet<TensorId>;
  /** The outermost calls with a derivative, by the number of equations before their end; inner ones after outer ones. */
  readonly calls: ReadonlyMap<number, CallRecord>;
  /** Whose cotangent is rounded. */
  readonly rounded: ReadonlySet<TensorId>;
}

/** The tensors that an equation's values are made of; those that only choose entries are left out. */
export function factorsOf({ definition }: Equation): TensorId[] {
  if (definition.kind === 'table') return [definition.argument];
  if (definition.kind === 'argmax') return [];
  return polynomialsOf(definition).flatMap(({ polynomial }) =>
    polynomial.terms.flatMap((t) => t.factors.map((f) => f.tensor)),
  );
}

/** Plans reverse mode over the equations read so far. */
export function planReverse(session: Session, trained: readonly TensorId[]): Plan {
  const { equations, tensors } = session;
  const weights = new Set(trained);
  const active = new Set(trained);
  for (const e of equations) if (factorsOf(e).some((id) => active.has(id))) active.add(e.target);
  const calls = outermost(session.calls);
  const inner = new Map<number, CallRecord>();
  for (const call of calls.values()) for (let k = call.equations.from; k < call.equations.to; k++) inner.set(k, call);
  const readers = new Map<TensorId, number>();
  for (const [k, e] of equations.entries())
    if (!inner.has(k)) for (const id of new Set(factorsOf(e))) readers.set(id, (readers.get(id) ?? 0) + 1);
  for (const call of calls.values())
    for (const id of new Set(call.arguments.values())) readers.set(id, (readers.get(id) ?? 0) + 1);

  const size = (id: TensorId): number => entries(tensors[id].shape);
  const rounded = new Set<TensorId>(trained);
  const definitions = new Map(equations.map((e) => [e.target, e.definition]));
  /** Entries of the largest rounded cotangent that a tensor's own flows into next, those of weights left out. */
  const next = new Map<TensorId, number>();
  const reach = (ids: readonly TensorId[]): number =>
    Math.max(0, ...ids.map((id) => (weights.has(id) ? 0 : rounded.has(id) ? size(id) : (next.get(id) ?? 0))));
  for (const [k, e] of equations.entries()) {
    const call = inner.get(k);
    if (call !== undefined) {
      // What stands inside has no cotangent of its own, but for the result, which the derivative rounds, or what it makes of it.
      if (call.results.includes(e.target))
        next.set(e.target, Math.max(size(e.target), reach([...call.arguments.values()])));
      continue;
    }
    const most = reach(factorsOf(e));
    next.set(e.target, most);
    if (!active.has(e.target) || !isRounded(session, e)) continue;
    // What flows to weights alone, below the lowest adapter, is rounded as in the layers above: equal layers are proved as one.
    if ((most > 0 && size(e.target) > most) || rotates(e, { rounded, active, readers, size, definitions })) continue;
    rounded.add(e.target);
  }
  return { trained: weights, active, calls, rounded };
}

/** The calls with a derivative that stand in no other such call, by where they end. */
function outermost(calls: readonly CallRecord[]): Map<number, CallRecord> {
  const found = new Map<number, CallRecord>();
  // Inner calls were read to their end before the one that they stand in.
  let least = Infinity;
  for (const call of [...calls].reverse()) {
    const { derivative } = call.block;
    const { from, to } = call.equations;
    if (derivative === undefined || !hasSignature(call.block, derivative) || from === to || to > least) continue;
    found.set(to, call);
    least = from;
  }
  return found;
}

/**
 * Whether an equation rounds as it is written: where scales leave nothing to round, the checker makes a polynomial of it,
 * which only its own calibration key gives away.
 */
function isRounded({ tensors }: Session, equation: Equation): boolean {
  const { target, definition } = equation;
  if (definition.kind === 'round' || definition.kind === 'table') return true;
  if (definition.kind !== 'polynomial') return false;
  const { key } = tensors[target];
  return key !== undefined && factorsOf(equation).every((id) => tensors[id].key !== key);
}

/**
 * Whether a tensor is a combination of single entries of one that nothing else reads, that has no more entries and whose
 * cotangent is rounded, as of a rotation: rounding there is enough.
 */
function rotates({ target, definition }: Equation, { rounded, active, readers, size, definitions }: Known): boolean {
  if (definition.kind !== 'round' || definition.form !== 'P') return false;
  let of = onlyRead(definition.p, active);
  // Through views, which only move entries.
  for (let d = of; d !== undefined && !rounded.has(d) && readers.get(d) === 1; of = d) {
    const viewed = definitions.get(d);
    d =
      viewed?.kind === 'polynomial' && viewed.polynomial.terms.length === 1
        ? onlyRead(viewed.polynomial, active)
        : undefined;
    if (d === undefined) return false;
  }
  return of !== undefined && rounded.has(of) && readers.get(of) === 1 && size(of) <= size(target);
}

/** The only active tensor of a polynomial, where each term has one entry of it and sums nothing. */
function onlyRead({ terms }: Polynomial, active: ReadonlySet<TensorId>): TensorId | undefined {
  const read = terms.map((t) => t.factors.filter((f) => active.has(f.tensor)));
  const [first] = read;
  if (first === undefined || read.some((f) => f.length !== 1) || terms.some((t) => t.reduced.length > 0))
    return undefined;
  const { tensor } = first[0];
  return read.every(([f]) => f.tensor === tensor) ? tensor : undefined;
}

interface Known {
  readonly rounded: ReadonlySet<TensorId>;
  readonly active: ReadonlySet<TensorId>;
  readonly readers: ReadonlyMap<TensorId, number>;
  readonly definitions: ReadonlyMap<TensorId, Definition>;
  readonly size: (id: TensorId) => number;
}
