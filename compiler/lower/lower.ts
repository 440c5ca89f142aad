/** From the tensor program to the gadget program: what is committed, and which sumcheck proves which equation when. */
import { tooWide } from '../ir/gadget/magnitude.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Equation, Range, Tensor, TensorProgram } from '../ir/tensor/program.ts';
import { createBuilder, establish, unplaced, type Builder, type Target } from './builder.ts';
import { entry, nowhere, term, variable } from './expressions.ts';
import { inlineEquations } from './rewrite/inline.ts';
import { layOut, type FileTensor } from './layout.ts';
import { isBelowMaximum, lowerArgmax, lowerMaximum } from './gadgets/maximum.ts';
import { chooseColumns, placeWitnesses } from './placement.ts';
import type {
  CommittedSource,
  GadgetProgram,
  GadgetTensor,
  GadgetTensorClass,
  GadgetTerm,
} from '../ir/gadget/program.ts';
import { planRanges, smallPlan, type RangePlan } from './gadgets/limbs.ts';
import { clampTensor, lowerRound } from './gadgets/rounding.ts';
import { error, unsupported, wideError } from './unsupported.ts';

/** Tables of a sumcheck with more entries would not fit beside each other. */
const mostSummed = 2 ** 26;
/** The longest response, in scalars, that travels unfolded. */
const longestResponse = 256;

/** `ranges`: how wide ranges are looked up, where it should not be what costs least. */
export function lower(
  program: TensorProgram,
  ranges?: RangePlan,
): { gadgets?: GadgetProgram; diagnostics: Diagnostic[] } {
  const equations = inlineEquations(program);
  const diagnostics = unsupported(program, equations);
  if (diagnostics.length > 0) return { diagnostics };

  const { sources, classes } = commitments(program);
  const build = (ranges: RangePlan): { b: Builder; secrets: readonly number[] } => {
    const b = createBuilder(program.tensors, ranges, (builder, id) => selectorOf(builder, program, id));
    for (const [id, c] of classes) b.tensors[id].class = c;
    const secrets = secretInputs(b, program);
    const lowering = equationLowering(b, program, equations);
    for (const e of equations) lowering(e);
    return { b, secrets };
  };
  // How wide the tables should be is known once it is known what is looked up.
  let { b, secrets } = build(ranges ?? smallPlan);
  const cheapest = ranges ?? planRanges(b.uses);
  if (cheapest.limb !== (ranges ?? smallPlan).limb) ({ b, secrets } = build(cheapest));

  const { tensors } = b;
  const wide = tooWide({
    tensors,
    equations: b.equations,
    sources,
    lookups: b.lookups,
    tables: b.tables,
    zeros: b.zeros,
  });
  if (wide !== undefined) {
    const { span } = tensors.find((t) => t.name === wide) ?? { span: nowhere };
    return { diagnostics: [wideError(span, `sums of \`${wide}\` could wrap in the field`)] };
  }
  const large = b.equations.find((e) => e.terms.some((t) => summedEntries(t) > mostSummed));
  if (large)
    return {
      diagnostics: [
        error(
          'ZKL508',
          large.span,
          'a sum over too many indices at once',
          `\`${tensors[large.target].name}\` sums products over ${summedEntries(large.terms.reduce((a, t) => (summedEntries(t) > summedEntries(a) ? t : a)))} entries`,
          'give inner sums, and what an index from a tensor selects, names of their own with `round` around them',
        ),
      ],
    };
  const levels = assignLevels(b);
  const columns = chooseColumns(tensors, Math.max(32, ...sources.map((s) => s.columns)));
  const witnessRows = placeWitnesses(tensors, columns);
  const kept = b.equations.flatMap((e, i) => (e.level > 0 || evaluated(b, i) ? [i] : []));
  return {
    gadgets: {
      name: program.name,
      tensors,
      equations: kept.map((i) => b.equations[i]),
      tables: b.tables,
      lookups: b.lookups,
      zeros: b.zeros,
      steps: b.steps.map((s) => (s.kind === 'equation' ? { ...s, equation: kept.indexOf(s.equation) } : s)),
      secrets,
      witnessRows,
      sources,
      publics: program.statement.filter((id) => program.tensors[id].visibility === 'public'),
      columns,
      folds: Math.max(0, Math.log2(columns / longestResponse)),
      levels,
    },
    diagnostics,
  };
}

/** Over how many entries a term's sumcheck runs, axes padded to powers of two. */
const summedEntries = (t: GadgetTerm): number =>
  t.variables.reduce((n, length) => n * 2 ** Math.ceil(Math.log2(length)), 1);

const evaluated = (b: Builder, equation: number): boolean =>
  b.steps.some((s) => s.kind === 'equation' && s.equation === equation);

