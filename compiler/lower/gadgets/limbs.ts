/**
 * How ranges too wide for small tables are looked up: by limbs, and how wide a limb may be.
 *
 * A table of 2^w entries costs a leaf and a multiplicity for each of them, once; limbs cost a committed value and a leaf
 * for each number that is looked up. So a program that looks up millions of 18-bit remainders does better with a table of
 * 2^18 entries, and a small one with limbs of 16 bits.
 */

import { LIMB_BITS, RANGE_TABLE_BITS } from '../../ir/numbers/limits.ts';

/** Leaves of the lookups' tree that a committed value is worth: about 1.2 us against 0.4 us. */
const COMMITTED = 3;
/** A leaf and a multiplicity, most of which are small. */
const TABLE_ENTRY = 3;

/** What a program looks up: `entries` numbers of `bits` bits, whose highest limb has to be committed or follows from them. */
export interface RangeUse {
  readonly bits: number;
  readonly entries: number;
  readonly committed: boolean;
}

export interface RangePlan {
  /** Bits of the widest table of a range. */
  readonly limb: number;
  /** Widths between the small ones and `limb` that have tables of their own. */
  readonly tables: ReadonlySet<number>;
}

export const smallPlan: RangePlan = { limb: LIMB_BITS, tables: new Set() };

/**
 * Widths of the limbs of a number of `bits` bits, lowest first. All but the lowest are full: what is looked up there is a
 * number divided by a power of two, and no other offset.
 */
export function limbWidths({ limb }: RangePlan, bits: number): number[] {
  const full = Math.max(0, Math.ceil(bits / limb) - 1);
  return [bits - full * limb, ...Array.from({ length: full }, () => limb)];
}

/**
 * The lookups, by table width and offset, that leave v the range [0, 2^width): one in a table of that width; or two in the
 * widest table, of v and of v + 2^limb - 2^width, both below 2^limb.
 */
export function rangeLookups(
  plan: RangePlan,
  width: number,
): readonly { readonly table: number; readonly offset: bigint }[] {
  if (width <= LIMB_BITS || width === plan.limb || plan.tables.has(width)) return [{ table: width, offset: 0n }];
  return [
    { table: plan.limb, offset: 0n },
    { table: plan.limb, offset: 2n ** BigInt(plan.limb) - 2n ** BigInt(width) },
  ];
}

/** The cheapest plan. */
export function planRanges(uses: readonly RangeUse[]): RangePlan {
  let best = { plan: smallPlan, cost: costOf(smallPlan, uses) };
  for (let limb = LIMB_BITS + 1; limb <= RANGE_TABLE_BITS; limb++) {
    const lookups = lookedUp({ limb, tables: new Set() }, uses);
    const tables = [...lookups].filter(([w, n]) => w > LIMB_BITS && w < limb && TABLE_ENTRY * 2 ** w < n);
    const plan = { limb, tables: new Set(tables.map(([w]) => w)) };
    const cost = costOf(plan, uses);
    if (cost < best.cost) best = { plan, cost };
  }
  return best.plan;
}

/** How many numbers of each width are looked up. */
function lookedUp(plan: RangePlan, uses: readonly RangeUse[]): Map<number, number> {
  const out = new Map<number, number>();
  for (const { bits, entries } of uses)
    for (const width of limbWidths(plan, bits)) out.set(width, (out.get(width) ?? 0) + entries);
  return out;
}

/** In leaves. */
function costOf(plan: RangePlan, uses: readonly RangeUse[]): number {
  let cost = 0;
  const tables = new Set<number>();
  for (const { bits, entries, committed } of uses)
    cost += COMMITTED * entries * (limbWidths(plan, bits).length - (committed ? 0 : 1));
  for (const [width, entries] of lookedUp(plan, uses)) {
    const lookups = rangeLookups(plan, width);
    cost += lookups.length * entries;
    for (const l of lookups) tables.add(l.table);
  }
  return [...tables].reduce((sum, width) => sum + TABLE_ENTRY * 2 ** width, cost);
}
