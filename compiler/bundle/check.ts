/**
 * What a gadget program has to satisfy besides being well-formed field by field: lengths agree, every reference points
 * backwards, every claim is settled at a later level than it arises at, and no integer can wrap.
 */
import type {
  CommittedSource,
  CommittedTensor,
  GadgetProgram,
  GadgetTensor,
  GadgetTerm,
} from '../ir/gadget/program.ts';
import type { Range, TensorType } from '../ir/tensor/program.ts';
import { checkClaims } from './claims.ts';
import { leadsOutside } from '../ir/gadget/digits.ts';
import { fail, limits } from './limits.ts';
import { checkOutputs, checkPlaces } from './places.ts';
import { tooWide } from '../ir/gadget/magnitude.ts';
import { isKnown, layoutsOf } from '../ir/gadget/walk.ts';

/** Every axis has its variable's length, and every output index is bound exactly once or shared or free. */
export function checkTerm(term: GadgetTerm, tensors: readonly GadgetTensor[], outputs: readonly number[]): void {
  const bound = new Map<number, number>();
  for (const { tensor, axes } of term.factors) {
    const { shape } = tensors[tensor];
    if (axes.length !== shape.length) fail('a factor has the wrong number of axes');
    const seen = new Set<string>();
    for (const [j, a] of axes.entries()) {
      const length =
        a.kind === 'output' ? outputs[a.output] : a.kind === 'summed' ? term.variables[a.variable] : shape[j];
      if (length !== shape[j]) fail('an axis has another length than its index');
      const key = a.kind === 'output' ? `o${a.output}` : a.kind === 'summed' ? `v${a.variable}` : `h${j}`;
      if (seen.has(key)) fail('two axes of a factor have one index');
      seen.add(key);
      if (a.kind === 'output') bound.set(a.output, (bound.get(a.output) ?? 0) + 1);
    }
  }
  for (const [v, o] of term.shared.entries()) {
    if (term.variables[v] !== outputs[o]) fail('a shared index has another length than its variable');
    bound.set(o, (bound.get(o) ?? 0) + 1);
  }
  for (const o of term.free) bound.set(o, (bound.get(o) ?? 0) + 1);
  if (outputs.some((_, o) => bound.get(o) !== 1)) fail('an output index is not bound exactly once');
  // Axes that are summed alone are worth 2^k in the coefficient: without it, integers would not be what they seem.
  const halves = term.factors.flatMap((f) =>
    f.axes.flatMap((a, j) => (a.kind === 'half' ? [Math.ceil(Math.log2(tensors[f.tensor].shape[j]))] : [])),
  );
  if (term.coefficient % 2n ** BigInt(halves.reduce((n, k) => n + k, 0)) !== 0n)
    fail('a coefficient does not count an axis that is summed alone');
  const summed = new Set(term.factors.flatMap((f) => f.axes.flatMap((a) => (a.kind === 'summed' ? [a.variable] : []))));
  if (term.variables.some((_, v) => !summed.has(v))) fail('a term has a variable that no factor has');
  if (term.free.some((o) => outputs[o] > limits.known)) fail('a free index is too long');
  if (term.variables.reduce((n, d) => n * 2 ** Math.ceil(Math.log2(d)), 1) > limits.entries)
    fail('a term sums over too much');
}