/** One step and what proves it for every equation of the program, in order. */
function equationLowering(b: Builder, program: TensorProgram, equations: readonly Equation[]): (e: Equation) => void {
  const tables = new Map<number, number>();
  const bounds = tableBounds(program, equations);
  const definitions = new Map(equations.map((e) => [e.target, e.definition] as const));
  /** A public output is in its range because whoever reads it checks; a hidden value because it is looked up. */
  const targetOf = (e: Equation, range: Range): Target => {
    const { role, visibility, shape } = program.tensors[e.target];
    const own = [term(1n, entry(e.target, shape.length))];
    if (role === 'output' && visibility === 'public') return { id: e.target, terms: own, finish: () => undefined };
    const table = bounds.get(e.target);
    if (table && table.lo >= range.lo && table.hi <= range.hi) {
      b.tensors[e.target].class = unplaced;
      return { id: e.target, terms: own, finish: () => undefined };
    }
    return establish(b, e.target, range);
  };
  const tableOf = (id: number): number => {
    const known = tables.get(id);
    if (known !== undefined) return known;
    const { name, values } = program.tables[id];
    const span = nowhere;
    const multiplicities = b.witness(
      `multiplicities of ${name}`,
      [values.length],
      { lo: 0n, hi: 2n ** 31n - 1n },
      span,
    );
    const made = b.tables.push({ kind: 'function', name, values, multiplicities }) - 1;
    tables.set(id, made);
    return made;
  };
  return (e) => {
    const d = e.definition;
    const t = program.tensors[e.target];
    switch (d.kind) {
      case 'constant':
        b.tensors[e.target].class = { kind: 'constant', values: d.values };
        return;
      case 'polynomial':
        b.steps.push({ kind: 'equation', equation: b.define(e.target, d.polynomial.terms) });
        return;
      case 'round': {
        const target = targetOf(e, d.clamp ?? typeRange(t.type) ?? t.range);
        lowerRound(
          b,
          d,
          target,
          isBelowMaximum(
            d.p.terms,
            (id) => definitions.get(id),
            (id) => program.tensors[id].shape,
          ),
        );
        target.finish();
        return;
      }
      case 'table': {
        const { first, values, saturate } = program.tables[d.table];
        const domain = { lo: first, hi: first + BigInt(values.length) - 1n };
        const { range } = b.tensors[d.argument];
        const argument =
          saturate && (range.lo < domain.lo || range.hi > domain.hi)
            ? clampTensor(b, d.argument, domain)
            : lookedUp(b, d.argument);
        if (t.role !== 'output' || t.visibility !== 'public') b.tensors[e.target].class = unplaced;
        const table = tableOf(d.table);
        b.steps.push({ kind: 'table', target: e.target, of: argument, table, offset: -first });
        b.lookups.push({ tensor: argument, table, offset: -first, shift: 0, value: e.target });
        return;
      }
      case 'max': {
        const target = targetOf(e, t.range);
        lowerMaximum(b, d, target);
        target.finish();
        return;
      }
      case 'argmax':
        b.selectors.set(e.target, lowerArgmax(b, d, e.target));
    }
  };
}

/** A tensor that a lookup may name: one that no equation defines, or a copy of it. */
function lookedUp(b: Builder, id: number): number {
  const { class: c, name, shape, range, span } = b.tensors[id];
  if (c.kind !== 'defined') return id;
  const copy = b.defined(`${name} looked up`, shape, range, span);
  const own = [term(1n, entry(id, shape.length))];
  b.evaluate(copy, own);
  b.define(copy, own);
  return copy;
}

/** For every tensor that is the argument of a table: between what its entries are shown to be by that. */
function tableBounds(program: TensorProgram, equations: readonly Equation[]): Map<number, Range> {
  const out = new Map<number, Range>();
  for (const { definition: d } of equations) {
    if (d.kind !== 'table') continue;
    const { first, values, saturate } = program.tables[d.table];
    const domain = { lo: first, hi: first + BigInt(values.length) - 1n };
    const { range } = program.tensors[d.argument];
    if (!saturate || (range.lo >= domain.lo && range.hi <= domain.hi)) out.set(d.argument, domain);
  }
  return out;
}

const typeRange = (t: Tensor['type']): Range | undefined =>
  t?.kind === 'fixed' ? { lo: -(2n ** BigInt(t.bits - 1)), hi: 2n ** BigInt(t.bits - 1) - 1n } : undefined;

/**
 * Secret inputs that no source commits: fixed-point ones are looked up, indices are committed as what selects.
 * Returns all of them.
 */
function secretInputs(b: Builder, program: TensorProgram): number[] {
  const secrets = program.tensors.filter((t) => t.role === 'input' && t.visibility === 'secret' && !t.file);
  for (const t of secrets) {
    if (t.type?.kind === 'index') {
      const counting = b.views.counting(t.type.size);
      const v = t.shape.length;
      const factors = [{ tensor: counting, at: [variable(v)] }, entry(b.selector(t.id), v + 1)];
      b.define(t.id, [{ coefficient: 1n, reduced: [{ name: 'v', size: t.type.size }], guards: [], factors }]);
    } else establish(b, t.id, typeRange(t.type) ?? t.range).finish();
  }
  return secrets.map((t) => t.id);
}

