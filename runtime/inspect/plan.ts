/** How a bundle's proofs are made: rows, levels, messages, and what they cost. */
import type { Bundle } from '../../compiler/bundle/bundle.ts';
import type { GadgetEquation, GadgetProgram, GadgetTerm } from '../../compiler/ir/gadget/program.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import { printTerm } from '../../compiler/ir/gadget/terms.ts';
import { bodySize, type Argument } from '../protocol/argument.ts';
import { entryBytes } from '../integers/bytes.ts';
import { ownMatrices } from '../protocol/commitment/layout.ts';
import { tensorSections, tableSize } from '../protocol/lookup/tensor-lookups.ts';
import { soundnessBits } from '../protocol/soundness.ts';
import { bitsFor } from '../protocol/scalar.ts';
import { planWithin } from '../verifier/budget.ts';
import type { Budget } from '../verifier/limit.ts';
import { lineOf, sourceLine } from './statement.ts';

export interface PlannedEquation {
  readonly target: string;
  readonly at: string | undefined;
  readonly line: string | undefined;
  readonly terms: readonly string[];
  /** Rounds that its terms take part in. */
  readonly rounds: number;
  /** Entries of the tables that the sumcheck runs over. */
  readonly tableEntries: number;
  /** Products of integers to compute the tensor itself. */
  readonly products: number;
}

export interface PlannedLevel {
  readonly level: number;
  readonly rounds: number;
  readonly messages: number;
  readonly equations: readonly PlannedEquation[];
}

/** The lookups of a program: one argument, however many there are. */
export interface PlannedLookups {
  readonly lookups: number;
  readonly tables: readonly { readonly name: string; readonly entries: number; readonly lookups: number }[];
  /** Of the fraction tree, tables included. */
  readonly leaves: number;
  readonly depth: number;
  readonly messages: number;
}

export interface Plan {
  readonly lookups: PlannedLookups | undefined;
  /** Rows of the proof's own matrix and of its outputs', and the values in them. */
  readonly witness: { readonly rows: number; readonly values: number };
  readonly levels: readonly PlannedLevel[];
  readonly messages: number;
  readonly pads: number;
  readonly products: number;
  /** Rows of pads that travel in a proof. */
  readonly rows: number;
  readonly columns: number;
  readonly response: number;
  readonly proofBytes: number;
  readonly publicBytes: number;
  readonly committedValues: number;
  /** -log2 of the chance that a false statement passes by luck of the challenges. */
  readonly soundnessBits: number;
  /** What a verifier counts before it does anything with the bundle, range proofs included: what has to be within its limit. */
  readonly verifierNeeds: Budget;
  /** Milliseconds of one thread, by unit costs. */
  readonly model: { readonly prove: number; readonly verify: number };
}

/** A bundle from a stranger is planned within these, whatever it would ask of a verifier. */
const MOST: Budget = { milliseconds: 1e6, bytes: 1e11 };

const sizeOf = (lengths: readonly number[]): number => lengths.reduce((n, d) => n * d, 1);

export async function planOf(bundle: Bundle): Promise<Plan> {
  const { gadgets } = bundle;
  const { argument, milliseconds, bytes } = await planWithin(gadgets, MOST);
  const { pads, opening } = argument;
  const levels = Array.from({ length: gadgets.levels }, (_, i) => levelOf(bundle, argument, i + 1));
  const counted = {
    lookups: lookupsOf(gadgets, argument),
    witness: {
      rows: ownMatrices(gadgets).reduce((n, m) => n + m.rows, 0),
      values: gadgets.tensors.reduce(
        (n, t) => n + (t.class.kind === 'witness' || isOutput(gadgets, t.class) ? sizeOf(t.shape) : 0),
        0,
      ),
    },
    levels,
    messages: pads.labels.length,
    pads: pads.plain + 3 * pads.triples + opening.lastPads,
    products: pads.triples,
    rows: opening.plainRows + 3 * opening.tripleRows + 1,
    columns: argument.columns,
    response: argument.columns / 2 ** argument.folds,
    proofBytes: bodySize(argument),
    publicBytes: gadgets.publics.reduce(
      (n, id) => n + sizeOf(gadgets.tensors[id].shape) * entryBytes(gadgets.tensors[id].range),
      0,
    ),
    soundnessBits: soundnessBits(argument),
    verifierNeeds: { milliseconds, bytes },
    committedValues: gadgets.sources
      .flatMap((s) => s.tensors)
      .reduce((n, t) => n + sizeOf(t.axes.map((a) => a.length)), 0),
  };
  return { ...counted, model: modelled(gadgets, counted) };
}

