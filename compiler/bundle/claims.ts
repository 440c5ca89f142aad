/**
 * Whether a proof of a program speaks of everything that the program says. A proof settles claims and nothing else: an equation
 * that no claim reaches holds for no one, and a value that is in none could be any.
 *
 * Claims arise from outputs that an equation defines, from lookups and from zeros. A claim about a tensor leads to the factors of
 * its equation, a view's and that of digits to what they view. A value that no equation defines is held by what constrains it:
 * the pairs of a table, and equations that a lookup or a zero leads to. An equation that only defines another output constrains
 * nothing: that output would follow whatever the value is.
 *
 * This catches omissions, not malice: a value that two solutions satisfy, too few equations, or others than the source has, make another
 * program, and a valid one. Whoever gets a bundle from a stranger compares its digest with that of the compiled source (`verify --program`).
 */
import type { GadgetFactor, GadgetProgram, GadgetTensor, GadgetTerm } from '../ir/gadget/program.ts';
import type { Range } from '../ir/tensor/program.ts';
import { fail } from './limits.ts';
import { booleanOf, limbsOf, shownRanges } from '../ir/gadget/magnitude.ts';
import { isNothing } from './never.ts';
import { baseOf, isOutput, layoutAt } from '../ir/gadget/walk.ts';

export function checkClaims(p: GadgetProgram): void {
  const lookedUp = p.lookups.flatMap((l) => [l.tensor, l.value ?? l.tensor]);
  // An output that is in a range is no more than that: whatever it is defined by may be many values.
  const bounded = p.lookups.filter((l) => l.value === undefined && p.tensors[l.tensor].class.kind === 'output');
  const merely = new Set(bounded.map((l) => l.tensor));
  for (const l of p.lookups) if (l.value !== undefined) for (const id of [l.tensor, l.value]) merely.delete(id);
  const constrained = reach(p, [...lookedUp.filter((id) => !merely.has(id)), ...p.zeros]);
  const defined = p.equations.filter((e) => e.level > 0).map((e) => e.target);
  const claimed = reach(p, [
    ...constrained,
    ...lookedUp,
    ...defined.filter((id) => p.tensors[id].class.kind === 'output'),
  ]);
  const evaluated = new Set(p.steps.flatMap((s) => (s.kind === 'equation' ? [s.equation] : [])));
  for (const [i, e] of p.equations.entries()) {
    const { name } = p.tensors[e.target];
    if (e.level > 0 && !claimed.has(e.target)) fail(`the equation of ${name} is never claimed`);
    if (e.level === 0 && !evaluated.has(i)) fail(`the equation of ${name} is neither claimed nor evaluated`);
  }
  for (const [id, t] of p.tensors.entries())
    if (t.class.kind === 'view' && t.class.level > 0 && !claimed.has(id)) fail(`the view ${t.name} is never claimed`);
  if (new Set(p.lookups.map((l) => l.table)).size < p.tables.length) fail('a table that nothing is looked up in');
  checkOrder(p);
  checkHeld(p, constrained, new Set(defined));
}

/** All tensors that claims about these lead to. */
function reach(p: GadgetProgram, from: readonly number[]): ReadonlySet<number> {
  const equations = new Map(p.equations.flatMap((e) => (e.level > 0 ? [[e.target, e] as const] : [])));
  const reached = new Set<number>();
  const left = [...from];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    const base = baseOf(p.tensors[id].class);
    if (base !== undefined) left.push(base);
    for (const t of equations.get(id)?.terms ?? []) for (const f of t.factors) left.push(f.tensor);
  }
  return reached;
}

/** Values that are looked up beside others follow from those: in a circle, nothing follows. */
function checkOrder(p: GadgetProgram): void {
  const from = new Map<number, number[]>();
  const add = (id: number, others: readonly number[]): void => {
    const known = from.get(id) ?? [];
    for (const other of others) known.push(other);
    from.set(id, known);
  };
  for (const [id, { class: c }] of p.tensors.entries()) {
    const base = baseOf(c);
    if (base !== undefined) add(id, [base]);
  }
  for (const e of p.equations)
    if (e.level > 0) add(e.target, [...new Set(e.terms.flatMap((t) => t.factors.map((f) => f.tensor)))]);
  for (const l of p.lookups) if (l.value !== undefined) add(l.value, [l.tensor]);
  const [open, done] = [new Set<number>(), new Set<number>()];
  for (const l of p.lookups) {
    const left = l.value === undefined ? [] : [l.value];
    for (let id = left.at(-1); id !== undefined; id = left.at(-1)) {
      if (open.has(id) || done.has(id)) {
        left.pop();
        open.delete(id);
        done.add(id);
        continue;
      }
      open.add(id);
      for (const other of from.get(id) ?? []) {
        if (open.has(other)) fail(`${p.tensors[other].name} is looked up beside what follows from it`);
        if (!done.has(other)) left.push(other);
      }
    }
  }
}

