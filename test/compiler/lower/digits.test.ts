/** Views by digits: the same entries as index arithmetic says, and nothing where the view's indices are padded. */
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { digitsOf } from '../../../compiler/lower/rewrite/digits.ts';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { bitsFor } from '../../../runtime/protocol/scalar.ts';
import { digitMap, viewMap } from '../../../runtime/protocol/statement/views.ts';

const length = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 12, 16);

/** Index arithmetic over `variables`, much of it of the kind that picks digits. */
const expression = (variables: number): fc.Arbitrary<IndexExpr> =>
  fc.letrec<{ e: IndexExpr }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 3 },
      fc.nat(variables - 1).map((v): IndexExpr => ({ kind: 'var', var: v })),
      fc.nat(9).map((value): IndexExpr => ({ kind: 'const', value })),
      fc
        .tuple(tie('e'), fc.constantFrom(1, 2, 4, 8, 3))
        .map(([left, value]): IndexExpr => ({ kind: 'mul', left, right: { kind: 'const', value } })),
      fc
        .tuple(fc.constantFrom('div' as const, 'mod' as const), tie('e'), fc.constantFrom(1, 2, 4, 8, 3))
        .map(([kind, left, by]): IndexExpr => ({ kind, left, by })),
      fc.tuple(tie('e'), tie('e')).map(([left, right]): IndexExpr => ({ kind: 'add', left, right })),
    ),
  })).e;

const access = fc
  .tuple(fc.array(length, { minLength: 1, maxLength: 3 }), fc.array(length, { minLength: 1, maxLength: 2 }))
  .chain(([shape, of]) =>
    fc.tuple(fc.constant(shape), fc.constant(of), fc.tuple(...of.map(() => expression(shape.length)))),
  );

/** Of the form (h * 2^k + j), (h div 2^k), (j mod 2^k): digits of two indices or of one. */
const common = fc.tuple(length, length, fc.constantFrom(1, 2, 4, 8), length).chain(([a, b, m, of]) => {
  const [h, j]: IndexExpr[] = [
    { kind: 'var', var: 0 },
    { kind: 'var', var: 1 },
  ];
  const times: IndexExpr = { kind: 'mul', left: h, right: { kind: 'const', value: m } };
  return fc.constantFrom<[number[], number[], IndexExpr[]]>(
    [[a, b], [of * m], [{ kind: 'add', left: times, right: j }]],
    [
      [a, b],
      [a, Math.ceil(b / m)],
      [h, { kind: 'div', left: j, by: m }],
    ],
    [
      [a, b],
      [a, m],
      [h, { kind: 'mod', left: j, by: m }],
    ],
    [
      [a * m, b],
      [a, m],
      [
        { kind: 'div', left: h, by: m },
        { kind: 'mod', left: h, by: m },
      ],
    ],
    [
      [a, b],
      [of, b],
      [{ kind: 'const', value: of - 1 }, j],
    ],
  );
});

test('where there are digits they are those of the position, and padded indices lead nowhere', () => {
  let found = 0;
  fc.assert(
    fc.property(fc.oneof(access, common), ([shape, of, at]) => {
      const axes = digitsOf(shape, of, at);
      if (!axes) return;
      found++;
      expect([...digitMap(shape, of, axes)]).toEqual([...viewMap(shape, of, at, [])]);
      const padded = shape.map((n) => 2 ** bitsFor(n));
      const map = digitMap(padded, of, axes);
      const strides = padded.map((_, j) => padded.slice(j + 1).reduce((n, d) => n * d, 1));
      for (const [k, position] of map.entries())
        if (shape.some((n, j) => Math.floor(k / strides[j]) % padded[j] >= n)) expect(position).toBe(-1);
    }),
    { seed: 1, numRuns: 3000 },
  );
  expect(found).toBeGreaterThan(300);
});
