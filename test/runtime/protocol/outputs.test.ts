/** Programs with outputs that no compiler makes: what another program would take one for is not what is proved of it. */
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { checkOutputs } from '../../../compiler/bundle/places.ts';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import { compile } from '../../../compiler/index.ts';
import { tooWide } from '../../../compiler/ir/gadget/magnitude.ts';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { layOut, layOutState } from '../../../compiler/lower/layout.ts';
import { lower } from '../../../compiler/lower/lower.ts';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

const text = `model m { dim N = 12
  source state s
  secret w[N]: fixed<8, 4> from s "w"
  secret v[N]: fixed<8, 4> from s "v"
  secret a[i] = round<8, 4>(w[i] * v[i])
  secret b[i] = round<8, 4>(v[i] / 3)
  secret z[i] = round<24, 4>(2 ^ 14 * w[i] * v[i] / 3)
  public y[i] = a[i] * b[i]
}`;

/** With a and b in one commitment, the first of two. */
const { tensors } = compile({ text, source: 'm.zkl' });
const [a, b, z] = tensors?.outputs ?? [];
const { gadgets } = lower({ ...tensors!, outputs: [{ name: 's', tensors: [...a.tensors, ...b.tensors] }, z] });

type Change = (p: Mutable<GadgetProgram>) => void;

function changed(change: Change): Mutable<GadgetProgram> {
  const p = structuredClone(gadgets) as Mutable<GadgetProgram>;
  change(p);
  return p;
}

const tensor = (p: Mutable<GadgetProgram>, name: string) => p.tensors.find((t) => t.name === name)!;
const placed = (p: Mutable<GadgetProgram>, name: string) => {
  const { class: c } = tensor(p, name);
  if (c.kind !== 'committed') throw new Error(`${name} is not committed`);
  return c;
};
const equation = (p: Mutable<GadgetProgram>, name: string) =>
  p.equations.find((e) => p.tensors[e.target].name === name)!;
const undefine = (p: Mutable<GadgetProgram>, name: string): void => {
  p.equations = p.equations.filter((e) => p.tensors[e.target].name !== name);
  p.steps = p.steps.filter((s) => s.kind !== 'equation');
  tensor(p, name).class = { kind: 'defined', level: 0 };
};
const dropLookups = (p: Mutable<GadgetProgram>, name: string): void => {
  p.lookups = p.lookups.filter((l) => p.tensors[l.tensor].name !== name);
};

test('the program is read as it was made', () => {
  expect(readGadgetProgram(structuredClone(gadgets))).toMatchObject({ outputs: gadgets!.outputs });
});