/** `sources`: how many of the layouts are those of sources. The others are outputs. */
export function checkTensor(
  tensors: readonly GadgetTensor[],
  layouts: readonly CommittedSource[],
  sources: number,
  id: number,
  t: GadgetTensor,
): void {
  const c = t.class;
  if (c.kind === 'input' && t.type && !sameRange(t.range, typeRange(t.type)))
    fail(`${t.name} has another range than its type`);
  if (c.kind === 'view') {
    // Views are appended after what they view, so that no chain of them can turn in a circle.
    if (isView(tensors[c.of])) fail(`${t.name} is a view of a view`);
    if (c.of >= id || c.at.length !== tensors[c.of].shape.length) fail(`the view ${t.name} does not fit what it views`);
  } else if (c.kind === 'digits') {
    if (isView(tensors[c.of])) fail(`${t.name} is a view of a view`);
    const { shape } = tensors[c.of];
    const bits = (n: number): number => Math.ceil(Math.log2(n));
    if (c.of >= id || c.axes.length !== shape.length || c.axes.some((a, j) => a.length !== bits(shape[j])))
      fail(`the digits ${t.name} do not fit what they view`);
    const used = c.axes.flat().flatMap((d) => (typeof d === 'number' ? [] : [d]));
    if (used.some((d) => d.variable >= t.shape.length || d.bit >= bits(t.shape[d.variable])))
      fail(`${t.name} has a digit of no index`);
    if (new Set(used.map((d) => `${d.variable}:${d.bit}`)).size !== used.length) fail(`${t.name} uses a digit twice`);
    if (t.shape.some((n, v) => 2 ** bits(n) !== n && !leadsOutside(c.axes, shape, v, n)))
      fail(`${t.name} reads entries beyond its own shape`);
  } else if (c.kind === 'selector') {
    const indices = tensors[c.of];
    const { kind } = indices.class;
    const size = indices.type?.kind === 'index' ? indices.type.size : 0;
    if ((kind !== 'input' && kind !== 'output') || t.shape.join() !== [...indices.shape, size].join())
      fail(`${t.name} selects by what is no public tensor of indices`);
    if (indices.range.lo !== 0n || indices.range.hi !== BigInt(size) - 1n) fail(`${indices.name} is out of its range`);
  } else if (c.kind === 'gathered') {
    const [of, indices] = [tensors[c.of], tensors[c.indices]];
    if (of.class.kind !== 'committed' || of.class.source >= sources || of.class.stacked !== 0 || of.shape.length === 0)
      fail(`${t.name} is rows of what is no tensor of a source`);
    // As every public input, it is in the range of its type.
    const size = indices.class.kind === 'input' && indices.type?.kind === 'index' ? indices.type.size : 0;
    if (size !== of.shape[0]) fail(`${t.name} is rows that no public input names`);
    if (t.shape.join() !== [...indices.shape, ...of.shape.slice(1)].join())
      fail(`${t.name} has another shape than its rows`);
    if (!sameRange(t.range, of.range)) fail(`${t.name} has another range than what it is rows of`);
  } else if (c.kind === 'witness') {
    if (c.axes.map((a) => a.length).join() !== t.shape.join()) fail(`${t.name} does not fit its place`);
  } else if (c.kind === 'constant' && c.values) {
    const { lo, hi } = t.range;
    if (c.values.length !== t.shape.reduce((n, d) => n * d, 1) || c.values.some((v) => v < lo || v > hi))
      fail(`${t.name} has values outside its shape or range`);
  } else if (c.kind === 'committed') {
    const stacked = t.shape.slice(0, c.stacked).reduce((n, d) => n * d, 1);
    const shape = t.shape.slice(c.stacked).join();
    const files = c.files.map((k) => layouts[c.source].tensors[k]);
    if (stacked !== files.length || files.some((f) => lengthsOf(f) !== shape || layoutOf(f) !== layoutOf(files[0])))
      fail(`${t.name} does not fit its files`);
    const bits = new Set(files.map((f) => f.bits));
    const ranges = [...bits].map((b) => typeRange({ kind: 'fixed', bits: b, frac: 0 }));
    // What an output's entries are is in its type; the program may know that they are in less.
    const fits = (r: Range): boolean =>
      c.source < sources ? sameRange(r, t.range) : r.lo <= t.range.lo && t.range.hi <= r.hi;
    if (!ranges.every(fits)) fail(`${t.name} has another range than its files`);
  }
}

/** A function of an object, computed once: a file may be one of many tensors, many times. */
const remembered = <K extends object, V>(make: (key: K) => V): ((key: K) => V) => {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
};
const lengthsOf = remembered((f: CommittedTensor) => f.axes.map((a) => a.length).join());
const layoutOf = remembered((f: CommittedTensor) => f.axes.map((a) => a.columnBits).join());

const isView = (t: GadgetTensor): boolean => t.class.kind === 'view' || t.class.kind === 'digits';