/**
 * [i, v] = 1 where entry i of the index tensor is v: known where that is public, else committed. A secret input is what its
 * selector says; whatever else is hidden has a value already, which the selector has to be of.
 */
function selectorOf(b: Builder, program: TensorProgram, id: number): number {
  const t = program.tensors[id];
  if (t.type?.kind !== 'index') throw new Error(`internal error: ${t.name} is no index tensor`);
  const shape = [...t.shape, t.type.size];
  const range = { lo: 0n, hi: 1n };
  if (t.visibility === 'public') {
    const known = b.defined(`selector of ${t.name}`, shape, range, t.span);
    b.tensors[known].class = { kind: 'selector', of: id };
    return known;
  }
  const selector = b.witness(`selector of ${t.name}`, shape, range, t.span);
  b.steps.push({ kind: 'select', target: selector, of: id });
  b.boolean(selector);
  const own = entry(selector, shape.length);
  const reduced = [{ name: 'v', size: t.type.size }];
  b.zero(
    `${t.name} selects one`,
    t.shape,
    [{ coefficient: 1n, reduced, guards: [], factors: [own] }, term(-1n)],
    t.span,
  );
  if (t.role !== 'input') {
    const counting = { tensor: b.views.counting(t.type.size), at: [variable(t.shape.length)] };
    b.zero(
      `${t.name} is what its selector selects`,
      t.shape,
      [{ coefficient: 1n, reduced, guards: [], factors: [counting, own] }, term(-1n, entry(id, t.shape.length))],
      t.span,
    );
  }
  return selector;
}

/** Sources with their layouts, and the classes of all declared tensors. */
function commitments(program: TensorProgram): { sources: CommittedSource[]; classes: Map<number, GadgetTensorClass> } {
  const bySource = new Map<string, FileTensor[]>();
  const open = new Set<string>();
  for (const t of program.tensors) {
    if (!t.file || t.type?.kind !== 'fixed') continue;
    if (t.visibility === 'open') open.add(t.file.source);
    const list = bySource.get(t.file.source) ?? [];
    for (const name of t.file.names)
      list.push({ name, shape: t.shape.slice(t.file.stacked), bits: t.type.bits, frac: t.type.frac });
    bySource.set(t.file.source, list);
  }
  const sources = [...bySource]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, files]) => layOut(name, files, open.has(name)));
  const classes = new Map<number, GadgetTensorClass>();
  for (const t of program.tensors) {
    if (t.visibility === 'public') classes.set(t.id, { kind: t.role === 'output' ? 'output' : 'input' });
    if (!t.file) continue;
    const source = sources.findIndex((s) => s.name === t.file?.source);
    const files = t.file.names.map((n) => sources[source].tensors.findIndex((c) => c.name === n));
    classes.set(t.id, { kind: 'committed', source, stacked: t.file.stacked, files });
  }
  return { sources, classes };
}

/**
 * A claim about a hidden tensor arises at the levels of its readers, so it is settled one level after the last of them;
 * claims about public outputs arise at the start. Returns the number of levels.
 */
function assignLevels({ tensors, equations, lookups, zeros }: Builder): number {
  const levels = tensors.map(() => 0);
  const raise = (id: number, level: number): void => {
    const c = tensors[id].class;
    if (c.kind === 'digits') return raise(c.of, level);
    if ((c.kind !== 'defined' && c.kind !== 'view') || isKnown(tensors, id)) return;
    levels[id] = Math.max(levels[id], level);
    if (c.kind === 'view') raise(c.of, level + 1);
  };
  for (const l of lookups) raise(l.tensor, 1);
  for (const id of zeros) raise(id, 1);
  // Equations stand in order of evaluation: backwards, all readers of a tensor come before its own equation.
  for (const e of [...equations].reverse()) {
    if (tensors[e.target].class.kind === 'output') levels[e.target] = 1;
    e.level = levels[e.target];
    if (e.level > 0) for (const f of e.terms.flatMap((t) => t.factors)) raise(f.tensor, e.level + 1);
  }
  for (const [id, t] of tensors.entries())
    if (t.class.kind === 'defined' || t.class.kind === 'view') t.class = { ...t.class, level: levels[id] };
  return Math.max(0, ...levels);
}

/** A view of something the verifier knows is known itself. */
function isKnown(tensors: readonly GadgetTensor[], id: number): boolean {
  const c = tensors[id].class;
  return c.kind === 'view' || c.kind === 'digits'
    ? isKnown(tensors, c.of)
    : c.kind === 'input' || c.kind === 'output' || c.kind === 'constant' || c.kind === 'selector';
}