test.each<[string, Change, RegExp]>([
  ['an empty list of outputs', (p) => (p.outputs = []), /a list of no outputs/],
  ['two outputs of one name', (p) => (p.outputs![1].name = 's'), /an output has the name of another, s/],
  ['an open output', (p) => (p.outputs![0].open = true), /the output s is open/],
  [
    'an output of more columns than the proof',
    (p) => Object.assign(p.outputs![1], { columns: 2 * p.columns }),
    /an output has more columns than/,
  ],
  [
    'a tensor of an output that the program has not',
    (p) => {
      p.outputs![1].tensors.push({ ...p.outputs![1].tensors[0], name: 'more', firstRow: 1 });
      p.outputs![1].rows = 2;
    },
    /more of the output z is 0 tensors/,
  ],
  ['two tensors in one place', (p) => (placed(p, 'b').files = placed(p, 'a').files), /a of the output s is 2 tensors/],
  ['an output that is another tensor’s, too', (p) => (placed(p, 'v').source = 2), /z of the output z is 2 tensors/],
  ['a block that overlaps', (p) => (p.outputs![0].tensors[1].firstColumn = 8), /b does not fit its row/],
  ['a block beyond the row', (p) => (p.outputs![0].tensors[1].firstColumn = 32), /b does not fit its row/],
  ['a block at column 0 that is said', (p) => (p.outputs![0].tensors[0].firstColumn = 0), /a first column is no/],
  ['a block in a row of another type', (p) => (p.outputs![0].tensors[1].bits = 9), /b shares a row with another type/],
  ['the same in a source', (p) => (p.sources[0].tensors[1].frac = 5), /shares a row with another type/],
  [
    'an output that nothing is looked up of',
    (p) => dropLookups(p, 'a'),
    /nothing shows that a is in its output's type/,
  ],
  [
    'a type that is narrower than what is looked up',
    (p) => p.outputs![0].tensors.forEach((t) => (t.bits = 7)),
    /a has another range than its files/,
  ],
  [
    'a type that is wider than what is looked up',
    (p) => p.outputs![0].tensors.forEach((t) => (t.bits = 9)),
    /nothing shows that a is in its output's type/,
  ],
  [
    'a lookup that begins elsewhere',
    (p) => (p.lookups.find((l) => p.tensors[l.tensor].name === 'a')!.offset += 1n),
    /nothing shows that a/,
  ],
  ['an output whose limb is not looked up', (p) => dropLookups(p, 'z bits 0'), /nothing shows that z/],
  [
    'an output of whose rest nothing is looked up',
    (p) => {
      // Its limb is, in its place.
      const limb = p.tensors.indexOf(tensor(p, 'z bits 0'));
      Object.assign(
        p.lookups.find((l) => p.tensors[l.tensor].name === 'z from bit 8')!,
        { tensor: limb, shift: 0 },
      );
      undefine(p, 'z from bit 8');
    },
    /nothing shows that z is in its output's type/,
  ],
  [
    'a rest of twice the output',
    (p) => (equation(p, 'z from bit 8').terms[0].coefficient = 2n),
    /nothing shows that z is in its output's type/,
  ],
  [
    'a rest that lacks its limb',
    (p) => void equation(p, 'z from bit 8').terms.pop(),
    /nothing shows that z is in its output's type/,
  ],
  [
    'an output that only its own limbs speak of',
    (p) => {
      for (const name of ['z remainder', 'z remainder complement']) {
        dropLookups(p, name);
        undefine(p, name);
      }
    },
    /nothing says what z is/,
  ],
])('%s is refused', (_, change, message) => {
  expect(() => readGadgetProgram(changed(change))).toThrow(CodecError);
  expect(() => readGadgetProgram(changed(change))).toThrow(message);
});

test('an output that is a part of a tensor, or a stack of several, is none', () => {
  expect(() => checkOutputs(gadgets!)).not.toThrow();
  for (const change of [{ stacked: 1 }, { files: [0, 1] }]) {
    const p = changed((own) => Object.assign(placed(own, 'a'), change));
    expect(() => checkOutputs(p as GadgetProgram)).toThrow(/a is not one tensor of an output/);
  }
});

test('how large an output is, its lookups say and not the range that it is declared with', () => {
  expect(tooWide(gadgets!)).toBeUndefined();
  const without = changed((p) => dropLookups(p, 'a'));
  tensor(without, 'a').range = { lo: 0n, hi: 1n };
  expect(tooWide(without as GadgetProgram)).toBe('a remainder');
});

describe('the layout of a state', () => {
  const state = [
    { name: 'b', shape: [3, 5], bits: 16, frac: 8 },
    { name: 'a', shape: [40, 70], bits: 32, frac: 28 },
    { name: 'c', shape: [3], bits: 16, frac: 8 },
    { name: 'd', shape: [3], bits: 16, frac: 9 },
  ];

  test('follows from names, shapes and types, in whatever order', () => {
    const laid = layOutState('s', state);
    expect(layOutState('s', state.toReversed())).toEqual(laid);
    expect(laid.columns).toBe(128);
    expect(laid.tensors.map((t) => [t.name, t.firstRow, t.rows, t.firstColumn])).toEqual([
      ['a', 0, 25, undefined],
      ['d', 25, 1, undefined],
      ['b', 26, 1, undefined],
      ['c', 26, 1, 32],
    ]);
  });

  test('of one large tensor is another than that of an adapter: its rows travel', () => {
    const [large] = [{ name: 'w', shape: [512, 512], bits: 16, frac: 8 }];
    expect([layOut('s', [large]).rows, layOutState('s', [large]).rows]).toEqual([512, 128]);
  });
});
