/** What `zkl inspect` says of outputs that give secrets away: one program of each kind, and random ones against their meaning. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disclosures, disclosureWarnings, type Disclosure } from '../../../runtime/inspect/disclosures.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import { compile } from '../../../compiler/index.ts';
import { interpret, ValueError } from '../../../compiler/interpret/index.ts';
import { readTensors } from '../../../compiler/ir/tensor/walk.ts';
import type { Tensor, TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { Draw } from '../../kit/draw.ts';
import { programs } from '../../kit/programs.ts';

function gadgetsOf(body: string, items = '') {
  const text = `${items}\nmodel m {\n${body.replaceAll('; ', '\n')}\n}\n`;
  const { gadgets, diagnostics } = compile({ text, source: 'case.zkl', resolveImport: () => undefined });
  if (!gadgets) throw new Error(diagnostics.map((d) => `${d.title}: ${d.label}`).join('\n'));
  return gadgets;
}

const found = (body: string, items?: string): Disclosure[] => disclosures(gadgetsOf(body, items));

const x = 'public x[3, 6]: fixed<8, 4>';
const A = 'secret A[2, 6]: fixed<8, 7> from adapter "A"';
const B = 'secret B[5, 2]: fixed<8, 7> from adapter "B"';
const half = 'table half(x: fixed<8, 7>) -> fixed<8, 7> = x / 2';

describe('each kind, by counting', () => {
  test.each<[string, string, Partial<Disclosure>, RegExp]>([
    [
      'a secret times a constant',
      `${A}; public y = 2 * A`,
      { kind: 'published', level: 'warning', secrets: ['A'], inputs: [] },
      /^y publishes the secret A, times known coefficients: up to 12 of its 12 entries with every proof\.$/,
    ],
    ['a part of a secret', `${A}; public y[i: 2] = A[1, 2 * i]`, { kind: 'published' }, /up to 2 of its 12 entries/],
    ['one entry, repeated', `${A}; public y[i: 40] = A[1, 2]`, { kind: 'published' }, /up to 1 of its 12 entries/],
    [
      'digits of one index',
      'secret A[8]: fixed<8, 7> from adapter "A"; public y[h: 2, j: 4] = A[h * 4 + j]',
      { kind: 'published' },
      /up to 8 of its 8 entries/,
    ],
    [
      'sums of rows',
      `${A}; public y[r] = sum(i) A[r, i]`,
      { kind: 'published' },
      /up to 2 sums with known coefficients of the 12 entries of the secret A with every proof, the same each time\.$/,
    ],
    [
      'as many sums as entries',
      `secret A[3]: fixed<8, 7> from adapter "A"; open W[4, 3]: fixed<8, 7> from base "W"; public y[o] = sum(i) W[o, i] * A[i]`,
      { kind: 'published', secrets: ['A'] },
      /As many as there are entries determine them/,
    ],
    [
      'products of secrets',
      `${A}; ${B}; public y[o, i] = sum(r) B[o, r] * A[r, i]`,
      { kind: 'published', secrets: ['A', 'B'] },
      /^y publishes 30 sums of products of the secrets A, B/,
    ],
    [
      'a secret, rounded',
      `${A}; public y = round<4, 3>(A)`,
      { kind: 'rounded', level: 'warning' },
      /up to rounding: up to 12 of its 12 entries/,
    ],
    [
      'a LoRA module',
      `${x}; ${A}; ${B}; u[t, r] = sum(i) x[t, i] * A[r, i]; public y[t, o] = 2 * sum(r) u[t, r] * B[o, r]`,
      { kind: 'solvable', secrets: ['A', 'B'], inputs: ['x'], rows: 6, proofs: 2 },
      /After about 6 rows \(2 proofs\), or fewer, .*\(for LoRA: the product B A\)/,
    ],
    [
      'a LoRA module over x with its axes exchanged',
      `public x[6, 3]: fixed<8, 4>; ${A}; public y[t, r] = sum(i) x[i, t] * A[r, i]`,
      { kind: 'solvable', rows: 6, proofs: 2 },
      /tell the secret A\.$/,
    ],
    [
      'rows added up are one row',
      `${x}; ${A}; public y[r] = sum(t, i) x[t, i] * A[r, i]`,
      { kind: 'solvable', rows: 6, proofs: 6 },
      /6 rows \(6 proofs\)/,
    ],
    [
      'a gain for each entry',
      `${x}; secret g[6]: fixed<8, 7> from adapter "g"; public y[t, i] = x[t, i] * g[i]`,
      { kind: 'solvable', rows: 1, proofs: 1 },
      /After about 1 row \(1 proof\)/,
    ],
    [
      'LoRA, rounded on the way and at the end',
      `${x}; ${A}; ${B}; u[t, r] = round<16, 8>(sum(i) x[t, i] * A[r, i]); public y[t, o] = round<12, 6>(sum(r) u[t, r] * B[o, r])`,
      { kind: 'rounded', rows: 6, proofs: 2 },
      /up to rounding, and with more rows ever more exactly/,
    ],
    [
      'a known gather from a secret table',
      'public t[2]: index<7>; secret E[7, 3]: fixed<8, 7> from adapter "E"; public y[i, d] = E[t[i], d]',
      { kind: 'solvable', secrets: ['E'], inputs: ['t'], rows: 7, proofs: 4 },
      /tell the secret E/,
    ],
    [
      'a secret index into a known table',
      'secret t[2]: index<7>; open E[7, 3]: fixed<8, 7> from base "E"; public y[i, d] = E[t[i], d]',
      { kind: 'selected', level: 'warning', secrets: ['t'] },
      /that the secret t picks/,
    ],
    [
      'secret indices into a known table, in rows that a public input names',
      'public r[2]: index<9>; secret t[9, 3]: index<7> from adapter "t"; open E[7]: fixed<8, 7> from base "E"; public y[i, d] = E[t[r[i], d]]',
      { kind: 'selected', level: 'warning', secrets: ['t'], inputs: ['r'] },
      /entries of known tensors that the secret t picks/,
    ],
    [
      'a secret input under public weights',
      'public W[2, 3]: fixed<8, 7>; secret v[3]: fixed<8, 7>; public y[o] = sum(i) W[o, i] * v[i]',
      { kind: 'published', secrets: ['v'], inputs: ['W'] },
      /up to 2 sums with coefficients from W of the 3 entries of the secret v with every proof\./,
    ],
    [
      'a secret input under secret weights and a public one',
      `${x}; ${A}; secret v[3]: fixed<8, 7>; public y[t, r] = v[t] * sum(i) x[t, i] * A[r, i]`,
      { kind: 'solvable', secrets: ['A', 'v'], rows: 6 },
      /That holds once v, new with every proof, is known or guessed/,
    ],
    [
      'a table',
      `${A}; public y = half(A)`,
      { kind: 'function', proofs: 1 },
      /12 numbers with every proof that depend on the secret A/,
    ],
    [
      'a quotient by a secret',
      `${x}; secret g: fixed<8, 7> from adapter "g"; public y[t, i] = round<12, 6>(x[t, i] / (g * g + 1))`,
      { kind: 'function' },
      /fitted/,
    ],
    ['a maximum', `${x}; ${A}; public y[t] = max(r) sum(i) x[t, i] * A[r, i]`, { kind: 'function' }, /fitted/],
    [
      'an argmax',
      `${x}; ${A}; public y[t] = argmax(r) sum(i) x[t, i] * A[r, i]`,
      { kind: 'choice', level: 'note', secrets: ['A'], bits: 3 },
      /at most 3 bits about the secret A with every proof/,
    ],
    [
      'known rows that an argmax picks',
      `${x}; ${A}; open E[2, 9]: fixed<8, 7> from base "E"; j[t] = argmax(r) sum(i) x[t, i] * A[r, i]; public y[t, d] = E[j[t], d]`,
      { kind: 'choice', level: 'note', bits: 3 },
      /at most 3 bits/,
    ],
  ])('%s', (_, body, want, text) => {
    const all = found(body, half);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject(want);
    expect(all[0].text).toMatch(text);
  });

  test('what follows from another output tells nothing more', () => {
    const all = found(`${x}; ${A}; public u[t, r] = sum(i) x[t, i] * A[r, i]; public y[t] = sum(r) u[t, r]`);
    expect(all.map((d) => d.output)).toEqual(['u']);
  });

  test('another output is a public factor', () => {
    const all = found(
      `${x}; ${A}; ${B}; public u[t, r] = sum(i) x[t, i] * A[r, i]; public y[t, o] = sum(r) u[t, r] * B[o, r]`,
    );
    expect(all).toMatchObject([
      { output: 'u', secrets: ['A'], rows: 6, proofs: 2 },
      { output: 'y', secrets: ['B'], inputs: ['u'], rows: 2, proofs: 1 },
    ]);
  });

  test('outputs of public and open tensors alone give nothing away', () => {
    const open = 'open W[2, 6]: fixed<8, 7> from base "W"';
    expect(found(`${x}; ${A}; ${open}; public y[t, r] = sum(i) x[t, i] * W[r, i]; public z = A`)).toMatchObject([
      { output: 'z' },
    ]);
    expect(found(`${x}; ${open}; public y[t] = argmax(r) sum(i) x[t, i] * W[r, i]`)).toEqual([]);
  });

  test('a program without steps hides nothing', () => {
    const bare = (body: string): Disclosure[] => disclosures({ ...gadgetsOf(body, half), steps: [] });
    expect(bare(`${A}; public y = 2 * A`)).toMatchObject([{ kind: 'published', secrets: ['A'] }]);
    expect(bare(`${A}; public y = half(A)`)).toMatchObject([{ kind: 'function', secrets: ['A'] }]);
    // What nothing computes is a prover's own choice.
    expect(bare(`${A}; u = round<4, 3>(A); public y = 2 * u`)).toMatchObject([{ kind: 'published', secrets: ['u'] }]);
  });

  test('a prover is warned once for a few, not of notes, nor a hundred times', () => {
    expect(disclosureWarnings(gadgetsOf(`${x}; ${A}; public y[t] = argmax(r) sum(i) x[t, i] * A[r, i]`))).toEqual([]);
    const many = Array.from({ length: 9 }, (_, k) => `public y${k} = ${k + 1} * A`).join('; ');
    const warnings = disclosureWarnings(gadgetsOf(`${A}; ${many}`));
    expect(warnings).toHaveLength(4);
    expect(warnings[3]).toMatch(/^warning: 6 outputs give secrets away likewise/);
  });
});

describe('random programs', () => {
  const isSecret = (t: Tensor): boolean => t.role === 'input' && t.visibility === 'secret';
  const entries = (t: Tensor): number => t.shape.reduce((n, d) => n * d, 1);

  /** What a tensor is computed from, itself among it, by the definitions alone. */
  function reached(program: TensorProgram, id: number): Set<number> {
    const seen = new Set<number>();
    const visit = (t: number): void => {
      if (seen.has(t)) return;
      seen.add(t);
      for (const e of program.equations) if (e.target === t) readTensors(e.definition).forEach(visit);
    };
    visit(id);
    return seen;
  }

  type Inputs = ReadonlyMap<number, readonly bigint[]>;

  const drawn = (program: TensorProgram, draw: Draw): Inputs =>
    new Map(
      program.tensors.filter((t) => t.role === 'input').map((t) => [t.id, draw.integers(t.range, entries(t))] as const),
    );

  /** The public outputs; undefined where the program has no value. */
  function valuesOf(program: TensorProgram, inputs: Inputs): Map<number, string> | undefined {
    const given = new Map(
      [...inputs].map(([id, values]) => [id, { shape: program.tensors[id].shape, values }] as const),
    );
    try {
      const all = interpret(program, given);
      const outputs = program.tensors.filter((t) => t.role === 'output' && t.visibility === 'public');
      return new Map(outputs.map((t) => [t.id, all.get(t.id)!.values.join()] as const));
    } catch (e) {
      if (e instanceof ValueError) return undefined;
      throw e;
    }
  }

  test('an output that a secret can change is warned of, with that secret; one that no secret reaches is not', () => {
    let changes = 0;
    let silent = 0;
    const property = fc.property(programs({ equations: 5 }), fc.nat(1e6), (program, seed) => {
      const { gadgets } = lower(program);
      if (!gadgets) return;
      const all = disclosures(gadgets);
      const named = (name: string): Tensor => program.tensors.find((t) => t.name === name)!;
      // No false alarm: whatever is named is read on the way.
      for (const d of all) {
        const from = reached(program, named(d.output).id);
        for (const name of [...d.secrets, ...d.inputs]) expect(from.has(named(name).id), d.text).toBe(true);
        expect(d.secrets.every((s) => isSecret(named(s)))).toBe(true);
      }
      if (all.length === 0) silent++;

      const draw = new Draw('disclosures', seed);
      for (let k = 0; k < 3; k++) {
        const inputs = drawn(program, draw);
        const before = valuesOf(program, inputs);
        for (const s of program.tensors.filter(isSecret)) {
          const after = before && valuesOf(program, new Map([...inputs, [s.id, draw.integers(s.range, entries(s))]]));
          for (const [id, values] of after ?? []) {
            if (values === before?.get(id)) continue;
            changes++;
            const from = reached(program, id);
            // Said of the output itself, or of another one that it is computed from.
            const said = all.some((d) => d.secrets.includes(s.name) && from.has(named(d.output).id));
            expect(said, `${program.tensors[id].name} changes with ${s.name}`).toBe(true);
          }
        }
      }
    });
    fc.assert(property, { seed: 5, numRuns: 100 });
    expect(changes).toBeGreaterThan(100);
    expect(silent).toBeGreaterThan(5);
  });

  test('what is called linear is, and choices tell as much as is said at most', () => {
    let linear = 0;
    let choices = 0;
    const property = fc.property(programs(), fc.nat(1e6), (program, seed) => {
      const { gadgets } = lower(program);
      if (!gadgets) return;
      const draw = new Draw('disclosures', seed);
      for (const d of disclosures(gadgets)) {
        const secrets = d.secrets.map((name) => program.tensors.find((t) => t.name === name)!);
        const output = program.tensors.find((t) => t.name === d.output)!;
        const base = drawn(program, draw);
        const at = (more: readonly (readonly [number, readonly bigint[]])[]): string | undefined =>
          valuesOf(program, new Map([...base, ...more]))?.get(output.id);
        if (
          (d.kind === 'published' || d.kind === 'solvable') &&
          d.secrets.length === 1 &&
          !d.text.includes('products')
        ) {
          // f(v) + f(0) = f(w) + f(v - w) where v - w is in range, too; other outputs have to stay as they are.
          if (d.inputs.some((name) => program.tensors.find((t) => t.name === name)!.role === 'output')) continue;
          const [s] = secrets;
          if (s.type?.kind === 'index') continue;
          const v = draw.integers(s.range, entries(s));
          const w = v.map((n) => n / 2n);
          const rest = v.map((n, i) => n - w[i]);
          const [a, b, c, e] = [v, v.map(() => 0n), w, rest].map((values) =>
            at([[s.id, values]])
              ?.split(',')
              .map(BigInt),
          );
          if (!a || !b || !c || !e || d.text.includes('what the secrets do together')) continue;
          linear++;
          expect(a.map((n, i) => n + b[i])).toEqual(c.map((n, i) => n + e[i]));
        }
        if (d.kind === 'choice' && d.bits! < 5) {
          const seen = new Set<string>();
          for (let k = 0; k < 60; k++) {
            const value = at(secrets.map((s) => [s.id, draw.integers(s.range, entries(s))] as const));
            if (value !== undefined) seen.add(value);
          }
          choices++;
          expect(seen.size).toBeLessThanOrEqual(2 ** d.bits!);
        }
      }
    });
    fc.assert(property, { seed: 6, numRuns: 200 });
    expect(linear).toBeGreaterThan(10);
    expect(choices).toBeGreaterThan(3);
  });
});
