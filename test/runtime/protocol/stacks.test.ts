/** Which summands are stacked: those that differ in their tensors and weights, and in nothing else. */
import { describe, expect, test } from 'vitest';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import type { AxisBinding, GadgetTensorClass } from '../../../compiler/ir/gadget/program.ts';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';
import { gadgetProgram } from '../../kit/build.ts';
import {
  roundDegrees,
  stackSummands,
  type AxisPoints,
  type Summand,
} from '../../../runtime/protocol/sumcheck/stacks.ts';

const scale = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
const variable = (v: number): IndexExpr => ({ kind: 'var', var: v });
const minus = (v: number, by: number): IndexExpr => ({
  kind: 'sub',
  left: variable(v),
  right: { kind: 'const', value: by },
});
const bit = (v: number, k = 0) => ({ variable: v, bit: k });
const secret: GadgetTensorClass = { kind: 'committed', source: 0, stacked: 0, files: [0] };
const open: GadgetTensorClass = { kind: 'committed', source: 1, stacked: 0, files: [0] };
const guards = [{ left: variable(0), op: '<', right: variable(1) }] as const;

const classes: Record<string, { shape: number[]; class: GadgetTensorClass }> = {
  s: { shape: [2, 2], class: secret },
  s2: { shape: [2, 2], class: secret },
  witness: { shape: [2, 2], class: { kind: 'witness', axes: [], firstRow: 0, rows: 1, firstColumn: 0 } },
  open: { shape: [2, 2], class: open },
  input: { shape: [2, 2], class: { kind: 'input' } },
  mask: { shape: [2, 2], class: { kind: 'constant', guards } },
  selector: { shape: [2, 2], class: { kind: 'selector', of: 0 } },
  later: { shape: [2, 2], class: { kind: 'defined', level: 2 } },
  later2: { shape: [2, 2], class: { kind: 'defined', level: 2 } },
  last: { shape: [2, 2], class: { kind: 'defined', level: 3 } },
  wide: { shape: [2, 4], class: secret },
  flat: { shape: [4], class: secret },
  flat2: { shape: [4], class: secret },
  flatOpen: { shape: [4], class: open },
};
const names = Object.keys(classes);
const view = (of: string, at: IndexExpr[], more: object = {}): GadgetTensorClass => ({
  kind: 'view',
  level: 2,
  of: names.indexOf(of),
  at,
  guards: [],
  ...more,
});
const digits = (of: string, ...axes: ReturnType<typeof bit>[][]): GadgetTensorClass => ({
  kind: 'digits',
  of: names.indexOf(of),
  axes,
});
const seen: Record<string, GadgetTensorClass> = {
  shifted: view('later', [minus(0, 1), variable(1)]),
  shifted2: view('later2', [minus(0, 1), variable(1)]),
  shiftedMore: view('later', [minus(0, 2), variable(1)]),
  shiftedBelow: view('later', [minus(0, 1), variable(1)], { guards }),
  shiftedAbove: view('later', [minus(0, 1), variable(1)], { guards: [{ ...guards[0], op: '>' }] }),
  shiftedLast: view('last', [minus(0, 1), variable(1)], { level: 3 }),
  digits: digits('flat', [bit(0), bit(1)]),
  digits2: digits('flat2', [bit(0), bit(1)]),
  digitsTurned: digits('flat', [bit(1), bit(0)]),
  digitsOpen: digits('flatOpen', [bit(0), bit(1)]),
  digitsSquare: digits('s', [bit(0)], [bit(1)]),
};
const all = {
  ...classes,
  ...Object.fromEntries(Object.entries(seen).map(([k, c]) => [k, { shape: [2, 2], class: c }])),
};
const program = gadgetProgram({
  tensors: Object.entries(all).map(([name, t]) => ({ name, scale, span, range: { lo: 0n, hi: 1n }, ...t })),
  sources: [false, true].map((o) => ({ name: 'a', ...(o ? { open: o } : {}), columns: 32, rows: 1, tensors: [] })),
  levels: 3,
});
const id = (name: string): number => Object.keys(all).indexOf(name);

const claim: AxisPoints = [[5n], [7n]];
const out = (output: number): AxisBinding => ({ kind: 'output', output });
const sum = (v: number): AxisBinding => ({ kind: 'summed', variable: v });

/** first[i, k] * second[j, k], summed over k, at a claim. */
const term = (first: string, second: string, more: Partial<Summand> & { axes?: AxisBinding[] } = {}): Summand => {
  const { axes = [out(1), sum(0)], ...rest } = more;
  const variables = rest.variables ?? [2];
  const factors = [
    { tensor: id(first), axes: [out(0), sum(0)] },
    { tensor: id(second), axes },
  ];
  return {
    claim,
    weight: 1n,
    variables,
    factors: 2,
    weights: [],
    source: { kind: 'term', term: { coefficient: 1n, variables, shared: [], free: [], factors } },
    ...rest,
  };
};
const seenAt = (name: string, at = claim): Summand => ({
  claim: at,
  weight: 1n,
  variables: [2, 2],
  factors: 2,
  weights: [],
  source: { kind: 'view', view: id(name), of: (seen[name] as { of: number }).of },
});

const stacks = (...summands: Summand[]) => stackSummands(program, summands);