export function checkProgram(p: GadgetProgram): void {
  const targets = new Map(p.equations.map((e) => [e.target, e] as const));
  if (targets.size !== p.equations.length) fail('a tensor is defined twice');
  const views = p.tensors.filter((t) => t.class.kind === 'view').length;
  if (p.levels > p.equations.length + views) fail('more levels than equations and views');
  if (layoutsOf(p).some((s) => s.columns > p.columns)) fail('a source or an output has more columns than the proof');
  if (2 ** p.folds > p.columns) fail('more folds than columns');
  const publics = new Set(p.publics);
  if (publics.size !== p.publics.length) fail('a public tensor is listed twice');
  checkNames(p);
  checkKnown(p);
  for (const [id, t] of p.tensors.entries()) {
    const { kind } = t.class;
    if ((kind === 'input' || kind === 'output') !== publics.has(id)) fail(`${t.name} is not listed as it should be`);
    const level = targets.get(id)?.level;
    if (kind === 'output' && level !== undefined && level !== 1)
      fail(`the output ${t.name} has no equation at level 1`);
    if (kind === 'defined' && t.class.level > 0 && targets.get(id)?.level !== t.class.level)
      fail(`${t.name} has no equation at its level`);
  }
  checkLookups(p);
  checkPlaces(p);
  checkOutputs(p);
  checkClaims(p);
  if (p.steps.some((s) => s.kind === 'equation' && s.equation >= p.equations.length))
    fail('a step that evaluates no equation');
  if (p.steps.some((s) => s.kind === 'table' && s.table >= p.tables.length)) fail('a step that looks into no table');
  const wide = tooWide(p);
  if (wide !== undefined) fail(`the integers of ${wide} could wrap in the field`);
  const evaluated = new Set<number>();
  for (const e of p.equations) {
    if (e.level > p.levels) fail('an equation beyond the last level');
    const { kind } = p.tensors[e.target].class;
    if (kind !== 'output' && kind !== 'defined') fail(`${p.tensors[e.target].name} may not have an equation`);
    if (e.level === 0) {
      evaluated.add(e.target);
      continue;
    }
    for (const f of e.terms.flatMap((t) => t.factors)) {
      if (!isEvaluated(p, f.tensor, evaluated, targets))
        fail(`${p.tensors[e.target].name} is defined by what comes after it`);
      checkLevel(p, f.tensor, e.level);
    }
    evaluated.add(e.target);
  }
}

/** What a verdict, an input or a commitment is told apart by. */
function checkNames(p: GadgetProgram): void {
  const distinct = (names: readonly string[], what: string): void => {
    const seen = new Set<string>();
    for (const name of names) {
      if (name === '') fail(`${what} has no name`);
      if (seen.has(name)) fail(`${what} has the name of another, ${name}`);
      seen.add(name);
    }
  };
  const given = new Set([...p.publics, ...p.secrets]);
  distinct(
    [...given].map((id) => p.tensors[id].name),
    'a public tensor or secret input',
  );
  distinct(
    p.sources.map((s) => s.name),
    'a source',
  );
  // One may have the name of a source: it may be what that is to become.
  distinct(
    (p.outputs ?? []).map((s) => s.name),
    'an output',
  );
  for (const [k, s] of layoutsOf(p).entries())
    distinct(
      s.tensors.map((t) => t.name),
      `a tensor of the ${k < p.sources.length ? 'source' : 'output'} ${s.name}`,
    );
}

/**
 * What a verifier makes itself: masks and views entry by entry, and tables of eq over the padded axes of a view, of what it
 * views, and of a selector's. Views by digits it never makes: they are evaluated through what they view.
 */
function checkKnown(p: GadgetProgram): void {
  const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
  const padded = (shape: readonly number[]): number => shape.reduce((n, d) => n * 2 ** Math.ceil(Math.log2(d)), 1);
  for (const { class: c, shape, name } of p.tensors) {
    let largest = c.kind === 'view' || c.kind === 'constant' ? size(shape) : 0;
    if (c.kind === 'view') {
      const of = p.tensors[c.of];
      largest = Math.max(largest, padded(shape), c.level > 0 || of.class.kind === 'selector' ? padded(of.shape) : 0);
    } else if (c.kind === 'selector') largest = Math.max(padded(shape.slice(0, -1)), padded(shape.slice(-1)));
    if (largest > limits.known) fail(`${name} is too large to evaluate`);
  }
}

