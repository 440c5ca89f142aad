/** Constants with indices: choices, indicators, entries of other constants and sums, exactly; and what is wrong with some. */
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { parse } from '../../grammar/index.ts';

const read = (statements: string): ReturnType<typeof check> => {
  const text = `model m {\n  dim N = 3\n  public x[N]: fixed<8, 4>\n${statements}\n  public y[i] = c[i] * x[i]\n}\n`;
  const { program, diagnostics } = parse(text);
  expect(diagnostics).toEqual([]);
  return check({ program, source: 'm.zkl' });
};

/** Entries of `c` as numbers. */
function entries(statements: string): number[] {
  const { programs, diagnostics } = read(statements);
  expect(diagnostics).toEqual([]);
  const [{ tensors, equations }] = programs;
  const { target, definition } = equations.find((e) => tensors[e.target].name === 'c')!;
  if (definition.kind !== 'constant') throw new Error('not a constant');
  const { num, den } = tensors[target].scale;
  return [...definition.values].map((v) => (Number(v) * Number(num)) / Number(den));
}

describe('constants', () => {
  test.each([
    ['a choice', 'const c[i: N] = if i < 2 then i + 1 else -4', [1, 2, -4]],
    ['an indicator', 'const c[i: N] = 2 * [i == 1] - 1', [-1, 1, -1]],
    ['an entry of another', 'const b[i: N, j: 2] = 10 * i + j\n  const c[i: N] = b[2 - i, i mod 2]', [20, 11, 0]],
    ['a sum', 'const c[i: N] = sum(j: 4) j * i', [0, 6, 12]],
    ['a sum under a guard', 'const c[i: N] = sum(j: N if j <= i) 2 ^ j', [1, 3, 7]],
    ['a sum of entries', 'const b[i: N] = i * i\n  const c[i: N] = i + sum(j: N) b[j]', [5, 6, 7]],
  ])('%s', (_, statements, expected) => {
    expect(entries(statements)).toEqual(expected);
  });

  test.each([
    ['const b[i: N] = i\n  const c[i: N] = b[i, i]', 'wrong number of indices'],
    ['const b[i: N] = i\n  const c[i: N] = b[i + 1]', 'read outside'],
    ['const c[i: N] = x[i]', 'not known at compile time'],
    ['const c[i: N] = max(j: N) j', 'in a constant'],
  ])('%s: %s', (statements, title) => {
    expect(
      read(statements)
        .diagnostics.map((d) => d.title)
        .join(),
    ).toContain(title);
  });
});