function lookupsOf(gadgets: GadgetProgram, { pads }: Argument): PlannedLookups | undefined {
  if (gadgets.lookups.length === 0) return undefined;
  const { sections, depth } = tensorSections(gadgets);
  const tables = gadgets.tables.map((t, i) => ({
    name: t.kind === 'range' ? `0 .. 2^${t.bits} - 1` : t.name,
    entries: tableSize(t),
    lookups: gadgets.lookups.filter((l) => l.table === i).length,
  }));
  return {
    lookups: gadgets.lookups.length,
    tables,
    leaves: sections.reduce((n, s) => n + 2 ** s.bits, 0),
    depth,
    messages: pads.labels.filter((label) => label.startsWith('lookup ')).length,
  };
}

function levelOf(bundle: Bundle, argument: Argument, level: number): PlannedLevel {
  const { gadgets } = bundle;
  const equations = gadgets.equations.filter((e) => e.level === level).map((e) => planned(bundle, e));
  const views = gadgets.tensors.flatMap((t) =>
    t.class.kind === 'view' && t.class.level === level ? [roundsOf(gadgets.tensors[t.class.of].shape)] : [],
  );
  return {
    level,
    rounds: Math.max(0, ...equations.map((e) => e.rounds), ...views),
    messages: argument.pads.labels.filter((label) => label.startsWith(`level ${level} `)).length,
    equations,
  };
}

const roundsOf = (lengths: readonly number[]): number => lengths.reduce((n, d) => n + bitsFor(d), 0);

function planned(bundle: Bundle, e: GadgetEquation): PlannedEquation {
  const { gadgets } = bundle;
  return {
    target: gadgets.tensors[e.target].name,
    at: lineOf(bundle, e.span),
    line: sourceLine(bundle, e.span),
    terms: e.terms.map((t) => printTerm(gadgets, e.target, t)),
    rounds: Math.max(0, ...e.terms.map((t) => roundsOf(t.variables))),
    tableEntries: e.terms.reduce((n, t) => n + sizeOf(t.variables) * Math.max(1, t.factors.length), 0),
    products: e.terms.reduce((n, t) => n + productsOf(gadgets, e.target, t), 0),
  };
}

/**
 * Entries of the outputs that the factors read, times what is summed for each: what one factor alone is summed over is summed once,
 * and a selector leaves one entry of a sum over its last axis.
 */
function productsOf(gadgets: GadgetProgram, target: number, t: GadgetTerm): number {
  const outputs = gadgets.tensors[target].shape.filter((_, o) => !t.free.includes(o));
  const picked = t.factors.flatMap((f) => {
    const last = f.axes.at(-1);
    return gadgets.tensors[f.tensor].class.kind === 'selector' && last?.kind === 'summed' ? [last.variable] : [];
  });
  return sizeOf(outputs) * sizeOf(t.variables.filter((_, v) => v >= t.shared.length && !picked.includes(v)));
}

/** Nanoseconds of one thread, as `npm run bench` measures them on a machine of 2026. */
const unit = {
  product: 43,
  smallByField: 2.5,
  integer: 1,
  publicEntry: 20,
  pad: 9_000,
  point: 11_000,
  leaf: 400,
  committed: 1_200,
  decoded: 55_000,
};

/**
 * Proving: the lookups' tree and the commitment to the proof's own values; one pass over every weight and every public entry, a few products per table entry and round, a full-scalar
 * commitment to every pad, to a mask per column, and again per halving. Verifying: one multi-scalar multiplication over
 * the registered rows, the columns and the proof's points, which have to be decoded, too.
 */
function modelled(gadgets: GadgetProgram, plan: Omit<Plan, 'model'>): Plan['model'] {
  const publics = gadgets.publics.reduce((n, id) => n + sizeOf(gadgets.tensors[id].shape), 0);
  const equations = plan.levels.flatMap((l) => l.equations);
  const total = (of: (e: PlannedEquation) => number): number => equations.reduce((n, e) => n + of(e), 0);
  const tables = total((e) => e.tableEntries);
  const reading = (unit.smallByField + unit.publicEntry) * publics;
  const prove =
    reading +
    unit.integer * total((e) => e.products) +
    unit.smallByField * 2 * plan.committedValues +
    unit.product * 4 * tables +
    (plan.lookups ? unit.leaf * 2 ** plan.lookups.depth : 0) +
    unit.committed * plan.witness.values +
    unit.pad * (plan.pads + plan.columns * (1 + gadgets.folds));
  const registered = gadgets.sources.reduce((n, s) => n + s.rows, 0);
  // Besides the pads' rows: the masks of the two responses and of the products, and two points per halving.
  const travelling = plan.rows + plan.witness.rows + 4 + 2 * gadgets.folds;
  const verify =
    reading +
    unit.point * (registered + plan.columns + travelling) +
    unit.decoded * travelling +
    unit.product * 10 * (plan.messages + plan.columns);
  return { prove: prove / 1e6, verify: verify / 1e6 };
}
