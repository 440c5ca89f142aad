/** Small programs that ask a verifier for much, and a way to have it do all of that: proofs that are well-formed and false. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { GadgetEquation, GadgetProgram, GadgetTensor, GadgetTerm } from '../../compiler/ir/gadget/program.ts';
import type { IndexExpr } from '../../compiler/ir/tensor/program.ts';
import type { VerifierDevice } from '../../runtime/device/device.ts';
import { bodySize, type Argument } from '../../runtime/protocol/argument.ts';
import { allocate, setEntry } from '../../runtime/integers/arrays.ts';
import { planProgram } from '../../runtime/protocol/program.ts';
import { planRange, planRangeArgument } from '../../runtime/protocol/commitment/range-proof.ts';
import { decodeRows, verifyRangeProof } from '../../runtime/verifier/commitment/range-proof.ts';
import { verifyProgram } from '../../runtime/verifier/program.ts';
import { gadgetProgram } from '../kit/build.ts';

const scale = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
const range = { lo: -8n, hi: 7n };
const input = { kind: 'input' } as const;
const tensor = (name: string, shape: readonly number[], c: GadgetTensor['class']): GadgetTensor => ({
  name,
  shape,
  scale,
  range: c.kind === 'committed' ? { lo: -2n, hi: 1n } : range,
  class: c,
  span,
  ...(c.kind === 'input' ? { type: { kind: 'fixed', bits: 4, frac: 0 } as const } : {}),
});
const term = (factors: GadgetTerm['factors'], parts: Partial<GadgetTerm> = {}): GadgetTerm => ({
  coefficient: 1n,
  variables: [],
  shared: [],
  free: [],
  factors,
  ...parts,
});
const equation = (target: number, level: number, terms: readonly GadgetTerm[]): GadgetEquation => ({
  target,
  level,
  terms,
  span,
});
/** The sum of all entries of a tensor. */
const sum = (id: number, shape: readonly number[]): GadgetTerm =>
  term([{ tensor: id, axes: shape.map(() => ({ kind: 'half' })) }], {
    coefficient: shape.reduce((n, d) => n * 2n ** BigInt(Math.ceil(Math.log2(d))), 1n),
  });

/** One output y, the sum of all that the others are. */
const summed = (others: readonly GadgetTensor[], parts: Partial<GadgetProgram> = {}): GadgetProgram =>
  gadgetProgram({
    tensors: [tensor('y', [], { kind: 'output' }), ...others],
    equations: [
      equation(
        0,
        1,
        others.flatMap((t, i) => (t.class.kind === 'input' ? [] : [sum(i + 1, t.shape)])),
      ),
    ],
    publics: [0, ...others.flatMap((t, i) => (t.class.kind === 'input' ? [i + 1] : []))],
    ...parts,
  });

const list = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const v = (k: number): IndexExpr => ({ kind: 'var', var: k });

/** A source whose tensors have axes that are partly filled: 2^axes openings of all their rows each. */
export function partlyFilled(count: number, axes: number, rows: number): GadgetProgram {
  const shape = [...list(axes).map(() => 3), rows];
  const own = 2 ** axes * rows;
  const layout = shape.map((length, j) => ({ length, columnBits: j < axes ? 1 : 0 }));
  const files = list(count).map((k) => ({
    name: `w${k}`,
    axes: layout,
    bits: 2,
    frac: 0,
    firstRow: k * own,
    rows: own,
  }));
  return summed(
    list(count).map((k) => tensor(`w${k}`, shape, { kind: 'committed', source: 0, stacked: 0, files: [k] })),
    {
      sources: [{ name: 'a', columns: 2 ** Math.max(5, axes), rows: count * own, tensors: files }],
      columns: 2 ** Math.max(5, axes),
    },
  );
}

/** One tensor that is claimed at `claims` points: each opens its rows again. */
export function manyOpenings(claims: number, rows: number): GadgetProgram {
  const shape = [2, rows];
  const file = {
    name: 'w',
    axes: shape.map((length) => ({ length, columnBits: 0 })),
    bits: 2,
    frac: 0,
    firstRow: 0,
    rows: 2 * rows,
  };
  // Each claim is at another point: that of an output of its own.
  const outputs = list(claims).map((k) => tensor(`y${k}`, shape, { kind: 'output' }));
  const factors = [{ tensor: claims, axes: shape.map((_, output) => ({ kind: 'output' as const, output })) }];
  return gadgetProgram({
    tensors: [...outputs, tensor('w', shape, { kind: 'committed', source: 0, stacked: 0, files: [0] })],
    equations: list(claims).map((k) => equation(k, 1, [term(factors)])),
    publics: list(claims),
    sources: [{ name: 'a', columns: 32, rows: 2 * rows, tensors: [file] }],
  });
}