/** Lookups and zeros are claims that arise at the start: about committed and public tensors, or those of level 1. */
function checkLookups(p: GadgetProgram): void {
  const level = new Map(p.equations.map((e) => [e.target, e.level] as const));
  const settled = (id: number): boolean => {
    const c = p.tensors[id].class;
    return c.kind === 'defined' ? c.level === 1 && level.get(id) === 1 : c.kind !== 'view' && c.kind !== 'digits';
  };
  const multiplicities = new Set<number>();
  for (const t of p.tables) {
    const entries = t.kind === 'range' ? 2 ** t.bits : t.values.length;
    const m = p.tensors[t.multiplicities];
    if (m.class.kind !== 'witness' || m.shape.join() !== `${entries}`) fail('a table has no multiplicities');
    if (multiplicities.has(t.multiplicities)) fail('two tables share multiplicities');
    multiplicities.add(t.multiplicities);
  }
  let leaves = 0;
  for (const l of p.lookups) {
    if (l.table >= p.tables.length) fail('a lookup in no table');
    const table = p.tables[l.table];
    const { name, shape } = p.tensors[l.tensor];
    if (!settled(l.tensor)) fail(`${name} is looked up, but not settled`);
    if ((l.value !== undefined) !== (table.kind === 'function')) fail(`${name} is looked up beside nothing`);
    if (l.value !== undefined && (!settled(l.value) || p.tensors[l.value].shape.join() !== shape.join()))
      fail(`${name} is looked up beside another shape`);
    if (l.shift > 0 && l.offset % 2n ** BigInt(l.shift) !== 0n) fail(`${name} is looked up with a broken offset`);
    leaves += shape.reduce((n, d) => n * 2 ** Math.ceil(Math.log2(d)), 1);
  }
  if (leaves > limits.leaves) fail('it has too many lookups');
  if (new Set(p.zeros).size !== p.zeros.length) fail('a tensor is 0 twice');
  for (const id of p.zeros) {
    const { class: c, name, shape } = p.tensors[id];
    if (c.kind !== 'defined' || !settled(id)) fail(`${name} is 0, but not settled`);
    if (shape.reduce((n, d) => n * d, 1) > limits.entries) fail(`${name} is too large`);
  }
}

const sameRange = (a: Range, b: Range): boolean => a.lo === b.lo && a.hi === b.hi;

const typeRange = (t: TensorType): Range =>
  t.kind === 'fixed'
    ? { lo: -(2n ** BigInt(t.bits - 1)), hi: 2n ** BigInt(t.bits - 1) - 1n }
    : { lo: 0n, hi: BigInt(t.size) - 1n };

/** Equations read what stands before them: without that rule a tensor could be defined by itself. */
function isEvaluated(
  p: GadgetProgram,
  id: number,
  evaluated: ReadonlySet<number>,
  targets: ReadonlyMap<number, unknown>,
): boolean {
  const c = p.tensors[id].class;
  if (c.kind === 'view' || c.kind === 'digits') return isEvaluated(p, c.of, evaluated, targets);
  // Outputs without an equation are given: lookups and equations speak of them.
  return (c.kind !== 'output' && c.kind !== 'defined') || evaluated.has(id) || !targets.has(id);
}

/** A claim that arises at `level` is settled later; otherwise it would never be. */
function checkLevel(p: GadgetProgram, id: number, level: number): void {
  const c = p.tensors[id].class;
  if (c.kind === 'defined' && (c.level <= level || c.level > p.levels))
    fail(`${p.tensors[id].name} would be settled before it is claimed`);
  if (c.kind === 'digits' && !isKnown(p.tensors, id)) checkLevel(p, c.of, level);
  if (c.kind !== 'view') return;
  if (isKnown(p.tensors, id) ? c.level !== 0 : c.level <= level || c.level > p.levels)
    fail(`the view ${p.tensors[id].name} is at the wrong level`);
  if (!isKnown(p.tensors, id)) checkLevel(p, c.of, c.level);
}
