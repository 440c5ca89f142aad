/** Programs no compiler makes: each would prove something else than it seems to, or ask a verifier for too much. */
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import { compile } from '../../../compiler/index.ts';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import type { GadgetProgram, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';
import { eqPrefixes, eqSum, eqTable, reduce } from '../../../runtime/protocol/scalar.ts';
import { gadgetProgram } from '../../kit/build.ts';

const text = `model m {
  dim N = 6
  public x[N]: fixed<8, 4>
  secret w[N, N]: fixed<8, 4> from adapter "w"
  u[i] = sum(j) w[i, j]
  public total = sum(i) u[i] * x[i]
  public shifted[i: N] = if i < N - 1 then u[i + 1] else 0
}`;

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** The program with one thing changed; spans are no part of what is read. */
function changed(change: (p: Mutable<GadgetProgram>) => void, of = text): () => GadgetProgram {
  const { gadgets, diagnostics } = compile({ text: of, source: 'm.zkl', resolveImport: () => undefined });
  expect(diagnostics).toEqual([]);
  const p = structuredClone(gadgets) as Mutable<GadgetProgram>;
  change(p);
  return () => readGadgetProgram(p);
}

const tensor = (p: Mutable<GadgetProgram>, name: string) => p.tensors.find((t) => t.name.includes(name))!;
const times = (left: IndexExpr, right: IndexExpr): IndexExpr => ({ kind: 'mul', left, right });
const equation = (p: Mutable<GadgetProgram>, name: string) =>
  p.equations.find((e) => p.tensors[e.target].name === name)!;

describe('a bundle from outside', () => {
  test('the unchanged program is read', () => {
    expect(changed(() => undefined)).not.toThrow();
  });

  test.each<[string, (p: Mutable<GadgetProgram>) => void, RegExp]>([
    [
      'a coefficient without the power of two of an axis that is summed alone',
      (p) => (equation(p, 'u').terms[0].coefficient = 1n),
      /does not count an axis that is summed alone/,
    ],
    [
      'an input whose range is not its type',
      (p) => (tensor(p, 'x').range = { lo: -(2n ** 200n), hi: 2n ** 200n }),
      /x has another range than its type/,
    ],
    [
      'a committed tensor whose range is not its files’',
      (p) => (tensor(p, 'w').range = { lo: 0n, hi: 1n }),
      /w has another range than its files/,
    ],
    [
      'integers that could wrap',
      (p) => (equation(p, 'total').terms[0].coefficient = 2n ** 245n),
      /could wrap in the field/,
    ],
    ['a tensor defined by what comes after it', (p) => p.equations.reverse(), /is defined by what comes after it/],
    ['a public tensor listed twice', (p) => p.publics.push(p.publics[0]), /listed twice/],
    ['two public tensors of one name', (p) => (tensor(p, 'shifted').name = 'x'), /has the name of another, x/],
    [
      'two sources of one name',
      (p) => p.sources.push({ ...p.sources[0], columns: 32 }),
      /a source has the name of another/,
    ],
    [
      'two tensors of one name in a source',
      (p) => {
        const { tensors, rows } = p.sources[0];
        tensors.push({ ...tensors[0], firstRow: rows });
        p.sources[0].rows = 2 * rows;
      },
      /a tensor of the source \S+ has the name of another, w/,
    ],
    ['a public tensor without a name', (p) => (tensor(p, 'x').name = ''), /has no name/],
    ...['y\u200b', 'y\u00ad', '\ufeffy', 'y\u{e0041}', 'a\u00a0b', 'y\u3164', 'a\u2029b', 'a  b', 'y'.repeat(513)].map(
      (name): [string, (p: Mutable<GadgetProgram>) => void, RegExp] => [
        `the name ${JSON.stringify(name).slice(0, 20)}`,
        (p) => (tensor(p, 'x').name = name),
        /a name has (the character U\+|two blanks|513 bytes)/,
      ],
    ),
    ['levels that settle nothing', (p) => (p.levels = 100), /more levels than equations and views/],
    [
      'a view of a view',
      (p) => {
        const view = tensor(p, 'view');
        p.tensors.push({
          ...structuredClone(view),
          class: { ...view.class, of: p.tensors.indexOf(view) } as typeof view.class,
        });
      },
      /is a view of a view/,
    ],
  ])('%s is refused', (_, change, message) => {
    expect(changed(change)).toThrow(CodecError);
    expect(changed(change)).toThrow(message);
  });

  const functions = `table f(x: fixed<4, 0> in [-3, 3]) -> fixed<8, 2> = x / 2
    model m { dim N = 6
    public k[N]: index<9>
    secret w[N, N]: fixed<8, 4> from adapter "w"
    public e[9]: fixed<8, 4>
    u[i] = sum(j) w[i, j]
    public s[i: N] = if i < N - 1 then u[i + 1] else 0
    m[i] = max(j if j != i) w[i, j] * w[j, i]
    y[i] = round<8, 4>(m[i])
    public z[i] = y[i] + e[k[i]] }`;

  test.each<[string, (p: Mutable<GadgetProgram>) => void, RegExp]>([
    ['a tensor that is 0 twice', (p) => p.zeros.push(p.zeros[0]), /is 0 twice/],
    [
      'a mask that says it is 0, and a coefficient as large as that allows',
      (p) => {
        const mask = p.tensors.findIndex((t) => t.class.kind === 'constant' && t.class.guards !== undefined);
        p.tensors[mask].range = { lo: 0n, hi: 0n };
        for (const t of p.equations.flatMap((e) => e.terms))
          if (t.factors.some((f) => f.tensor === mask)) t.coefficient *= 2n ** 300n;
      },
      /could wrap in the field/,
    ],
    [
      'a remainder compared with what is no integer of the field',
      (p) => (p.lookups.find((l) => p.tensors[l.tensor].name === 'y remainder')!.shift = 250),
      /could wrap in the field/,
    ],
    [
      'a selector among 2^30 rows',
      (p) => {
        const size = 2 ** 30;
        Object.assign(tensor(p, 'k'), { shape: [], range: { lo: 0n, hi: BigInt(size) - 1n } });
        tensor(p, 'k').type = { kind: 'index', size };
        tensor(p, 'selector of k').shape = [size];
        Object.assign(p, { equations: [], steps: [], levels: 0 });
      },
      /too large to evaluate/,
    ],
    [
      'a view by digits that reads beyond its own shape',
      (p) => {
        const of = p.tensors.findIndex((t) => t.name === 'w');
        const digits = (variable: number) => [2, 1, 0].map((bit) => ({ variable, bit }));
        p.tensors[of].shape = [6, 6];
        p.tensors.push({
          ...structuredClone(tensor(p, 'w')),
          name: 'five rows of six',
          shape: [5, 6],
          class: { kind: 'digits', of, axes: [digits(0), digits(1)] },
        });
      },
      /reads entries beyond its own shape/,
    ],
    [
      'an index beyond exact doubles, from a remainder of -1',
      (p) => {
        const most: IndexExpr = { kind: 'mod', left: { kind: 'const', value: -1 }, by: 2 ** 32 };
        Object.assign(tensor(p, 'view').class, { at: [times(most, most)] });
      },
      /an index expression is too large/,
    ],
    [
      'an index beyond exact doubles, beside 0 times what could be infinite',
      (p) => {
        const one: IndexExpr = { kind: 'div', left: { kind: 'const', value: 2 ** 32 }, by: 2 ** 32 };
        const power = Array.from({ length: 40 }, (): IndexExpr => one).reduce(times);
        const nothing = times(power, { kind: 'const', value: 0 });
        Object.assign(tensor(p, 'view').class, { at: [nothing] });
      },
      /an index expression is too large/,
    ],
    [
      'a view whose axes are padded beyond all bounds',
      (p) => {
        const view = tensor(p, 'view');
        const shape = Array.from({ length: 15 }, () => 3);
        p.tensors.push({ ...structuredClone(view), shape });
      },
      /too large to evaluate/,
    ],
  ])('%s is refused', (_, change, message) => {
    expect(changed(() => undefined, functions)).not.toThrow();
    expect(changed(change, functions)).toThrow(message);
  });

  test('more summands than fit in memory are refused before they are made', async () => {
    const scale = { num: 1n, den: 1n };
    const [range, span, shape] = [
      { lo: 0n, hi: 1n },
      { source: '', start: 0, end: 0 },
      Array.from({ length: 8 }, () => 2),
    ];
    const axes = (variables: readonly number[]): { kind: 'summed'; variable: number }[] =>
      variables.map((variable) => ({ kind: 'summed', variable }));
    // Each pair of factors is another choice of 8 of 16 variables: 4000 claims about u, each of 10,000 summands.
    const halves = (k: number): number[][] => {
      const order = Array.from({ length: 16 }, (_, i) => i).sort(
        (a, b) => ((k * (a + 3)) % 101) - ((k * (b + 3)) % 101),
      );
      return [order.slice(0, 8), order.slice(8)];
    };
    const wide = Array.from({ length: 2000 }, (_, k): GadgetTerm => ({
      coefficient: 1n,
      variables: Array.from({ length: 16 }, () => 2),
      shared: [],
      free: [],
      factors: halves(k + 1).map((v) => ({ tensor: 1, axes: axes(v) })),
    }));
    const deep: GadgetTerm = {
      coefficient: 1n,
      variables: [],
      shared: [],
      free: [],
      factors: [{ tensor: 2, axes: shape.map((_, output) => ({ kind: 'output' as const, output })) }],
    };
    const program = gadgetProgram({
      tensors: [
        { name: 'y', shape: [], scale, range, span, class: { kind: 'output' } },
        { name: 'u', shape, scale, range, span, class: { kind: 'defined', level: 2 } },
        { name: 'x', shape, scale, range, span, class: { kind: 'input' } },
      ],
      equations: [
        { target: 1, level: 2, terms: Array.from({ length: 10_000 }, () => deep), span },
        { target: 0, level: 1, terms: wide, span },
      ],
      publics: [2, 0],
      levels: 2,
    });
    await expect(planProgram(program)).rejects.toThrow(/level 2 has \d+ summands/);
  });

  test('more openings than fit in memory are refused before they are made', async () => {
    const [files, length] = [2 ** 15, 2 ** 16];
    const [scale, range, span] = [
      { num: 1n, den: 1n },
      { lo: -2n, hi: 1n },
      { source: '', start: 0, end: 0 },
    ];
    const half = { kind: 'half' } as const;
    const terms = [
      { coefficient: 2n ** 31n, variables: [], shared: [], free: [], factors: [{ tensor: 1, axes: [half, half] }] },
    ];
    const file = { name: 'w', axes: [{ length, columnBits: 0 }], bits: 2, frac: 0, firstRow: 0, rows: length };
    // One file of 2^16 rows, stacked 2^15 times.
    const program = gadgetProgram({
      tensors: [
        { name: 'y', shape: [], scale, range, span, class: { kind: 'output' } },
        {
          name: 'w',
          shape: [files, length],
          scale,
          range,
          span,
          class: { kind: 'committed', source: 0, stacked: 1, files: Array.from({ length: files }, () => 0) },
        },
      ],
      equations: [{ target: 0, level: 1, terms, span }],
      sources: [{ name: 'a', columns: 32, rows: length, tensors: [file] }],
      publics: [0],
    });
    // A reader of bundles has nothing against it.
    expect(() => readGadgetProgram(program)).not.toThrow();
    await expect(planProgram(program)).rejects.toThrow(/rows of commitments would be opened/);
  });

  test('a claim that no later level would settle is not believed', async () => {
    const [scale, range, span] = [
      { num: 1n, den: 1n },
      { lo: -8n, hi: 7n },
      { source: '', start: 0, end: 0 },
    ];
    const square = (tensor: number): GadgetTerm => ({
      coefficient: 1n,
      variables: [],
      shared: [],
      free: [],
      factors: [
        { tensor, axes: [] },
        { tensor, axes: [] },
      ],
    });
    const levels = (level: number): GadgetProgram =>
      gadgetProgram({
        tensors: [
          { name: 'y', shape: [], scale, range, span, class: { kind: 'output' } },
          { name: 'u', shape: [], scale, range, span, class: { kind: 'defined', level } },
          { name: 'x', shape: [], scale, range, span, class: { kind: 'input' } },
        ],
        equations: [
          { target: 1, level, terms: [square(2)], span },
          { target: 0, level: 1, terms: [square(1)], span },
        ],
        publics: [2, 0],
        levels: 2,
      });
    await expect(planProgram(levels(2))).resolves.toBeDefined();
    for (const level of [0, 1, 3])
      await expect(planProgram(levels(level))).rejects.toThrow(/a claim of level 1 about u/);
  });

  test('eq at prefixes is that of the table', () => {
    const point = [3n, 5n, 7n, 11n];
    const at = eqPrefixes(point);
    for (const k of [4, 0, 2, 3, 1])
      for (let i = 2 ** k - 1; i >= 0; i--) expect(at(k, i), `${k} ${i}`).toBe(eqTable(point.slice(0, k))[i]);
  });

  test('the sum of eq below a length is that of the table', () => {
    const point = [3n, 5n, 7n, 11n];
    for (let n = 1; n <= 16; n++) expect(eqSum(point, n)).toBe(reduce(eqTable(point, n).reduce((a, b) => a + b, 0n)));
  });
});
