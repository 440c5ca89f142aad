/** Programs no compiler makes: each would prove something else than it seems to, or ask a verifier for too much. */
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../compiler/bundle/canonical.ts';
import { readGadgetProgram } from '../../compiler/bundle/read.ts';
import type { GadgetProgram } from '../../compiler/gadget/program.ts';
import { compile } from '../../compiler/index.ts';
import { eqSum, eqTable, reduce } from '../../runtime/protocol/scalar.ts';

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
function changed(change: (p: Mutable<GadgetProgram>) => void): () => GadgetProgram {
  const { gadgets, diagnostics } = compile({ text, source: 'm.zkl', resolveImport: () => undefined });
  expect(diagnostics).toEqual([]);
  const p = structuredClone(gadgets) as Mutable<GadgetProgram>;
  change(p);
  return () => readGadgetProgram(p);
}

const tensor = (p: Mutable<GadgetProgram>, name: string) => p.tensors.find((t) => t.name.includes(name))!;
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

  test('the sum of eq below a length is that of the table', () => {
    const point = [3n, 5n, 7n, 11n];
    for (let n = 1; n <= 16; n++) expect(eqSum(point, n)).toBe(reduce(eqTable(point, n).reduce((a, b) => a + b, 0n)));
  });
});
