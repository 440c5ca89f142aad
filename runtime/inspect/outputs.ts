/**
 * What each public output of a gadget program depends on, and in which way: the dependence of every tensor on the secrets,
 * found in one pass over `steps`. Whatever a prover publishes is what its steps compute, so that nothing can be published
 * that they do not say: rounded values, tables, limbs, selectors and maxima among them, which no equation defines.
 *
 * Other public outputs are public where they are read. What depends on secrets through them alone tells nothing more.
 */
import type { GadgetFactor, GadgetProgram, GadgetStep, GadgetTerm } from '../../compiler/ir/gadget/program.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import { variablesOf } from '../../compiler/ir/indices/expression.ts';
import { viewMap } from '../protocol/statement/views.ts';
import {
  asFunction,
  asRounded,
  joinKeys,
  limited,
  nothing,
  product,
  size,
  sum,
  union,
  unionAll,
  type Dependence,
} from './dependence.ts';

/** Entries of a view that are counted; larger ones are taken to read as many as they have. */
const MAX_COUNTED = 2 ** 20;

/** The dependence of every public output, by tensor. */
export function outputDependences(program: GadgetProgram): Map<number, Dependence> {
  const { tensors, sources, equations } = program;
  const known = new Map<number, Dependence>();
  const outputs = new Map<number, Dependence>();
  const secret = (id: number): Dependence => ({
    ...nothing,
    form: 'linear',
    secrets: new Set([id]),
    unknowns: new Map([['', 1]]),
    entries: size(tensors[id].shape),
    alone: true,
  });
  const inputs = new Set(program.secrets);

  const of = (id: number): Dependence => {
    const { class: c, shape } = tensors[id];
    if (inputs.has(id)) return secret(id);
    switch (c.kind) {
      case 'input':
      case 'output':
        return { ...nothing, publics: new Set([id]) };
      case 'constant':
        return nothing;
      case 'committed':
        if (isOutput(program, c)) return known.get(id) ?? secret(id);
        return sources[c.source].open ? nothing : secret(id);
      case 'selector':
        return { ...nothing, publics: of(c.of).publics };
      case 'gathered': {
        const all = of(c.of);
        // One of as many rows each: a product with a public tensor that is 0 or 1.
        const unknowns = [...all.unknowns].map(
          ([k, n]) => [joinKeys(k, `${c.indices}`), n * tensors[c.of].shape[0]] as const,
        );
        return limited({
          ...all,
          publics: union(all.publics, of(c.indices).publics),
          unknowns: new Map(unknowns),
          rows: new Set(tensors[c.indices].shape.keys()),
          entries: Math.min(all.entries, size(shape)),
        });
      }
      case 'view': {
        const viewed = of(c.of);
        const reads = viewed.alone && size(shape) <= MAX_COUNTED;
        const map = reads ? viewMap(shape, tensors[c.of].shape, c.at, c.guards) : undefined;
        const entries = map ? new Set(map.filter((i) => i >= 0)).size : size(shape);
        const rows = new Set([...viewed.rows].flatMap((axis) => [...variablesOf(c.at[axis])]));
        return { ...viewed, rows, entries: Math.min(viewed.entries, entries) };
      }
      case 'digits': {
        const viewed = of(c.of);
        const rows = new Set(
          [...viewed.rows].flatMap((axis) => c.axes[axis].flatMap((d) => (typeof d === 'number' ? [] : [d.variable]))),
        );
        return { ...viewed, rows, entries: Math.min(viewed.entries, size(shape)) };
      }
      default:
        // What no step computes is for a prover to choose: as good as a secret.
        return known.get(id) ?? secret(id);
    }
  };

  const add = (target: number, d: Dependence): void => {
    const found = tensors[target].class.kind === 'output' ? outputs : known;
    const before = found.get(target);
    found.set(target, before ? sum([before, d], tensors[target].shape) : d);
  };
  const computed = new Set<number>();
  for (const s of program.steps) {
    const step = s.kind === 'equation' ? equations[s.equation] : s;
    if (inputs.has(step.target)) continue;
    computed.add(step.target);
    add(step.target, 'terms' in step ? sumOf(program, step.target, step.terms, of) : stepped(program, step, of));
  }
  for (const e of equations)
    if (tensors[e.target].class.kind === 'output' && !computed.has(e.target))
      add(e.target, sumOf(program, e.target, e.terms, of));
  for (const l of program.lookups)
    if (l.value !== undefined && tensors[l.value].class.kind === 'output' && !computed.has(l.value))
      add(l.value, asFunction(of(l.tensor)));
  return outputs;
}

