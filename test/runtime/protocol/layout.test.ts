import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOut, layOutState } from '../../../compiler/lower/layout.ts';
import type { GadgetTensor } from '../../../compiler/ir/gadget/program.ts';
import { columnsAt, columnTable, type ColumnDigit } from '../../../runtime/protocol/commitment/hyrax.ts';
import {
  forEachRun,
  openingSize,
  openTensor,
  rowLengths,
  slotMap,
  tensorProduct,
} from '../../../runtime/protocol/commitment/layout.ts';
import { add, bitsFor, eqEval, eqTable, mul } from '../../../runtime/protocol/scalar.ts';
import { emptyRows, layMatrix, layTensor } from '../../../runtime/protocol/commitment/matrix.ts';
import { Draw } from '../../kit/draw.ts';
import { shapes } from '../../kit/arbitrary.ts';
import { bitsOf, evaluate, openedValue, size } from './multilinear.ts';

const parameters = { seed: 20, numRuns: 80 };

/** Of an adapter, and of a state, in which small tensors share rows. */
const layouts = fc.constantFrom(layOut, layOutState);

describe('the layout of committed tensors', () => {
  test('every entry has exactly one slot, and a lone tensor never has fewer slots than entries', () => {
    fc.assert(
      fc.property(layouts, fc.array(shapes({ maxAxes: 3 }), { minLength: 1, maxLength: 5 }), (lay, list) => {
        const source = lay(
          's',
          list.map((shape, i) => ({ name: `t${i}`, shape, bits: i % 3 === 2 ? 9 : 8, frac: 4 })),
        );
        const taken = new Set<number>();
        for (const t of source.tensors) {
          const inside = [...slotMap(t, source.columns)].filter((p) => p >= 0);
          const entries = size(t.axes.map((a) => a.length));
          expect(inside.sort((a, b) => a - b)).toEqual(Array.from({ length: entries }, (_, i) => i));
          const runs = new Int32Array(t.rows * source.columns).fill(-1);
          forEachRun(t, source.columns, (slot, position, count) => {
            for (let i = 0; i < count; i++) runs[(t.firstColumn ?? 0) + slot + i] = position + i;
          });
          for (const [slot, position] of runs.entries()) {
            const own = t.firstRow * source.columns + slot;
            if (position < 0) continue;
            expect(taken.has(own)).toBe(false);
            taken.add(own);
          }
          expect(runs).toEqual(slotMap(t, source.columns));
          expect(t.rows).toBe(rowLengths(t).reduce((n, d) => n * d, 1));
        }
        const own = source.tensors.filter((t) => t.firstColumn === undefined);
        expect(source.rows).toBe(own.reduce((n, t) => n + t.rows, 0));
        for (const t of source.tensors)
          for (const other of source.tensors) if (t.firstRow === other.firstRow) expect(other.bits).toBe(t.bits);
      }),
      parameters,
    );
  });

  test('an opening is the evaluation of the multilinear extension, stacked files included', () => {
    const outers = fc.constantFrom([], [1], [2], [3], [5], [2, 3]);
    const arbitrary = fc.tuple(layouts, shapes({ maxAxes: 3 }), outers, fc.nat(1e6));
    fc.assert(
      fc.property(arbitrary, ([lay, inner, outer, seed]) => {
        const draw = new Draw('layout', seed);
        const files = size(outer);
        // Eleven files and more sort as 0, 1, 10, 2: rows of one declaration do not always follow each other.
        const names = Array.from({ length: files }, (_, i) => `h.${(i * 7) % 13}.w`);
        const source = lay('s', [
          ...names.map((name) => ({ name, shape: inner, bits: 8, frac: 4 })),
          { name: 'h.1.x', shape: [3], bits: 8, frac: 4 },
        ]);
        const position = names.map((n) => source.tensors.findIndex((t) => t.name === n));
        const tensors = source.tensors.map((t) =>
          draw.integers({ lo: -128n, hi: 127n }, size(t.axes.map((a) => a.length))),
        );
        const matrix = layMatrix(source, tensors);
        const shape = [...outer, ...inner];
        const tensor = {
          name: 't',
          shape,
          class: { kind: 'committed', source: 0, stacked: outer.length, files: position },
        } as unknown as GadgetTensor;
        const point = shape.map((n) => Array.from({ length: bitsFor(n) }, () => draw.scalar()));
        const entries = position.flatMap((p) => tensors[p]);
        const scale = draw.scalar();
        const openings = openTensor({ sources: [source] }, tensor, point, scale);
        expect(openedValue(source, matrix, openings)).toBe(mul(scale, evaluate(shape, entries, point)));
        const opened = { openings: openings.length, rows: openings.reduce((n, o) => n + o.rowWeights.length, 0) };
        expect(openingSize({ sources: [source], tensors: [] }, tensor)).toMatchObject(opened);
      }),
      parameters,
    );
  });

  test('a row by itself is laid out as it is in the matrix', () => {
    fc.assert(
      fc.property(layouts, fc.array(shapes({ maxAxes: 3 }), { minLength: 1, maxLength: 4 }), (lay, list) => {
        const source = lay(
          's',
          list.map((shape, i) => ({ name: `t${i}`, shape, bits: 16, frac: 0 })),
        );
        const tensors = source.tensors.map((t, k) =>
          Int16Array.from({ length: size(t.axes.map((a) => a.length)) }, (_, i) => 1000 * k + i + 1),
        );
        const matrix = layMatrix(source, tensors);
        for (let row = 0; row < source.rows; row++) {
          const own = emptyRows(source, 1);
          for (const [k, t] of source.tensors.entries()) layTensor(source, t, tensors[k], own, row, row);
          expect(own).toEqual(matrix.slice(row * source.columns, (row + 1) * source.columns));
        }
      }),
      parameters,
    );
  });

  test('the layout depends on names, shapes and types, not on the order of declaration', () => {
    const tensors = ['b', 'a', 'c'].map((name, i) => ({ name, shape: [3 + i, 5], bits: 8, frac: 2 }));
    expect(layOut('s', tensors)).toEqual(layOut('s', [...tensors].reverse()));
  });
});