describe('summands are stacked', () => {
  test.each<[string, Summand, Summand, boolean[]]>([
    ['of committed tensors, of whatever matrix', term('s', 's'), term('witness', 's'), [true, false]],
    ['the other way round', term('s', 's2'), term('s2', 's'), [true, true]],
    ['public factors of any kind', term('input', 'later'), term('mask', 'later'), [true, false]],
    ['selectors among them', term('later', 'input'), term('later2', 'selector'), [true, true]],
    ['views of one access', seenAt('shifted'), seenAt('shifted2'), [false, true]],
    ['the same digits of others', term('digits', 's'), term('digits2', 's'), [true, false]],
    ['points that are equal', term('s', 's'), { ...term('s2', 's'), claim: [[5n], [7n]] }, [true, false]],
  ])('%s', (_, a, b, varying) => {
    const [stack, ...others] = stacks(a, b);
    expect(others).toEqual([]);
    expect(stack.members).toEqual([a, b]);
    expect(stack.varying).toEqual(varying);
  });

  test('those of the same tensors are one, with the sum of their weights', () => {
    const [stack, ...others] = stacks(term('s', 's2'), { ...term('s', 's2'), weight: 41n });
    expect(others).toEqual([]);
    expect(stack).toEqual({ members: [{ ...term('s', 's2'), weight: 42n }], varying: [false, false] });
  });

  test('a round’s degree counts the weight and what varies', () => {
    const three = stacks(term('s', 'later'), term('s2', 'later'), term('witness', 'later'));
    expect(roundDegrees(three)).toEqual([2, 2, 2]);
    expect(roundDegrees(stacks(term('s', 'later'), term('s2', 'later2')))).toEqual([2, 3]);
    expect(roundDegrees(stacks(term('s', 'later', { weights: [3n] })))).toEqual([3]);
  });
});

describe('summands are not stacked', () => {
  const axes = [sum(0), out(1)];
  test.each<[string, Summand, Summand]>([
    ['open and secret', term('s', 'later'), term('open', 'later')],
    ['public and secret', term('input', 'later'), term('s', 'later')],
    ['levels', term('later', 's'), term('last', 's')],
    ['committed and defined', term('s', 'later'), term('later', 'later2')],
    ['shapes', term('s', 'later'), term('wide', 'later')],
    ['axes in another order', term('s', 's'), term('s', 's2', { axes })],
    ['an axis at 1/2', term('s', 's'), term('s', 's2', { axes: [{ kind: 'half' }, sum(0)] })],
    ['lengths of variables', term('s', 's'), term('s', 's2', { variables: [1] })],
    ['points', term('s', 's'), term('s', 's2', { claim: [[5n], [8n]] })],
    ['points of weights', term('s', 's', { weights: [1n] }), term('s', 's2', { weights: [2n] })],
    ['a weight and none', term('s', 's', { weights: [1n] }), term('s', 's2')],
    ['points of views', seenAt('shifted'), seenAt('shifted2', [[7n], [5n]])],
    ['accesses', seenAt('shifted2'), seenAt('shiftedMore')],
    ['guards and none', seenAt('shifted2'), seenAt('shiftedBelow')],
    ['guards', seenAt('shiftedAbove'), seenAt('shiftedBelow')],
    ['views of other levels', seenAt('shifted'), seenAt('shiftedLast')],
    ['digits in another order', term('digits2', 's'), term('digitsTurned', 's')],
    ['digits of open and secret', term('digits', 's'), term('digitsOpen', 's')],
    ['digits of another shape', term('digits', 's'), term('digitsSquare', 's')],
    ['digits and none', term('digits', 's'), term('s', 's')],
  ])('that differ in: %s', (_, a, b) => {
    expect(stacks(a, b)).toHaveLength(2);
  });

  test('where they leave no message', () => {
    expect(stacks(term('s', 'input'), term('s2', 'input'), term('input', 'mask'), term('mask', 'mask'))).toHaveLength(
      4,
    );
  });
});

test('a view with an access of a million parts is planned, however often it is claimed', async () => {
  const added = (depth: number): IndexExpr =>
    depth === 0
      ? { kind: 'mul', left: { kind: 'const', value: 0 }, right: variable(0) }
      : { kind: 'add', left: added(depth - 1), right: added(depth - 1) };
  const shape = Array.from({ length: 8 }, () => 2);
  // The k-th order of eight axes.
  const order = (k: number): number[] => {
    const left = [0, 1, 2, 3, 4, 5, 6, 7];
    return shape.map((_, i) => left.splice(Math.floor(k / [5040, 720, 120, 24, 6, 2, 1, 1][i]) % (8 - i), 1)[0]);
  };
  const range = { lo: -2n, hi: 1n };
  const tensor = (name: string, own: number[], c: object): object => ({
    name,
    shape: own,
    scale,
    range,
    span,
    class: c,
  });
  const term = (factors: object[]): object => ({ coefficient: 1n, variables: [], shared: [], free: [], factors });
  const read = readGadgetProgram({
    ...program,
    tensors: [
      tensor('y', shape, { kind: 'output' }),
      tensor('w', [2], secret),
      tensor('u', [2], { kind: 'defined', level: 3 }),
      tensor('v', shape, { kind: 'view', level: 2, of: 2, at: [added(17)], guards: [] }),
    ],
    equations: [
      { target: 2, level: 3, terms: [term([{ tensor: 1, axes: [out(0)] }])] },
      {
        target: 0,
        level: 1,
        terms: Array.from({ length: 8000 }, (_, k) => term([{ tensor: 3, axes: order(5 * k).map(out) }])),
      },
    ],
    sources: [
      {
        name: 'a',
        columns: 32,
        rows: 1,
        tensors: [{ name: 'w', axes: [{ length: 2, columnBits: 1 }], bits: 2, frac: 0, firstRow: 0, rows: 1 }],
      },
    ],
    publics: [0],
  });
  const { labels } = (await planProgram(read)).pads;
  expect(labels.filter((l) => l.includes('value of v'))).toHaveLength(8000);
});
