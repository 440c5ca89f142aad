/** Rows of a source that public indices name: a claim about them is the openings that say so. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOut, layOutState } from '../../../compiler/lower/layout.ts';
import type { GadgetTensor } from '../../../compiler/ir/gadget/program.ts';
import { openGathered } from '../../../runtime/protocol/commitment/gathered.ts';
import { openingSize } from '../../../runtime/protocol/commitment/layout.ts';
import { layMatrix } from '../../../runtime/protocol/commitment/matrix.ts';
import { bitsFor, mul } from '../../../runtime/protocol/scalar.ts';
import { gatherMap } from '../../../runtime/protocol/statement/views.ts';
import { lengths, shapes } from '../../kit/arbitrary.ts';
import { Draw } from '../../kit/draw.ts';
import { evaluate, openedValue, size } from './multilinear.ts';

test('openings of gathered rows add up to the multilinear extension of what is gathered', () => {
  const layouts = fc.constantFrom(layOut, layOutState);
  const counts = shapes({ maxAxes: 2, maxEntries: 24 });
  const arbitrary = fc.tuple(layouts, lengths, shapes({ maxAxes: 2, maxEntries: 40 }), counts, fc.nat(1e6));
  fc.assert(
    fc.property(arbitrary, ([lay, length, rest, count, seed]) => {
      const draw = new Draw('gathered', seed);
      const of = [length, ...rest];
      const source = lay('s', [
        { name: 'other', shape: [3, 5], bits: 8, frac: 0 },
        { name: 'x', shape: of, bits: 8, frac: 0 },
      ]);
      const file = source.tensors.findIndex((t) => t.name === 'x');
      const tensors = source.tensors.map((t) =>
        draw.integers({ lo: -128n, hi: 127n }, size(t.axes.map((a) => a.length))),
      );
      const matrix = layMatrix(source, tensors);
      const shape = [...count, ...rest];
      const program = {
        sources: [source],
        tensors: [
          { name: 'x', shape: of, class: { kind: 'committed', source: 0, stacked: 0, files: [file] } },
          { name: 'rows', shape: count, class: { kind: 'input' } },
          { name: 'x at rows', shape, class: { kind: 'gathered', of: 0, indices: 1 } },
        ] as unknown as GadgetTensor[],
      };
      // As few rows that there are, so many repeat.
      const indices = draw.integers({ lo: 0n, hi: BigInt(length - 1) }, size(count));
      const point = shape.map((n) => Array.from({ length: bitsFor(n) }, () => draw.scalar()));
      const scale = draw.scalar();
      const openings = openGathered(program, program.tensors[2], indices, point, scale);
      const gathered = Array.from(gatherMap(of, indices), (k) => tensors[file][k]);
      expect(openedValue(source, matrix, openings)).toBe(mul(scale, evaluate(shape, gathered, point)));
      expect(openings).toHaveLength(new Set(indices).size);
      const most = Math.min(size(count), length);
      const rows = size(count) + most * openings[0].rowWeights.length;
      expect(openingSize(program, program.tensors[2])).toEqual({ openings: most, rows, limited: 0 });
    }),
    { seed: 21, numRuns: 80 },
  );
});