describe('column weights', () => {
  const digits = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined })),
    { minLength: 0, maxLength: 3 },
  );

  test('columnsAt is the extension of columnTable, in the first columns', () => {
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 2 }), fc.nat(1e6), (shape, extra, seed) => {
        const draw = new Draw('columns', seed);
        const columns = shape.map(([bits, limit]): ColumnDigit => {
          const point = Array.from({ length: bits }, () => draw.scalar());
          return limit === undefined ? { point } : { point, limit: Math.min(limit, 2 ** bits) };
        });
        const used = shape.reduce((n, [bits]) => n + bits, 0);
        const point = Array.from({ length: used + extra }, () => draw.scalar());
        const table = columnTable(columns);
        const direct = table.reduce((s, w, j) => add(s, mul(w, eqEval(point, bitsOf(j, used + extra)))), 0n);
        expect(columnsAt(columns, point)).toBe(direct);
      }),
      parameters,
    );
  });

  test('eqTable is eq at every index, and cut short it is the beginning of itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.nat(1e6), (n, seed) => {
        const draw = new Draw('eq', seed);
        const point = Array.from({ length: n }, () => draw.scalar());
        const table = eqTable(point);
        expect(table).toEqual(Array.from({ length: 2 ** n }, (_, i) => eqEval(point, bitsOf(i, n))));
        for (let length = 1; length <= 2 ** n; length++) expect(eqTable(point, length)).toEqual(table.slice(0, length));
      }),
      parameters,
    );
  });

  test('tensorProduct is row-major', () => {
    expect(
      tensorProduct([
        [2n, 3n],
        [5n, 0n, 7n],
      ]),
    ).toEqual([10n, 0n, 14n, 15n, 0n, 21n]);
    expect(tensorProduct([])).toEqual([1n]);
  });
});