/** Terms that add something: like ones taken together, and none with the coefficient or a factor 0. */
function effective(p: GadgetProgram, terms: readonly GadgetTerm[]): GadgetTerm[] {
  const alike = Map.groupBy(terms, ({ coefficient: _, factors, ...rest }) =>
    JSON.stringify([factors.map((f) => JSON.stringify(f)).sort(), rest]),
  );
  return [...alike.values()].flatMap((own) => {
    const isZero = own.reduce((sum, t) => sum + t.coefficient, 0n) === 0n;
    const { factors } = own[0];
    return isZero || factors.some((f) => isNothing(p.tensors[f.tensor].class, p.tensors[f.tensor].shape))
      ? []
      : [own[0]];
  });
}

/** Outputs without an equation and committed values: each is in a constraint, and of the latter a lookup says how large they are. */
function checkHeld(p: GadgetProgram, constrained: ReadonlySet<number>, defined: ReadonlySet<number>): void {
  // Entry by entry, and in any way: directly or seen through a view.
  const [entries, mentioned] = [new Set<number>(), new Set<number>()];
  for (const l of p.lookups) if (l.value !== undefined) for (const held of [entries, mentioned]) held.add(l.value);
  for (const e of p.equations) {
    // b b - b says how large b is, and not what.
    if (e.level === 0 || !constrained.has(e.target) || booleanOf(e.terms) !== undefined) continue;
    // Nor does what is left of an output without its limbs.
    const output = limbsOf(p, e);
    for (const t of effective(p, e.terms))
      for (const f of t.factors) {
        if (f.tensor === output) continue;
        if (isEntryByEntry(f, t)) entries.add(f.tensor);
        mentioned.add(f.tensor);
        const c = p.tensors[f.tensor].class;
        if (c.kind === 'view' || c.kind === 'digits') mentioned.add(c.of);
      }
  }
  const free = freeValues(p);
  const shown = shownRanges(p);
  const counts = new Set(p.tables.map((t) => t.multiplicities));
  for (const [id, t] of p.tensors.entries()) {
    if (t.class.kind === 'output' && !defined.has(id) && !entries.has(id))
      fail(`the output ${t.name} has no equation at level 1, and no constraint that holds its entries`);
    const range = shown.get(id);
    if (isOutput(p, t.class)) {
      if (range === undefined || !isTypeOf(p, t, range)) fail(`nothing shows that ${t.name} is in its output's type`);
      if (!mentioned.has(id)) fail(`nothing says what ${t.name} is`);
      continue;
    }
    if (t.class.kind !== 'witness' || counts.has(id)) continue;
    if (range === undefined || !covers(t, range)) fail(`nothing shows that ${t.name} is in its range`);
    if (!mentioned.has(id) && !free.has(id)) fail(`nothing says what ${t.name} is`);
  }
}

/** Whether a range is exactly the one that whoever takes an output believes its tensor to be in. */
function isTypeOf(p: GadgetProgram, { class: c }: GadgetTensor, { lo, hi }: Range): boolean {
  if (c.kind !== 'committed') return false;
  const half = 2n ** BigInt(layoutAt(p, c.source).tensors[c.files[0]].bits - 1);
  return lo === -half && hi === half - 1n;
}

/** Whether every entry of the factor's tensor stands in an entry of the equation. */
const isEntryByEntry = ({ axes }: GadgetFactor, { shared }: GadgetTerm): boolean =>
  axes.every((a) => a.kind === 'output' || (a.kind === 'summed' && a.variable < shared.length));

/** Secret inputs that no source commits, and their limbs: a prover may choose them. */
function freeValues(p: GadgetProgram): ReadonlySet<number> {
  const secrets = new Set(p.secrets);
  const limbs = p.steps.flatMap((s) => (s.kind === 'limb' && secrets.has(s.of) ? [s.target] : []));
  return new Set([...secrets, ...limbs]);
}

/** Lookups are in ranges of at least one bit, so that a value's may go on to the next power of two. */
function covers({ range, type }: GadgetTensor, shown: Range): boolean {
  const half = type?.kind === 'fixed' ? 2n ** BigInt(type.bits - 1) : undefined;
  const lo = half !== undefined && -half < range.lo ? -half : range.lo;
  const hi = half !== undefined && half - 1n > range.hi ? half - 1n : range.hi;
  let end = 2n;
  while (end <= hi - lo) end *= 2n;
  return shown.lo >= lo && shown.hi < lo + end;
}