/** Views of a public tensor whose positions no table of each index gives. */
export function wideViews(count: number, side: number): GadgetProgram {
  const shape = [side, side];
  const at = (k: number): IndexExpr[] => [
    {
      kind: 'mod',
      left: { kind: 'add', left: { kind: 'mul', left: v(0), right: v(1) }, right: { kind: 'const', value: k } },
      by: 7,
    },
  ];
  const views = list(count).map((k) =>
    tensor(`v${k}`, shape, { kind: 'view', level: 0, of: 1, at: at(k), guards: [] }),
  );
  return summed([tensor('x', [7], input), ...views]);
}

/** Views of a defined tensor: tables of eq over both. */
export function hiddenViews(count: number, side: number): GadgetProgram {
  const shape = [side, side];
  const diagonal = (k: number): IndexExpr[] => [
    {
      kind: 'mod',
      left: { kind: 'add', left: v(0), right: { kind: 'mul', left: v(1), right: { kind: 'const', value: k + 1 } } },
      by: side,
    },
    v(1),
  ];
  const views = list(count).map((k) =>
    tensor(`v${k}`, shape, { kind: 'view', level: 2, of: 1, at: diagonal(k), guards: [] }),
  );
  const layout = shape.map((length) => ({ length, columnBits: 6 }));
  const rows = Math.ceil(side / 64) ** 2;
  const file = { name: 'w', axes: layout, bits: 2, frac: 0, firstRow: 0, rows };
  return summed([tensor('w', shape, { kind: 'committed', source: 0, stacked: 0, files: [0] }), ...views], {
    sources: [{ name: 'a', columns: 4096, rows, tensors: [file] }],
    columns: 4096,
    levels: 2,
  });
}

export function manyMasks(count: number, side: number): GadgetProgram {
  const masks = list(count).map((k) =>
    tensor(`m${k}`, [side, side], {
      kind: 'constant',
      guards: [{ left: { kind: 'mul', left: v(0), right: v(1) }, op: '<', right: { kind: 'const', value: k } }],
    }),
  );
  return summed([tensor('x', [], input), ...masks]);
}

/** Public inputs that an output adds up. */
export const largePublics = (count: number, entries: number): GadgetProgram =>
  gadgetProgram({
    tensors: [tensor('y', [], { kind: 'output' }), ...list(count).map((k) => tensor(`x${k}`, [entries], input))],
    equations: [
      equation(
        0,
        1,
        list(count).map((k) => sum(k + 1, [entries])),
      ),
    ],
    publics: list(count + 1),
  });

/** An output that copies an input, by a proof of many columns. */
export const manyColumns = (columns: number): GadgetProgram => ({
  ...copied(),
  columns,
  folds: Math.log2(columns),
});

const copied = (): GadgetProgram => summed([tensor('x', [], input)]);

/** A public tensor whose entries are bigints. */
export const widePublics = (entries: number, bits: number): GadgetProgram => {
  const x = tensor('x', [entries], { kind: 'input' });
  const range = { lo: -(2n ** BigInt(bits - 1)), hi: 2n ** BigInt(bits - 1) - 1n };
  const { type: _, ...untyped } = x;
  return summed([{ ...untyped, range }]);
};

/** A source whose tensors take turns in their widths: each is a stretch of rows of its own, of three limbs. */
export const manyStretches = (count: number): GadgetProgram => ({
  ...copied(),
  sources: [
    {
      name: 'a',
      columns: 32,
      rows: count,
      tensors: list(count).map((k) => ({
        name: `w${k}`,
        axes: [],
        bits: 47 + (k % 2),
        frac: 0,
        firstRow: k,
        rows: 1,
      })),
    },
  ],
});

/** Views whose positions are remainders of large numbers, one inside another. */
export function nestedRemainders(count: number, side: number): GadgetProgram {
  const constant = (value: number): IndexExpr => ({ kind: 'const', value });
  const index: IndexExpr = { kind: 'add', left: v(0), right: v(1) };
  const large: IndexExpr = {
    kind: 'mul',
    left: { kind: 'mul', left: index, right: constant(2 ** 32) },
    right: constant(1023),
  };
  const at = (k: number): IndexExpr => {
    let e: IndexExpr = large;
    for (let j = 0; j < 50; j++) e = { kind: 'mod', left: e, by: 2 ** 32 - 3 - 2 * j - k };
    return { kind: 'mod', left: e, by: 7 };
  };
  const views = list(count).map((k) =>
    tensor(`v${k}`, [side, side], { kind: 'view', level: 0, of: 1, at: [at(k)], guards: [] }),
  );
  return summed([tensor('x', [7], input), ...views]);
}

