/**
 * All lookups of a program in one argument: LogUp (Haböck, ePrint 2022/1530) over the fraction tree of `fraction-tree.ts`.
 *
 * # Statement
 * For every lookup and every entry of its tensor, (entry + offset) / 2^shift is an entry of its table, in a function's
 * with the entry of `value` beside it.
 *
 * # Protocol
 * Witness rows, multiplicities m among them, are committed before alpha and beta. A value v looked up in table number id,
 * with w beside it, has the fingerprint alpha - v - beta id - beta^2 w; ranges have w = 0. Looked-up values have numerator
 * 1, table entries -m_t. A tensor's leaves are sections of the tree: boxes whose sides are powers of two, so that a
 * section's part of the leaves' multilinear extension is the tensor's own extension at a point whose leading bits are the
 * box's. Where a box reaches beyond the tensor, numerators are 0. What remains is one claim about numerators, constants
 * and openings of multiplicities, and one about denominators: a sum of weights times evaluations of tensors, which goes
 * into the equations (`claim-reduction.ts`) as it is. No evaluation travels.
 *
 * # Soundness
 * The sum of fractions, times all denominators, is a polynomial in alpha and beta of total degree below twice the number
 * of leaves; it vanishes identically only if every looked-up triple (id, v, w) is in the table, because fingerprints of
 * different triples differ as polynomials, and numbers of leaves stay far below r.
 */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { ProtocolContext } from '../context.ts';
import { combine, combineValues, constantForm, value, type Form, type Value } from '../form.ts';
import { fractionTreeProtocol, type TreeProver } from './fraction-tree.ts';
import { openingSize, openTensor } from '../commitment/layout.ts';
import type { AxisPoints } from '../sumcheck/stacks.ts';
import { alignSections, bitsOf, indexAt } from './logup.ts';
import { bitsFor, eqPrefixes, eqSum, half, mul, neg, powers, reduce, largest } from '../scalar.ts';

/** One side of a box: 2^bits indices from `first`, a multiple of that, of which the first `inside` are in the tensor. */
export interface BoxSide {
  readonly first: number;
  readonly bits: number;
  readonly inside: number;
}

/** A power-of-two stretch of leaves, aligned to its size. */
export interface TensorSection {
  readonly kind: 'column' | 'table';
  /** Position in the program's lookups or tables. */
  readonly index: number;
  readonly box: readonly BoxSide[];
  readonly bits: number;
  readonly offset: number;
}

const MAX_PIECES = 2;

/**
 * An axis as powers of two, largest first: 768 = 512 + 256. A rest is padded to the next power of two where that adds
 * little, or where there would be too many pieces.
 */
export function axisPieces(length: number): BoxSide[] {
  const out: BoxSide[] = [];
  for (let first = 0; first < length;) {
    const rest = length - first;
    const padded = bitsFor(rest);
    const bits = 8 * rest >= 7 * 2 ** padded || rest <= 8 || out.length === MAX_PIECES - 1 ? padded : padded - 1;
    out.push({ first, bits, inside: Math.min(rest, 2 ** bits) });
    first += 2 ** bits;
  }
  return out;
}

function boxesOf(shape: readonly number[]): BoxSide[][] {
  let out: BoxSide[][] = [[]];
  for (const length of shape) {
    const pieces = axisPieces(length);
    out = out.flatMap((box) => pieces.map((p) => [...box, p]));
  }
  return out;
}

/** Entries of a table. */
export const tableSize = (t: GadgetProgram['tables'][number]): number =>
  t.kind === 'range' ? 2 ** t.bits : t.values.length;

