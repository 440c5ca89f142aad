/** Ranges wider than small tables: which tables a program gets, and that they leave no other values. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GadgetLookup, GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import {
  limbWidths,
  planRanges,
  rangeLookups,
  smallPlan,
  type RangePlan,
} from '../../../compiler/lower/gadgets/limbs.ts';
import { testDevice } from '../../kit/devices.ts';
import { forge, type Forger } from '../../kit/forge.ts';
import { createStatement, prove, verify } from '../../kit/statement.ts';
import { createSubject } from '../../kit/subject.ts';

const plans = fc
  .record({ limb: fc.integer({ min: 16, max: 20 }), tables: fc.subarray([17, 18, 19]) })
  .map(({ limb, tables }): RangePlan => ({ limb, tables: new Set(tables.filter((w) => w < limb)) }));

describe('a plan', () => {
  test('has tables as wide as pays', () => {
    expect(planRanges([])).toEqual(smallPlan);
    expect(planRanges([{ bits: 18, entries: 1000, committed: false }])).toEqual(smallPlan);
    expect(planRanges([{ bits: 18, entries: 1e6, committed: false }])).toEqual({ limb: 18, tables: new Set() });
    const two = planRanges([
      { bits: 17, entries: 4e6, committed: false },
      { bits: 19, entries: 4e6, committed: false },
    ]);
    expect(two).toEqual({ limb: 19, tables: new Set([17]) });
  });

  test('cuts numbers into limbs that add up', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 200 }), (plan, bits) => {
        const [low, ...full] = limbWidths(plan, bits);
        expect(full.every((w) => w === plan.limb)).toBe(true);
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThanOrEqual(plan.limb);
        expect([low, ...full].reduce((a, b) => a + b)).toBe(bits);
      }),
    );
  });

  test('has lookups that leave a width its numbers and no others', () => {
    fc.assert(
      fc.property(
        plans,
        fc.integer({ min: 1, max: 20 }),
        fc.bigInt({ min: -(2n ** 21n), max: 2n ** 21n }),
        (plan, w, v) => {
          const width = Math.min(w, plan.limb);
          const end = 2n ** BigInt(width);
          for (const n of [
            v,
            -1n,
            0n,
            end - 1n,
            end,
            2n ** BigInt(plan.limb) - 1n,
            end - 2n ** BigInt(plan.limb) - 1n,
          ]) {
            const found = rangeLookups(plan, width).every(
              (l) => n + l.offset >= 0n && n + l.offset < 2n ** BigInt(l.table),
            );
            expect(found).toBe(n >= 0n && n < end);
          }
        },
      ),
    );
  });
});

describe('remainders in a table of 2^18', async () => {
  const device = await testDevice();
  // p's of 17 bits, in two lookups; q's of 18, in one; r's of 22, in limbs of 4 and of 18.
  const text = `
    model m { dim N = 3
      source a
      secret x[N]: fixed<24, 0> from a "x"
      p[i] = round<10, 0>(1/131072 * x[i])
      q[i] = round<10, 0>(1/262144 * x[i])
      r[i] = round<10, 0>(1/4194304 * x[i])
      public out[i] = p[i] + 1000 * q[i] + 1000000 * r[i] }`;
  const subject = await createSubject(text, { ranges: { limb: 18, tables: new Set() } });
  const x = [5_000_000n, -3_333_333n, 131_072n * 17n];
  const statement = await createStatement(device, subject, new Map([[0, x]]));
  const { tensors, tables, lookups } = subject.gadgets;
  const nameOf = (l: GadgetLookup): string => tensors[l.tensor].name;

  test('are looked up as planned', () => {
    const found = lookups.map((l) => {
      const t = tables[l.table];
      return `${nameOf(l)}, ${t.kind === 'range' ? t.bits : t.name}, ${l.offset}`;
    });
    expect(found).toEqual([
      'p, 10, 512',
      'p remainder, 18, 0',
      'p remainder, 18, 131072',
      'q, 10, 512',
      'q remainder, 18, 0',
      'r, 10, 512',
      'r remainder bits 0, 4, 0',
      'r remainder from bit 4, 18, 0',
    ]);
  });

  test('are proved', async () => {
    expect(await verify(device, statement, await prove(device, statement))).toEqual({ ok: true });
  });

  test.each(['p', 'q', 'r'])('leave one value of %s', async (name) => {
    for (const by of [1n, -1n]) {
      const change = (f: Forger): void => f.add(name, 0, by);
      expect(await forge(device, statement, { change })).toMatchObject({ ok: false });
    }
  });

  test('need both lookups', async () => {
    // One more is a negative remainder, which the first lookup refuses; one less a remainder of 2^17 or more, which the second does.
    for (const [by, offset] of [
      [1n, 0n],
      [-1n, 131072n],
    ]) {
      const change = (f: Forger): void => f.add('p', 0, by);
      const lacking = (p: GadgetProgram): GadgetProgram => ({
        ...p,
        lookups: p.lookups.filter((l) => nameOf(l) !== 'p remainder' || l.offset !== offset),
      });
      expect(await forge(device, statement, { change, program: lacking })).toEqual({ ok: true });
    }
  });
});
