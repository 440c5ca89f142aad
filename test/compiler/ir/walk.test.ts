/** Walks over definitions: nothing that is read is left out, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { prune, needed } from '../../../compiler/check/statements/prune.ts';
import { interpret } from '../../../compiler/interpret/index.ts';
import { plain, variable } from '../../../compiler/ir/indices/expression.ts';
import type { Definition, IndexExpr, Polynomial, Tensor, TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { verifyTensorProgram } from '../../../compiler/ir/tensor/verify.ts';
import { readsOf, readTensors, renumber } from '../../../compiler/ir/tensor/walk.ts';
import { evaluateExactly } from '../../../runtime/evaluate/index.ts';

const span = { source: '', start: 0, end: 0 };
const one = { num: 1n, den: 1n };
const entry = (tensor: number, ...at: IndexExpr[]): IndexExpr => ({ kind: 'entry', tensor, at });
const [i, o, r] = [variable(0), variable(1), variable(1)];

/** Index tensors are read in a guard, 5 and 6, and within a place, 4. */
const polynomial: Polynomial = {
  scale: one,
  terms: [
    {
      coefficient: 2n,
      reduced: [{ name: 'r', size: 2 }],
      guards: [{ left: i, op: '!=', right: plain.sub(entry(5, i), plain.mul(r, entry(6, i))) }],
      factors: [
        { tensor: 3, at: [r] },
        { tensor: 3, at: [plain.div(plain.mod(plain.add(i, entry(4, i)), 2), 1)] },
      ],
    },
  ],
};

const definitions: [string, Definition, number[]][] = [
  ['a constant', { kind: 'constant', values: [1n] }, []],
  ['a polynomial', { kind: 'polynomial', polynomial }, [5, 6, 3, 3, 4]],
  [
    'a rounded quotient',
    {
      kind: 'round',
      form: 'P/Q',
      p: { scale: one, terms: [{ coefficient: 1n, reduced: [], guards: [], factors: [{ tensor: 9, at: [] }] }] },
      q: polynomial,
      frac: 0,
    },
    [9, 5, 6, 3, 3, 4],
  ],
  ['a table', { kind: 'table', table: 2, argument: 8 }, [8]],
  [
    'a maximum',
    {
      kind: 'max',
      over: [{ name: 'o', size: 2 }],
      guards: [{ left: o, op: '==', right: entry(7, entry(1, i)) }],
      of: polynomial,
    },
    [5, 6, 3, 3, 4, 7, 1],
  ],
];

describe('what a definition reads', () => {
  test.each(definitions)('%s', (_, definition, reads) => {
    expect(readsOf(definition)).toEqual(reads);
    expect(readTensors(definition)).toEqual([...new Set(reads)]);
  });

  test.each(definitions)('%s, its tensors numbered otherwise', (_, definition, reads) => {
    const moved = renumber(
      definition,
      (id) => id + 10,
      (k) => k + 1,
    );
    expect(readsOf(moved)).toEqual(reads.map((id) => id + 10));
    if (moved.kind === 'table') expect(moved.table).toBe(3);
    const back = renumber(
      moved,
      (id) => id - 10,
      (k) => k - 1,
    );
    expect(back).toEqual(definition);
  });
});

/**
 * unused = 2 x, tokens[t] = rows[2 - t], y[t] = max(s if s == tokens[t]) x[s]: what chooses among the entries is an index
 * tensor that nothing else reads.
 */
function choosing(): TensorProgram {
  const tensor = (id: number, name: string, shape: number[], more: Partial<Tensor>): Tensor => ({
    id,
    name,
    shape,
    scale: one,
    range: { lo: -8n, hi: 7n },
    visibility: 'hidden',
    role: 'inner',
    span,
    ...more,
  });
  const index = { type: { kind: 'index', size: 4 }, range: { lo: 0n, hi: 3n } } as const;
  const input = { visibility: 'public', role: 'input' } as const;
  const output = { visibility: 'public', role: 'output' } as const;
  const sum = (tensor: number, at: IndexExpr[], coefficient = 1n): Polynomial => ({
    scale: one,
    terms: [{ coefficient, reduced: [], guards: [], factors: [{ tensor, at }] }],
  });
  const t = [{ name: 't', size: 3 }];
  return {
    name: 'choosing',
    tensors: [
      tensor(0, 'x', [4], { ...input, type: { kind: 'fixed', bits: 4, frac: 0 } }),
      tensor(1, 'rows', [3], { ...input, ...index }),
      tensor(2, 'unused', [4], { range: { lo: -16n, hi: 14n } }),
      tensor(3, 'tokens', [3], index),
      tensor(4, 'z', [3], {}),
      tensor(5, 'y', [3], output),
    ],
    tables: [],
    equations: [
      {
        target: 2,
        indices: [{ name: 'i', size: 4 }],
        definition: { kind: 'polynomial', polynomial: sum(0, [i], 2n) },
        span,
      },
      {
        target: 3,
        indices: t,
        definition: { kind: 'polynomial', polynomial: sum(1, [plain.sub({ kind: 'const', value: 2 }, i)]) },
        span,
      },
      { target: 4, indices: t, definition: { kind: 'polynomial', polynomial: sum(0, [i]) }, span },
      {
        target: 5,
        indices: t,
        definition: {
          kind: 'max',
          over: [{ name: 's', size: 4 }],
          guards: [{ left: o, op: '==', right: entry(3, i) }],
          of: sum(0, [o]),
        },
        span,
      },
    ],
    statement: [0, 1, 5],
  };
}

describe('a maximum whose guard reads an index tensor', () => {
  const program = choosing();
  const x = [5n, -3n, 2n, 7n];
  const rows = [0n, 3n, 1n];
  const expected = [-3n, 7n, 5n];

  test('needs that tensor', () => {
    expect([...needed(program.equations, [5])].sort()).toEqual([0, 1, 3, 5]);
    const early = { ...program, equations: [program.equations[3], ...program.equations.slice(0, 3)] };
    expect(verifyTensorProgram(program)).toEqual([]);
    expect(verifyTensorProgram(early)).toEqual(['y: reads tokens before it is defined']);
  });

  test('reads it still when others are gone', () => {
    const kept = prune(program, needed(program.equations, program.statement));
    expect(kept.tensors.map((tensor) => tensor.name)).toEqual(['x', 'rows', 'tokens', 'y']);
    const found = interpret(
      kept,
      new Map([
        [0, { shape: [4], values: x }],
        [1, { shape: [3], values: rows }],
      ]),
    );
    expect(found.get(3)?.values).toEqual(expected);
  });

  test('finds its values while it is evaluated', () => {
    const inputs = new Map([
      [0, Float64Array.from(x, Number)],
      [1, Float64Array.from(rows, Number)],
    ]);
    const found = evaluateExactly(program, inputs, { keep: ({ name }) => name === 'y' });
    expect(Array.from(found.get(5) ?? [], BigInt)).toEqual(expected);
  });
});
