/** The kit's whole check on programs where things go wrong, and on random ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import type { IndexExpr, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { at, program, sumOfProducts, term } from '../kit/build.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { programs } from '../kit/programs.ts';
import { createSubject } from '../kit/subject.ts';
import { text } from './fixture.ts';

const device = await testDevice();

const v = (k: number): IndexExpr => ({ kind: 'var', var: k });
const c = (value: number): IndexExpr => ({ kind: 'const', value });
const secret = (name: string, shape: readonly number[], bits = 4, source = 'w') => ({ name, shape, bits, source });
const given = (name: string, shape: readonly number[], bits = 8) => ({ name, shape, bits });

const cases: Record<string, TensorProgram | string> = {
  'a LoRA adapter of rank 3': text(3),
  'a LoRA adapter of rank 1': text(1),
  'nothing secret at all': program([given('x', [3])], [{ name: 'y', shape: [3], terms: [term([at(0, 0), at(0, 0)])] }]),
  scalars: program(
    [secret('s', []), given('x', [])],
    [{ name: 'y', shape: [], terms: [term([at(0), at(1)]), term([], [], 7n)] }],
  ),
  'tensors of one entry': program(
    [secret('s', [1, 1]), secret('t', [1]), given('x', [1])],
    [{ name: 'y', shape: [1], terms: [term([at(0, 0, 1), at(1, 1), at(2, 0)], [1])] }],
  ),
  'a square, a cube, and a product of three': program(
    [secret('s', [3]), secret('t', [3])],
    [
      { name: 'square', shape: [3], terms: [term([at(0, 0), at(0, 0)])] },
      { name: 'cube', shape: [3], terms: [term([at(0, 0), at(0, 0), at(0, 0)])] },
      { name: 'three', shape: [], terms: [term([at(0, 0), at(1, 0), at(0, 0)], [3])] },
    ],
  ),
  'sums that reduce nothing, everything, and an index of no factor': program(
    [secret('s', [5, 3])],
    [
      { name: 'total', shape: [], terms: [term([at(0, 0, 1)], [5, 3])] },
      { name: 'spread', shape: [2, 5], terms: [term([at(0, 1, 2)], [3], -3n)] },
      { name: 'times', shape: [], terms: [term([at(0, 1, 2)], [7, 5, 3])] },
    ],
  ),
  'four levels': program(
    [secret('s', [3, 3]), given('x', [3])],
    [
      { name: 'a', shape: [3], public: false, terms: [term([at(0, 0, 1), at(1, 1)], [3])] },
      { name: 'b', shape: [3], public: false, terms: [term([at(0, 0, 1), at(2, 1)], [3]), term([at(2, 0)])] },
      { name: 'c', shape: [3], public: false, terms: [term([at(3, 0), at(2, 0)])] },
      { name: 'y', shape: [3], terms: [term([at(4, 0)]), term([at(3, 0)], [], 2n), term([at(2, 0), at(2, 0)])] },
    ],
  ),
  'views: transposed, shifted, sliced, reversed, gathered on a diagonal': program(
    [secret('s', [4, 4])],
    [
      { name: 'transposed', shape: [4, 4], terms: [term([at(0, 1, 0)])] },
      {
        name: 'shifted',
        shape: [6],
        terms: [
          {
            ...term([{ tensor: 0, at: [{ kind: 'sub', left: v(0), right: c(1) }, c(2)] }]),
            guards: [
              { left: v(0), op: '>=', right: c(1) },
              { left: v(0), op: '<', right: c(5) },
            ],
          },
        ],
      },
      { name: 'sliced', shape: [2, 3], terms: [term([at(0, 0, 1)])] },
      {
        name: 'reversed',
        shape: [4],
        terms: [
          term([
            {
              tensor: 0,
              at: [
                { kind: 'sub', left: c(3), right: v(0) },
                { kind: 'mod', left: v(0), by: 3 },
              ],
            },
          ]),
        ],
      },
      { name: 'diagonal', shape: [4], terms: [term([at(0, 0, 0)])] },
      { name: 'product', shape: [4], terms: [term([at(0, 0, 0), at(0, 1, 0)], [4])] },
    ],
  ),
  'a causal mask': program(
    [secret('s', [5, 5]), given('x', [5])],
    [
      {
        name: 'y',
        shape: [5],
        terms: [{ ...term([at(0, 0, 1), at(1, 1)], [5]), guards: [{ left: v(1), op: '<=', right: v(0) }] }],
      },
    ],
  ),
  'two sources of other widths and columns': program(
    [secret('large', [40, 60], 8, 'a'), secret('small', [3, 5], 2, 'b'), given('x', [60])],
    [
      { name: 'y', shape: [40], terms: [term([at(0, 0, 1), at(2, 1)], [60])] },
      { name: 'z', shape: [3], terms: [term([at(1, 0, 1), at(0, 1, 0)], [5])] },
    ],
  ),
};

describe('gadgets', () => {
  test.each(Object.entries(cases))('%s', async (_name, subject) => {
    const report = await assertGadget(subject, { devices: [device], samples: 8, statements: 1 });
    expect(report.checks.messages + report.checks.bytes).toBeGreaterThan(8);
  });

  test('two devices make the same bytes', async () => {
    const report = await assertGadget(text(3), {
      devices: [device, createReferenceDevice()],
      samples: 1,
      statements: 1,
    });
    expect(report.checks.devices).toBe(4);
  });

  test('wide types: limbs of 16 bits in the range proof', async () => {
    const wide = program(
      [17, 33, 48].map((bits) => secret(`s${bits}`, [2], bits)),
      [{ name: 'y', shape: [2], terms: [term([at(0, 0)]), term([at(1, 0)]), term([at(2, 0)])] }],
    );
    await assertGadget(wide, { devices: [device], samples: 2, statements: 1 });
  });

  test('random programs are proved, mean what the interpreter says, and bind everything', async () => {
    await fc.assert(
      fc.asyncProperty(programs(), fc.nat(1e6), async (p, seed) => {
        await assertGadget(p, { devices: [device], samples: 2, statements: 1, seed });
      }),
      { seed: 1, numRuns: 25 },
    );
  });
});

test('random programs of twenty equations and tables', async () => {
  await fc.assert(
    fc.asyncProperty(programs({ equations: 20 }), fc.nat(1e6), async (p, seed) => {
      await assertGadget(p, { devices: [device], samples: 1, statements: 1, seed });
    }),
    { seed: 7, numRuns: 3 },
  );
});

describe('many products', () => {
  test('more triples than fit one row of 32, and more rows than the opening argument has columns for', async () => {
    for (const count of [33, 170]) {
      const many = sumOfProducts(count, (k) => BigInt(k + 1));
      expect((await createSubject(many)).argument.pads.triples).toBe(count);
      await assertGadget(many, { devices: [device], samples: 6, statements: 1 });
    }
  });
});
