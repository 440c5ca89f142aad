/** Gadget programs are verified as they are made: what the prover needs is found, and readers accept what proofs state. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import { compile } from '../../../compiler/index.ts';
import type { GadgetProgram, GadgetStep } from '../../../compiler/ir/gadget/program.ts';
import { verifyGadgetProgram } from '../../../compiler/ir/gadget/verify.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import { programs } from '../../kit/programs.ts';

/** A step of every kind. */
const text = `
  table square(x: fixed<20, 0> in [-8, 7] saturate) -> fixed<8, 0> = x * x
  model m { dim N = 4
    source a
    secret x[N]: fixed<24, 0> from a "x"
    secret j[2]: index<N>
    r[i] = round<20, 0>(1/8 * x[i])
    q[i] = round<20, 0>(x[i] / (1 + r[i] * r[i]))
    s[i] = round<20, 0>(sqrt(r[i] * r[i]))
    t[i] = square(round(s[i] * x[i]))
    m    = max(i) x[i]
    public k = argmax(i if i > 0) q[i]
    public y[i] = q[i] + t[i] * r[i] + m
    public z[l] = q[j[l]] + q[k] }`;
const { gadgets, diagnostics } = compile({ text, source: 'verify.zkl', resolveImport: () => undefined });
const program = gadgets!;

describe('a program with a step of every kind', () => {
  test('is sound', () => {
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(verifyGadgetProgram(program)).toEqual([]);
    const kinds = [
      'equation',
      'sum',
      'floor',
      'root',
      'limb',
      'clamp',
      'isZero',
      'table',
      'largest',
      'after',
      'select',
    ];
    expect([...new Set(program.steps.map((s) => s.kind))].sort()).toEqual(kinds.sort());
  });

  const changed = (steps: readonly GadgetStep[]): string[] => verifyGadgetProgram({ ...program, steps });
  const nameOf = (s: GadgetStep): string =>
    program.tensors[s.kind === 'equation' ? program.equations[s.equation].target : s.target].name;

  test.each(program.steps.map((s, k) => [nameOf(s), k] as const))('needs the step of %s, once', (name, k) => {
    expect(changed(program.steps.toSpliced(k, 1)).join()).toContain(`${name}`);
    expect(changed(program.steps.toSpliced(k, 0, program.steps[k]))).toEqual([`${name}: found twice, or given`]);
  });

  test('needs its steps in order, and of their shapes', () => {
    expect(changed(program.steps.toReversed()).join()).toContain('which is not found yet');
    const square = program.steps.map((s) => (s.kind === 'isZero' ? { ...s, of: program.secrets[0] } : s));
    expect(changed(square).join()).toContain('found by a step of another shape');
  });

  test('needs names that are apart', () => {
    const [first, ...rest] = program.tensors;
    expect(verifyGadgetProgram({ ...program, tensors: [{ ...first, name: rest[0].name }, ...rest] })).not.toEqual([]);
  });
});

test('whatever is lowered is sound, and a reader accepts it', () => {
  let read = 0;
  fc.assert(
    fc.property(programs({ equations: 6 }), (p) => {
      // `lower` verifies by itself; what it refuses is a program that cannot be proved.
      const made: GadgetProgram | undefined = lower(p).gadgets;
      if (!made) return;
      expect(verifyGadgetProgram(made)).toEqual([]);
      readGadgetProgram(made);
      read++;
    }),
    { seed: 4, numRuns: 150 },
  );
  expect(read).toBeGreaterThan(100);
});

test('a tensor program that is not sound is not lowered', () => {
  const [p] = fc.sample(programs(), { seed: 1, numRuns: 1 });
  expect(() => lower({ ...p, equations: [...p.equations, ...p.equations] })).toThrow('defined twice');
});
