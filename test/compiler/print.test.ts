/** What is printed of a tensor program tells it from every other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plain } from '../../compiler/bundle/canonical.ts';
import { printTensorProgram, printWithoutDigests } from '../../compiler/ir/tensor/print.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { programs } from '../kit/programs.ts';
import { alterations, fieldOf, replaced, type Alteration } from '../support/mutate.ts';
import { checkText } from './standard.ts';

/** What may differ unseen: of two programs that print alike, that nothing else does. */
function mayDiffer(program: TensorProgram, alteration: Alteration): boolean {
  const field = fieldOf(alteration);
  const [list, i] = alteration.path;
  // Where something stands, and which calibration gave a type: for messages.
  if (/^(tensors|tables|equations)\.span\b/.test(field) || field === 'tensors.key') return true;
  // The real function that a table was made of is not part of what is proved; its values are.
  if (/^tables\.of\b/.test(field)) return true;
  // What an input's numbers are says its type.
  return list === 'tensors' && /\.(scale|range)\b/.test(field) && program.tensors[Number(i)].role === 'input';
}

/** Expects the change to show, or to make it no program. */
function expectShown(program: TensorProgram, before: string, alteration: Alteration): void {
  if (mayDiffer(program, alteration)) return;
  const { path, by } = alteration;
  const altered = replaced(program as unknown as Plain, path, by) as unknown as TensorProgram;
  try {
    if (printTensorProgram(altered) !== before || verifyTensorProgram(altered).length > 0) return;
  } catch (error) {
    // A reference to no tensor or table.
    expect(error).toBeInstanceOf(TypeError);
    return;
  }
  throw new Error(`${path.join('.')} is not printed: ${JSON.stringify(by, (_, v: unknown) => String(v))}`);
}

describe('the printed tensor program', () => {
  test('shows changes of every field of random programs', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(programs(), fc.nat(1000), (program, pick) => {
        const before = printTensorProgram(program);
        const all = alterations(program as unknown as Plain, ['type', 'file', 'clamp']);
        for (const [field, of] of Map.groupBy(all, fieldOf)) {
          expectShown(program, before, of[pick % of.length]);
          seen.add(field);
        }
      }),
      { numRuns: 40, seed: 9 },
    );
    for (const key of ['terms.coefficient', 'terms.guards', 'terms.reduced.size', 'scale.den'])
      expect(seen).toContain(`equations.definition.polynomial.${key}`);
    for (const field of ['tensors.file.names', 'tensors.file.stacked', 'tables.values', 'tables.first', 'statement'])
      expect(seen).toContain(field);
  });

  test('shows the middle of long tables and lists of files, which bundles do not', () => {
    const text = `table half(t: fixed<5, 0>) -> fixed<5, 1> = t / 2
model m {
  dim L = 5
  secret w[l: L]: fixed<5, 0> from adapter "w.{l}"
  public y[l] = half(w[l])
}
`;
    const [program] = checkText(text).programs;
    const at = (path: Alteration['path'], by: Plain): TensorProgram =>
      replaced(program as unknown as Plain, path, by) as unknown as TensorProgram;
    for (const other of [at(['tables', 0, 'values', 10], 7n), at(['tensors', 0, 'file', 'names', 2], 'w.9')]) {
      expect(printTensorProgram(other)).not.toBe(printTensorProgram(program));
      expect(printWithoutDigests(other)).toBe(printWithoutDigests(program));
    }
  });
});