function stepped(
  { tensors }: GadgetProgram,
  step: Exclude<GadgetStep, { readonly kind: 'equation' | 'sum' }>,
  of: (id: number) => Dependence,
): Dependence {
  const d = of(step.of);
  switch (step.kind) {
    case 'floor':
    case 'root': {
      const rounded = step.kind === 'root' ? asFunction(d) : step.by === 1n ? d : asRounded(d);
      if (typeof step.by === 'bigint') return rounded;
      const by = of(step.by);
      if (by.form === 'none') return { ...rounded, publics: union(d.publics, by.publics) };
      return asFunction(product([d, by]));
    }
    case 'clamp':
      return asRounded(d);
    case 'limb':
    case 'isZero':
    case 'table':
      return asFunction(d);
    case 'after':
      return { ...d, alone: false };
    case 'select':
      if (d.form === 'linear' && d.alone && !d.rounded) return { ...d, form: 'selected', unknowns: nothing.unknowns };
      return asFunction(d);
    case 'largest': {
      const publics = step.mask === undefined ? d.publics : union(d.publics, of(step.mask).publics);
      if (d.form === 'none') return { ...d, publics };
      const bits = (size(tensors[step.target].shape) / step.over) * Math.log2(step.over);
      return { ...nothing, form: 'choice', secrets: d.secrets, publics, bits: new Map([[step.target, bits]]) };
    }
  }
}

function sumOf(
  program: GadgetProgram,
  target: number,
  terms: readonly GadgetTerm[],
  of: (id: number) => Dependence,
): Dependence {
  const { shape } = program.tensors[target];
  return sum(
    terms.filter((t) => t.coefficient !== 0n).map((t) => termDependence(program, shape, t, of)),
    shape,
  );
}

function termDependence(
  program: GadgetProgram,
  shape: readonly number[],
  t: GadgetTerm,
  of: (id: number) => Dependence,
): Dependence {
  const factors = t.factors.map((factor) => ({ factor, d: of(factor.tensor) }));
  const hidden = factors.filter(({ d }) => d.form !== 'none');
  const open = factors.filter(({ d }) => d.form === 'none' && d.publics.size > 0);
  const publics = unionAll(factors.map(({ d }) => d.publics));
  if (hidden.length === 0) return { ...nothing, publics };
  const all = product(hidden.map(({ d }) => d));
  const summed = (list: typeof factors): number =>
    summedLength(
      program,
      t,
      list.map(({ factor }) => factor),
    );

  const rows = new Set<number>();
  const outputsOf = (f: GadgetFactor): (number | undefined)[] => f.axes.map((a) => outputOf(t, a));
  for (const o of shape.keys()) {
    const inHidden = hidden.some(({ factor }) => outputsOf(factor).includes(o));
    const ofRow = hidden.some(({ factor, d }) => outputsOf(factor).some((x, axis) => x === o && d.rows.has(axis)));
    if (ofRow || (!inHidden && open.some(({ factor }) => outputsOf(factor).includes(o)))) rows.add(o);
  }
  let { unknowns } = all;
  if (open.length > 0) {
    const key = open.map(({ factor }) => factor.tensor).join('*');
    // x W A, W known: as many as x has entries there, or as many as A has, whichever is less.
    const length = Math.min(summed(open), summed(hidden));
    unknowns = new Map([...unknowns].map(([k, n]) => [joinKeys(k, key), n * length]));
  }
  return limited({
    ...all,
    publics,
    unknowns,
    rows,
    entries: all.alone ? all.entries : Math.min(all.entries, size(shape)),
    alone: all.alone && summed(hidden) === 1,
  });
}

/** The output index that an axis is, if any. */
const outputOf = (t: GadgetTerm, a: GadgetFactor['axes'][number]): number | undefined =>
  a.kind === 'output' ? a.output : a.kind === 'summed' ? t.shared[a.variable] : undefined;

/** Over how many entries of some factors one entry of the target sums. */
function summedLength({ tensors }: GadgetProgram, t: GadgetTerm, factors: readonly GadgetFactor[]): number {
  const lengths = new Map<string, number>();
  for (const [k, f] of factors.entries())
    for (const [j, a] of f.axes.entries())
      if (a.kind === 'half') lengths.set(`${k} ${j}`, tensors[f.tensor].shape[j]);
      else if (a.kind === 'summed' && a.variable >= t.shared.length)
        lengths.set(`${a.variable}`, t.variables[a.variable]);
  return size([...lengths.values()]);
}
