import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMB_BITS } from '../../../compiler/ir/numbers/limits.ts';
import { layOut, layOutState } from '../../../compiler/lower/layout.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { columnTable } from '../../../runtime/protocol/commitment/hyrax.ts';
import { ProtocolContext } from '../../../runtime/protocol/context.ts';
import { rowSections, type RowLookupPlan } from '../../../runtime/protocol/lookup/row-lookups.ts';
import {
  limbWidths,
  planRange,
  planRangeArgument,
  rangeProtocol,
  rangeLookups,
} from '../../../runtime/protocol/commitment/range-proof.ts';
import { mul, reduce } from '../../../runtime/protocol/scalar.ts';
import { Transcript } from '../../../runtime/protocol/transcript.ts';
import { slotMap } from '../../../runtime/protocol/commitment/layout.ts';
import { shapes } from '../../kit/arbitrary.ts';
import { Draw } from '../../kit/draw.ts';

const plans = fc.record({
  tables: fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 4 }),
  columns: fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 10 })), {
    minLength: 0,
    maxLength: 12,
  }),
});

describe('leaf sections', () => {
  test('are disjoint, aligned to their size, complete, and fill the tree from the left', () => {
    fc.assert(
      fc.property(plans, ({ tables, columns }) => {
        const plan: RowLookupPlan = {
          tables: tables.map((bits, i) => ({ bits, matrix: i, columns: 32 })),
          columns: columns.map(([rowBits, columnBits]) => ({ table: 0, rowBits, columnBits, constant: 0n, parts: [] })),
        };
        const { sections, depth } = rowSections(plan);
        expect(sections).toHaveLength(tables.length + columns.length);
        let end = 0;
        for (const s of sections) {
          expect(s.offset).toBe(end);
          expect(s.offset % 2 ** s.bits).toBe(0);
          end += 2 ** s.bits;
        }
        expect(2 ** depth).toBeGreaterThanOrEqual(end);
        expect(2 ** (depth - 1)).toBeLessThan(end);
        const named = (kind: string): number[] =>
          sections
            .filter((s) => s.kind === kind)
            .map((s) => s.index)
            .sort((a, b) => a - b);
        expect(named('column')).toEqual(columns.map((_, i) => i));
        expect(named('table')).toEqual(tables.map((_, i) => i));
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

const sources = fc
  .tuple(
    fc.constantFrom(layOut, layOutState),
    fc.array(fc.tuple(shapes({ maxAxes: 2 }), fc.constantFrom(1, 4, 8, 16, 17, 32, 33, 48)), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([lay, list]) =>
    lay(
      's',
      list.map(([shape, bits], i) => ({ name: `t${i}`, shape, bits, frac: 0 })),
    ),
  );

describe('the plan of a range proof', () => {
  test('looks every slot of every row up, once for each limb', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const plan = planRange(source);
        expect(rangeLookups(source)).toBe(plan.lookups.columns.length);
        const first = source.tensors.filter((t) => t.firstColumn === undefined);
        const bitsOfRow = first.flatMap((t) => Array.from({ length: t.rows }, () => t.bits));
        const rowsOf = plan.stretches.flatMap((s) =>
          Array.from({ length: s.rows }, (_, i) => [s.firstRow + i, s.bits]),
        );
        expect(rowsOf).toEqual(bitsOfRow.map((bits, i) => [i, bits]));
        const seen = new Map<string, number>();
        for (const c of plan.lookups.columns)
          for (let i = 0; i < 2 ** c.rowBits; i++) {
            const [own] = c.parts;
            const key = `${own.matrix}:${own.firstRow + i}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
            expect(2 ** c.columnBits).toBe(source.columns);
          }
        for (let row = 0; row < source.rows; row++) expect(seen.get(`0:${row}`)).toBe(1);
        const limbRows = plan.limbs.reduce((n, l) => n + l.stretch.rows, 0);
        expect(seen.size).toBe(source.rows + limbRows);
        expect([...seen.values()].every((n) => n === 1)).toBe(true);
        expect(limbRows).toBe(plan.stretches.reduce((n, s) => n + s.rows * (Math.ceil(s.bits / LIMB_BITS) - 1), 0));
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  test('limb widths add up to the width', () => {
    for (let bits = 1; bits <= 48; bits++) {
      const widths = limbWidths(bits);
      expect(widths.reduce((a, b) => a + b)).toBe(bits);
      expect(widths.slice(1).every((_, i) => widths[i] === LIMB_BITS)).toBe(true);
    }
  });

  test('its zero relations vanish for matrices that are zero outside their tensors, and for no single slot that is not', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.nat(1e6), async (source, seed) => {
        const draw = new Draw('zeros', seed);
        const relations = await zeroRelations(source);
        for (const t of source.tensors) {
          const map = slotMap(t, source.columns);
          const used = 2 ** t.axes.reduce((n, a) => n + a.columnBits, 0);
          const column = (s: number): number => (s % source.columns) - (t.firstColumn ?? 0);
          // Slots beyond the digits' columns have no weight in any claim; all others outside the tensor have to be 0.
          const weighted = [...map.keys()].filter((s) => map[s] < 0 && column(s) >= 0 && column(s) < used);
          const inside = [...map.keys()].filter((s) => map[s] >= 0);
          const base = t.firstRow * source.columns;
          for (const s of draw.sample(inside, 5)) expect(relations.some((value) => value(base + s) !== 0n)).toBe(false);
          for (const s of draw.sample(weighted, 5))
            expect(relations.some((value) => value(base + s) !== 0n)).toBe(true);
        }
      }),
      { seed: 5, numRuns: 25 },
    );
  });
});

/** For each zero relation of a source's range proof: its value on the matrix that is 1 in one slot and 0 elsewhere. */
async function zeroRelations(source: CommittedSource): Promise<((slot: number) => bigint)[]> {
  const plan = planRange(source);
  const argument = await planRangeArgument(source, plan);
  const ctx = new ProtocolContext(new Transcript(), { masked: () => 1n, clear: () => 1n });
  await rangeProtocol(ctx, source, plan);
  expect(ctx.plan().labels).toEqual(argument.pads.labels);
  return ctx.relations
    .filter((v) => v.form.pads.size === 0)
    .map(({ openings }) => {
      const tables = openings.map((o) => columnTable(o.columns));
      return (slot: number): bigint => {
        const [row, column] = [Math.floor(slot / source.columns), slot % source.columns];
        return reduce(
          openings.reduce(
            (s, o, k) => s + mul(o.scale, mul(o.rowWeights[row - o.firstRow] ?? 0n, tables[k][column] ?? 0n)),
            0n,
          ),
        );
      };
    });
}
