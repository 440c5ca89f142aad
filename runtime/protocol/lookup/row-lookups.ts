/**
 * Lookups into ranges for the range proof of a commitment: all entries of some columns lie in given tables. LogUp (Haböck,
 * ePrint 2022/1530) over the fraction tree of `fraction-tree.ts`.
 *
 * # Statement
 * For every section of looked-up values, each value is an entry of the section's table.
 *
 * # Protocol
 * Multiplicities m are committed before alpha and beta. The identity of rational functions
 *   sum over values 1 / (alpha - beta id - v)  =  sum over table entries m_t / (alpha - beta id - t)
 * is shown by adding all fractions in a binary tree, looked-up values with numerator 1, table entries with -m, absent
 * leaves 0 / 1. The two claims about the leaves that remain are constants plus openings of rows.
 *
 * # Soundness
 * leaves / r for alpha and the fingerprint, and that of the tree. The sum of fractions is a polynomial identity of degree
 * below the number of leaves, so the root needs no other check.
 */
import type { ProtocolContext } from '../context.ts';
import { combineValues, constantForm, value, type Form, type Value } from '../form.ts';
import type { Opening } from '../commitment/hyrax.ts';
import { fractionTreeProtocol, type TreeProver } from './fraction-tree.ts';
import { eqEval, eqTable, mul, neg, reduce, sub } from '../scalar.ts';
import { alignSections, bitsOf, indexAt } from './logup.ts';

/** A range table: the integers 0 .. 2^bits - 1. Its width separates it from other tables in the fingerprint. */
export interface RangeTable {
  readonly bits: number;
  /** Multiplicities: one per entry, row-major in this matrix of the argument. */
  readonly matrix: number;
  readonly columns: number;
}

/** 2^(rowBits + columnBits) looked-up values: constant + sum of scale * M[firstRow + i, j]. */
export interface LookupColumn {
  readonly table: number;
  readonly rowBits: number;
  readonly columnBits: number;
  readonly constant: bigint;
  readonly parts: readonly { readonly matrix: number; readonly firstRow: number; readonly scale: bigint }[];
}

export interface RowLookupPlan {
  readonly tables: readonly RangeTable[];
  readonly columns: readonly LookupColumn[];
}

/** A power-of-two stretch of leaves, aligned to its size: `prefix` are the leading bits of its positions. */
export interface RowSection {
  readonly kind: 'column' | 'table';
  /** Position in the plan's columns or tables. */
  readonly index: number;
  readonly offset: number;
  readonly bits: number;
}

/** Largest sections first, so that each is aligned to its size. */
export function rowSections(plan: RowLookupPlan): { sections: RowSection[]; depth: number } {
  return alignSections([
    ...plan.columns.map((c, index) => ({ kind: 'column' as const, index, bits: c.rowBits + c.columnBits })),
    ...plan.tables.map((t, index) => ({ kind: 'table' as const, index, bits: t.bits })),
  ]);
}

export async function rowLookupProtocol(ctx: ProtocolContext, plan: RowLookupPlan, prover?: TreeProver): Promise<void> {
  const { sections, depth } = rowSections(plan);
  // One polynomial in both of total degree below the number of leaves.
  const alpha = ctx.challenge('lookup alpha', 2 ** depth);
  const beta = ctx.challenge('lookup beta', 0);
  const { point, numerator, denominator } = await fractionTreeProtocol(
    ctx,
    depth,
    await prover?.build(alpha, beta),
    prover,
  );
  assertLeaves(ctx, plan, sections, alpha, beta, point, numerator, denominator);
}

/** The leaves' numerators and denominators at `point`, as constants and openings. */
function assertLeaves(
  ctx: ProtocolContext,
  plan: RowLookupPlan,
  sections: readonly RowSection[],
  alpha: bigint,
  beta: bigint,
  point: readonly bigint[],
  numerator: Form,
  denominator: Form,
): void {
  const numerators: [bigint, Value][] = [[neg(1n), value(numerator)]];
  const denominators: [bigint, Value][] = [[neg(1n), value(denominator)]];
  // Absent leaves are 0 / 1: start from denominator 1 everywhere and correct it inside each section.
  denominators.push([1n, value(constantForm(1n))]);
  for (const s of sections) {
    const prefix = point.slice(0, point.length - s.bits);
    const own = point.slice(point.length - s.bits);
    const select = eqEval(prefix, bitsOf(s.offset / 2 ** s.bits, prefix.length));
    const fingerprint = (bits: number): bigint => sub(alpha, mul(beta, BigInt(bits)));
    if (s.kind === 'column') {
      const c = plan.columns[s.index];
      const size = { openings: c.parts.length, rows: c.parts.length * 2 ** c.rowBits, limited: 0 };
      const openings = ctx.open(size, () => openColumn(c, own));
      const base = sub(sub(fingerprint(plan.tables[c.table].bits), reduce(c.constant)), 1n);
      numerators.push([select, value(constantForm(1n))]);
      denominators.push([select, value(constantForm(base))], [neg(select), { form: constantForm(0n), openings }]);
    } else {
      const t = plan.tables[s.index];
      const size = { openings: 1, rows: Math.max(1, 2 ** t.bits / t.columns), limited: 0 };
      const openings = ctx.open(size, () => openMultiplicities(t, own));
      numerators.push([neg(select), { form: constantForm(0n), openings }]);
      const values = sub(sub(fingerprint(t.bits), 1n), indexAt(own));
      denominators.push([select, value(constantForm(values))]);
    }
  }
  ctx.assertZero(combineValues(numerators));
  ctx.assertZero(combineValues(denominators));
}

function openColumn(c: LookupColumn, own: readonly bigint[]): Opening[] {
  const rowWeights = eqTable(own.slice(0, c.rowBits));
  const columns = [{ point: own.slice(c.rowBits) }];
  return c.parts.map(({ matrix, firstRow, scale }) => ({
    matrix,
    firstRow,
    rowWeights,
    columns,
    scale: reduce(scale),
  }));
}

/** Entry t of the table is slot t of its matrix, row-major; a table smaller than a row takes its first slots. */
function openMultiplicities(t: RangeTable, own: readonly bigint[]): Opening[] {
  const rowBits = Math.max(0, own.length - Math.log2(t.columns));
  const rowWeights = eqTable(own.slice(0, rowBits));
  return [{ matrix: t.matrix, firstRow: 0, rowWeights, columns: [{ point: own.slice(rowBits) }], scale: 1n }];
}