/** Outputs of one entry that have many axes. */
export function manyAxes(count: number): GadgetProgram {
  const shape = list(16).map(() => 1);
  const copy = term([{ tensor: 0, axes: shape.map((_, output) => ({ kind: 'output' as const, output })) }]);
  return gadgetProgram({
    tensors: [tensor('x', shape, input), ...list(count).map((k) => tensor(`y${k}`, shape, { kind: 'output' }))],
    equations: list(count).map((k) => equation(k + 1, 1, [copy])),
    publics: list(count + 1),
  });
}

/** Views of one entry whose axes have all to do with each other, of a hidden tensor with as many. */
export function manyViewAxes(count: number): GadgetProgram {
  const shape = list(16).map(() => 1);
  const all = list(15).reduce<IndexExpr>((left, j) => ({ kind: 'add', left, right: v(j + 1) }), v(0));
  const at = shape.map(() => all);
  const views = list(count).map((k) => tensor(`v${k}`, shape, { kind: 'view', level: 2, of: 1, at, guards: [] }));
  const axes = shape.map((length) => ({ length, columnBits: 0 }));
  const file = { name: 'w', axes, bits: 2, frac: 0, firstRow: 0, rows: 1 };
  return summed([tensor('w', shape, { kind: 'committed', source: 0, stacked: 0, files: [0] }), ...views], {
    sources: [{ name: 'a', columns: 32, rows: 1, tensors: [file] }],
    columns: 32,
    levels: 2,
  });
}

/** Sums of products of two hidden tensors, whose claims multiply from level to level. */
export function manySummands(count: number): GadgetProgram {
  const shape = list(8).map(() => 2);
  const halves = (k: number): number[][] => {
    const order = list(16).sort((a, b) => ((k * (a + 3)) % 101) - ((k * (b + 3)) % 101));
    return [order.slice(0, 8), order.slice(8)];
  };
  const wide = list(count).map((k) =>
    term(
      halves(k + 1).map((own) => ({ tensor: 1, axes: own.map((variable) => ({ kind: 'summed' as const, variable })) })),
      { variables: list(16).map(() => 2) },
    ),
  );
  const deep = term([{ tensor: 2, axes: shape.map((_, output) => ({ kind: 'output' as const, output })) }]);
  return gadgetProgram({
    tensors: [
      tensor('y', [], { kind: 'output' }),
      tensor('u', shape, { kind: 'defined', level: 2 }),
      tensor('x', shape, input),
    ],
    equations: [
      equation(
        1,
        2,
        list(count / 8).map(() => deep),
      ),
      equation(0, 1, wide),
    ],
    publics: [2, 0],
    levels: 2,
  });
}

const point = bls12_381.G1.Point.BASE.toBytes(true);

/** Points of a group, then scalars, in the right number. */
function falseBody(argument: Argument): Uint8Array {
  const size = bodySize(argument);
  const body = new Uint8Array(size);
  const { witness, points } = pointCount(argument);
  for (let i = 0; i < witness + points; i++) body.set(point, 48 * i);
  for (let at = 48 * (witness + points); at < size; at += 32) body[at + 7] = 1 + (at % 251);
  return body;
}

function pointCount({ matrices, registered, opening, folds }: Argument): { witness: number; points: number } {
  const products = opening.tripleRows > 0;
  return {
    witness: matrices.slice(registered).reduce((n, m) => n + m.rows, 0),
    points: opening.plainRows + 3 * opening.tripleRows + 3 + (products ? 2 : 0) + 2 * folds,
  };
}

/** Everything that a verifier does with a program: all its commitments, their range proofs, and a proof. All are rejected at the very end. */
export async function verifyFalsely(device: VerifierDevice, program: GadgetProgram): Promise<void> {
  const argument = await planProgram(program);
  await device.scope(async () => {
    const commitments = [];
    for (const s of program.sources) {
      const points = new Uint8Array(48 * s.rows);
      for (let i = 0; i < s.rows; i++) points.set(point, 48 * i);
      const rows = await decodeRows(device, s, points);
      if ('ok' in rows) throw new Error('no rows');
      if (!s.open) {
        const range = await planRangeArgument(s, planRange(s));
        await device.scope(() => verifyRangeProof(device, s, points, rows, falseBody(range)));
      }
      commitments.push({ digest: new Uint8Array(32), rows });
    }
    const publics = new Map(
      program.publics.map((id) => {
        const { range: own, shape } = program.tensors[id];
        const values = allocate(
          own,
          shape.reduce((n, d) => n * d, 1),
        );
        if (own.lo > 0n) for (let i = 0; i < values.length; i++) setEntry(values, i, own.lo);
        return [id, values] as const;
      }),
    );
    const request = {
      program,
      programDigest: new Uint8Array(32),
      argument,
      context: new Uint8Array(0),
      commitments,
      publics,
    };
    const verdict = await verifyProgram(device, { ...request, body: falseBody(argument) });
    if (verdict.ok) throw new Error('a false proof was accepted');
  });
}