/** Largest sections first, so that each is aligned to its size. */
export function tensorSections(program: GadgetProgram): { sections: TensorSection[]; depth: number } {
  const bitsOfBox = (box: readonly BoxSide[]): number => box.reduce((n, s) => n + s.bits, 0);
  return alignSections(
    [
      ...program.lookups.flatMap((l, index) =>
        boxesOf(program.tensors[l.tensor].shape).map((box) => ({ kind: 'column' as const, index, box })),
      ),
      ...program.tables.map((t, index) => {
        const n = tableSize(t);
        return { kind: 'table' as const, index, box: [{ first: 0, bits: bitsFor(n), inside: n }] };
      }),
    ].map((s) => ({ ...s, bits: bitsOfBox(s.box) })),
  );
}

/** A weighted evaluation that is part of a claim: weight * T~(point). */
export interface ClaimPart {
  readonly tensor: number;
  readonly point: AxisPoints;
  readonly weight: bigint;
}

/** The claim that the weighted evaluations add up to `form`. */
export interface SumClaim {
  readonly form: Form;
  readonly parts: readonly ClaimPart[];
}

export interface TensorLookupRole {
  /** The multilinear extension of a function table's values. */
  evaluateTable(table: number, point: readonly bigint[]): Promise<bigint> | undefined;
  tree?: TreeProver;
}

export async function tensorLookupProtocol(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: TensorLookupRole,
): Promise<SumClaim> {
  const { sections, depth } = tensorSections(program);
  const alpha = ctx.challenge('lookup alpha', 2 ** (depth + 1));
  const beta = ctx.challenge('lookup beta', 0);
  const root = await role.tree?.build(alpha, beta);
  const { point, numerator, denominator } = await fractionTreeProtocol(ctx, depth, root, role.tree);

  const numerators: [bigint, Value][] = [[neg(1n), value(numerator)]];
  const parts: ClaimPart[] = [];
  const scales = powers(half, largest(program.lookups.map((l) => l.shift)) + 1);
  // Absent leaves are 0 / 1: start from denominator 1 everywhere and correct it inside each section.
  let constant = 1n;
  const prefixes = eqPrefixes(point);
  for (const s of sections) {
    const own = point.slice(point.length - s.bits);
    const select = prefixes(point.length - s.bits, s.offset / 2 ** s.bits);
    if (s.kind === 'table') {
      const t = program.tables[s.index];
      const counts = program.tensors[t.multiplicities];
      const openings = ctx.open(openingSize(program, counts), () => openTensor(program, counts, [own], 1n));
      numerators.push([neg(select), { form: constantForm(0n), openings }]);
      const second = t.kind === 'range' ? 0n : ((await role.evaluateTable(s.index, own)) ?? 0n);
      const base = reduce(alpha - 1n - beta * BigInt(s.index) - indexAt(own) - mul(beta, beta) * second);
      constant += select * base;
      continue;
    }
    const { tensor, table, offset, shift, value: beside } = program.lookups[s.index];
    const scale = scales[shift];
    const { inside, points } = sectionPoint(program.tensors[tensor].shape, s.box, own);
    numerators.push([mul(select, inside), value(constantForm(1n))]);
    constant += select * reduce(alpha - 1n - beta * BigInt(table) - offset * scale);
    parts.push({ tensor: tensor, point: points, weight: mul(select, scale) });
    if (beside !== undefined) parts.push({ tensor: beside, point: points, weight: mul(select, mul(beta, beta)) });
  }
  ctx.assertZero(combineValues(numerators));
  const form = combine([
    [1n, constantForm(reduce(constant))],
    [neg(1n), denominator],
  ]);
  return { form, parts };
}

/** The tensor's point for a section: the box's leading bits, then the section's own; and how much of it is inside. */
function sectionPoint(
  shape: readonly number[],
  box: readonly BoxSide[],
  own: readonly bigint[],
): { inside: bigint; points: bigint[][] } {
  let at = 0;
  let inside = 1n;
  const points = box.map((side, j) => {
    const suffix = own.slice(at, (at += side.bits));
    inside = mul(inside, eqSum(suffix, side.inside));
    const leading = bitsFor(shape[j]) - side.bits;
    return [...bitsOf(side.first / 2 ** side.bits, leading), ...suffix];
  });
  return { inside, points };
}
