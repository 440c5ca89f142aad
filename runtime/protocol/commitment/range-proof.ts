/**
 * The range proof that goes with a commitment, once.
 *
 * # Statement
 * Every slot of every row of the source's matrix is in its tensor's declared range [-2^(bits-1), 2^(bits-1)), and every
 * slot outside its tensor that a claim can reach (columns beyond a layout's digits have no weight) is 0. Serving proofs rely on both: on the range so that no integer sum wraps, on the zeros
 * because a claim's weight does not vanish there (a rank that is no power of two would otherwise admit a forged column).
 *
 * # Protocol
 * Ranges: v + 2^(bits-1) is looked up in [0, 2^bits); beyond 16 bits its low 16-bit limbs are committed and looked up,
 * and the top limb is derived. Zeros: at a random point z, the sum of eq(z, slot) v over the slots outside is 0.
 */
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { LIMB_BITS } from '../../../compiler/ir/numbers/limits.ts';
import { planArgument, type Argument } from '../argument.ts';
import type { MatrixShape } from './hyrax.ts';
import type { Meter, ProtocolContext } from '../context.ts';
import { constantForm } from '../form.ts';
import { isPartial, openOutside, outsideSize } from './layout.ts';
import { rowLookupProtocol, type LookupColumn, type RowLookupPlan } from '../lookup/row-lookups.ts';
import type { TreeProver } from '../lookup/fraction-tree.ts';
import { bitsFor, inv, neg, largest } from '../scalar.ts';

/** A stretch of rows of one declared width. */
export interface RowStretch {
  readonly firstRow: number;
  readonly rows: number;
  readonly bits: number;
}

/** Low limb `limb` of a stretch's values, committed as a matrix of its own. */
export interface LimbMatrix {
  readonly stretch: RowStretch;
  readonly limb: number;
}

export interface RangePlan {
  readonly lookups: RowLookupPlan;
  /** The source's matrix, then one of multiplicities per table, then the limbs. */
  readonly matrices: readonly MatrixShape[];
  readonly limbs: readonly LimbMatrix[];
  readonly stretches: readonly RowStretch[];
}

/** Columns of the range proof's own rows: a table's 2^16 multiplicities want long ones, however small the source. */
export const rangeColumns = (source: CommittedSource): number => Math.max(256, source.columns);

export function planRange(source: CommittedSource): RangePlan {
  const stretches = rowStretches(source);
  const widths = new Set<number>();
  for (const s of stretches) for (const w of limbWidths(s.bits)) widths.add(w);
  const tables = [...widths]
    .sort((a, b) => a - b)
    .map((bits, i) => ({ bits, matrix: 1 + i, columns: rangeColumns(source) }));
  const limbs = stretches.flatMap((stretch) =>
    limbWidths(stretch.bits)
      .slice(1)
      .map((_, limb) => ({ stretch, limb })),
  );
  const columnBits = Math.log2(source.columns);
  const numbered = limbs.map((l, i) => ({ ...l, matrix: 1 + tables.length + i }));
  const limbsOf = Map.groupBy(numbered, (l) => l.stretch);
  const columns: LookupColumn[] = stretches.flatMap((stretch) => {
    const own = limbsOf.get(stretch) ?? [];
    const table = (bits: number): number => tables.findIndex((t) => t.bits === bits);
    const widthsHere = limbWidths(stretch.bits);
    const shift = inv(2n ** BigInt(LIMB_BITS * own.length));
    return powerOfTwoRuns(stretch.rows).flatMap(({ first, bits: rowBits }) => [
      ...own.map((l) => ({
        table: table(LIMB_BITS),
        rowBits,
        columnBits,
        constant: 0n,
        parts: [{ matrix: l.matrix, firstRow: first, scale: 1n }],
      })),
      {
        table: table(widthsHere[widthsHere.length - 1]),
        rowBits,
        columnBits,
        constant: 2n ** BigInt(stretch.bits - 1) * shift,
        parts: [
          { matrix: 0, firstRow: stretch.firstRow + first, scale: shift },
          ...own.map((l) => ({
            matrix: l.matrix,
            firstRow: first,
            scale: neg(2n ** BigInt(LIMB_BITS * l.limb)) * shift,
          })),
        ],
      },
    ]);
  });
  const matrices = [
    { rows: source.rows, columns: source.columns },
    ...tables.map((t) => ({ rows: Math.max(1, 2 ** t.bits / t.columns), columns: t.columns })),
    ...limbs.map((l) => ({ rows: l.stretch.rows, columns: source.columns })),
  ];
  return { lookups: { tables, columns }, matrices, limbs, stretches };
}

/** Lookups of a source's range plan, in one pass over its tensors: what it takes to plan, before that is done. */
export const rangeLookups = (source: CommittedSource): number =>
  rowStretches(source).reduce((n, s) => n + powerOfTwoRuns(s.rows).length * limbWidths(s.bits).length, 0);

/** Widths of the limbs of a value of `bits` bits, low limbs first; the last is the derived one. */
export function limbWidths(bits: number): number[] {
  const out: number[] = [];
  for (let rest = bits; rest > 0; rest -= LIMB_BITS) out.push(Math.min(rest, LIMB_BITS));
  return out;
}

function rowStretches(source: CommittedSource): RowStretch[] {
  const out: { firstRow: number; rows: number; bits: number }[] = [];
  for (const t of source.tensors) {
    const last = out.at(-1);
    // In a row that it shares with the one before, which has the same type.
    if (t.firstColumn !== undefined) continue;
    if (last && last.bits === t.bits && last.firstRow + last.rows === t.firstRow) last.rows += t.rows;
    else out.push({ firstRow: t.firstRow, rows: t.rows, bits: t.bits });
  }
  return out;
}

/** rows as a sum of powers of two, largest first. */
function powerOfTwoRuns(rows: number): { first: number; bits: number }[] {
  const out: { first: number; bits: number }[] = [];
  for (let first = 0; first < rows;) {
    const bits = Math.floor(Math.log2(rows - first));
    out.push({ first, bits });
    first += 2 ** bits;
  }
  return out;
}

/** The range proof is long anyway: its response is halved down to 64 scalars. */
const foldsFor = (columns: number): number => Math.max(0, Math.log2(columns) - 6);

export const planRangeArgument = (source: CommittedSource, plan: RangePlan, meter?: Meter): Promise<Argument> =>
  planArgument(
    { matrices: plan.matrices, registered: 1, columns: rangeColumns(source), folds: foldsFor(rangeColumns(source)) },
    (ctx) => rangeProtocol(ctx, source, plan),
    meter,
  );

export async function rangeProtocol(
  ctx: ProtocolContext,
  source: CommittedSource,
  plan: RangePlan,
  prover?: TreeProver,
): Promise<void> {
  await rowLookupProtocol(ctx, plan.lookups, prover);
  const variables = largest(source.tensors.flatMap((t) => t.axes.map((a) => bitsFor(a.length))));
  const axes = largest(source.tensors.map((t) => t.axes.length));
  const points = Array.from({ length: axes }, () => ctx.point('padding point', variables));
  for (const t of source.tensors)
    if (isPartial(t.axes))
      ctx.assertZero({
        form: constantForm(0n),
        openings: ctx.open(outsideSize(t), () => openOutside(0, t, points)),
      });
}
