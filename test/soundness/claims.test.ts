/**
 * Everything that a program says is claimed: a bundle that lacks one definition, lookup, zero or equation is refused when it is
 * read, or proves no other output than the whole one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../compiler/bundle/canonical.ts';
import { readGadgetProgram } from '../../compiler/bundle/read.ts';
import type { GadgetProgram, GadgetStep, GadgetTensor, GadgetTerm } from '../../compiler/ir/gadget/program.ts';
import { resolveImport } from '../compiler/standard.ts';
import { gadgetProgram } from '../kit/build.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw } from '../kit/draw.ts';
import { forge, type Forger } from '../kit/forge.ts';
import { functionProgram } from '../kit/functions.ts';
import { programs } from '../kit/programs.ts';
import { createStatement, type Statement } from '../kit/statement.ts';
import { createSubject, drawInputs, type Subject } from '../kit/subject.ts';
import { calibrationOf, modelOf } from '../stdlib/blocks.ts';

const device = await testDevice();

/** The program as a bundle brings it; undefined if it is refused. */
function read(p: GadgetProgram): GadgetProgram | undefined {
  try {
    readGadgetProgram(structuredClone(p));
    return p;
  } catch (e) {
    if (e instanceof CodecError) return undefined;
    throw e;
  }
}

const without = <T>(list: readonly T[], i: number): T[] => list.filter((_, k) => k !== i);

/** The program without one of the things that a proof rests on, each with what it is. */
function* removals(p: GadgetProgram): Generator<[string, GadgetProgram]> {
  for (const [i, e] of p.equations.entries()) {
    // What only the prover evaluates proves nothing.
    if (e.level === 0) continue;
    const { name, class: c } = p.tensors[e.target];
    const steps = p.steps.flatMap((s): GadgetStep[] =>
      s.kind !== 'equation' ? [s] : s.equation === i ? [] : [{ ...s, equation: s.equation - Number(s.equation > i) }],
    );
    const rest = { ...p, steps, equations: without(p.equations, i) };
    yield [`the equation of ${name}`, rest];
    const given = (t: GadgetTensor, id: number): GadgetTensor =>
      id === e.target && c.kind === 'defined' ? { ...t, class: { kind: 'defined', level: 0 } } : t;
    yield [`the definition of ${name}`, { ...rest, tensors: p.tensors.map(given) }];
    yield [
      `the level of ${name}`,
      { ...p, equations: p.equations.map((own) => (own === e ? { ...e, level: 0 } : own)) },
    ];
  }
  for (const [i, l] of p.lookups.entries())
    yield [`lookup ${i}, of ${p.tensors[l.tensor].name}`, { ...p, lookups: without(p.lookups, i) }];
  for (const [i, id] of p.zeros.entries()) yield [`that ${p.tensors[id].name}`, { ...p, zeros: without(p.zeros, i) }];
}

/** An honest prover but for one output, which is one more: what follows from it is computed with it, or without. */
async function forgeries(s: Statement, program: GadgetProgram): Promise<string[]> {
  const accepted: string[] = [];
  for (const id of program.publics) {
    const { class: c, name } = program.tensors[id];
    if (c.kind !== 'output') continue;
    const isDefined = program.equations.some((e) => e.target === id && e.level > 0);
    const lie = (f: Forger): void => f.add(name, 0, 1n);
    for (const forgery of [{ after: lie }, ...(isDefined ? [] : [{ change: lie }])])
      if ((await forge(device, s, { ...forgery, program: () => program })).ok) accepted.push(name);
  }
  return accepted;
}

/** Returns how many removals were refused. `every`: of all of them, one in so many is tried. */
async function check(subject: Subject, every = 1): Promise<number> {
  expect(read(subject.gadgets), 'the program itself').toBeDefined();
  let statement: Statement | undefined;
  let refused = 0;
  for (const [what, changed] of [...removals(subject.gadgets)].filter((_, i) => i % every === 0)) {
    const program = read(changed);
    if (!program) {
      refused++;
      continue;
    }
    statement ??= await createStatement(device, subject, drawInputs(subject, 1));
    expect(await forgeries(statement, program), `${subject.program.name} without ${what}`).toEqual([]);
  }
  return refused;
}

describe('a program without one of the things that it says', () => {
  test('random programs', async () => {
    for (const p of fc.sample(programs(), { seed: 5, numRuns: 40 })) await check(await createSubject(p));
  });

  test('functions: rounding, tables, maxima, indices', async () => {
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const subject = await createSubject(functionProgram(new Draw('claims', i))).catch(() => undefined);
      if (subject) refused += await check(subject);
    }
    expect(refused).toBeGreaterThan(500);
  });

  test('blocks of the standard library', async () => {
    const names = ['rmsnorm', 'attend', 'swiglu', 'embedding, tied head and the next token'];
    const text = modelOf(names, { N: 1, T: 2, D: 3, O: 2, R: 2, H: 2, G: 1, V: 3 });
    const calibration = calibrationOf(text, { bits: 10, frac: 4 });
    await check(await createSubject(text, { resolveImport, calibration }), 20);
  });
});

describe('values that nothing holds', () => {
  const unit = { num: 1n, den: 1n };
  const span = { source: '', start: 0, end: 0 };
  const range = { lo: -8n, hi: 7n };
  const type = { kind: 'fixed', bits: 4, frac: 0 } as const;
  const tensor = (name: string, c: GadgetTensor['class'], shape: readonly number[] = [4]): GadgetTensor => ({
    name,
    shape,
    scale: unit,
    range,
    class: c,
    span,
    ...(c.kind === 'input' ? { type } : {}),
  });
  const entry = (id: number, coefficient = 1n): GadgetTerm => ({
    coefficient,
    variables: [],
    shared: [],
    free: [],
    factors: [{ tensor: id, axes: [{ kind: 'output', output: 0 }] }],
  });
  const equation = (target: number, level: number, ...terms: GadgetTerm[]) => ({ target, level, terms, span });
  const defined = (level: number) => ({ kind: 'defined', level }) as const;
  /** x, an output y, and what else there is. */
  const program = (parts: Partial<GadgetProgram>, ...others: GadgetTensor[]): GadgetProgram =>
    gadgetProgram({
      tensors: [tensor('x', { kind: 'input' }), tensor('y', { kind: 'output' }), ...others],
      publics: [0, 1],
      ...parts,
    });

  test('an output is held by a zero that it stands in, entry by entry', () => {
    const held = program({ equations: [equation(2, 1, entry(1), entry(0, -1n))], zeros: [2] }, tensor('z', defined(1)));
    expect(read(held)).toBeDefined();
  });

  const counts = tensor(
    'counts',
    { kind: 'witness', axes: [{ length: 16, columnBits: 4 }], firstRow: 0, rows: 1, firstColumn: 0 },
    [16],
  );
  const small = tensor('w', {
    kind: 'witness',
    axes: [{ length: 4, columnBits: 2 }],
    firstRow: 0,
    rows: 1,
    firstColumn: 16,
  });
  const product = (a: number, b: number, coefficient = 1n): GadgetTerm => ({
    ...entry(a, coefficient),
    variables: [4],
    shared: [0],
    factors: [a, b].map((id) => ({ tensor: id, axes: [{ kind: 'summed', variable: 0 }] })),
  });
  test.each<[string, GadgetProgram, RegExp]>([
    [
      'an output in an equation that nobody claims',
      program({ equations: [equation(2, 1, entry(1), entry(0, -1n))] }, tensor('z', defined(1))),
      /the equation of z is never claimed/,
    ],
    [
      'an equation at level 0',
      program({ equations: [equation(1, 0, entry(0))], steps: [{ kind: 'equation', equation: 0 }] }),
      /y has no equation at level 1/,
    ],
    [
      'an output that another output is defined by',
      gadgetProgram({
        tensors: [tensor('x', { kind: 'input' }), tensor('y', { kind: 'output' }), tensor('o', { kind: 'output' })],
        publics: [0, 1, 2],
        equations: [equation(2, 1, entry(1), entry(0))],
      }),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'an output with the coefficient 0',
      program({ equations: [equation(2, 1, entry(1, 0n), entry(0, -1n))], zeros: [2] }, tensor('z', defined(1))),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'an output less itself',
      program({ equations: [equation(2, 1, entry(1), entry(1, -1n))], zeros: [2] }, tensor('z', defined(1))),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'an output where a mask is 1, which is nowhere',
      program(
        { equations: [equation(2, 1, product(1, 3), product(0, 3, -1n))], zeros: [2] },
        tensor('z', defined(1)),
        tensor('mask', {
          kind: 'constant',
          guards: [{ left: { kind: 'var', var: 0 }, op: '<', right: { kind: 'const', value: 0 } }],
        }),
      ),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'two values that are looked up beside each other',
      program(
        {
          tables: [
            {
              kind: 'function',
              name: 'id',
              values: Array.from({ length: 16 }, (_, i) => BigInt(i - 8)),
              multiplicities: 2,
            },
          ],
          lookups: [
            { tensor: 3, table: 0, offset: 8n, shift: 0, value: 1 },
            { tensor: 1, table: 0, offset: 8n, shift: 0, value: 3 },
          ],
          witnessRows: 1,
          levels: 0,
        },
        counts,
        small,
      ),
      /is looked up beside what follows from it/,
    ],
    [
      'a committed value that only an output in a range speaks of',
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          lookups: [3, 1].map((id) => ({ tensor: id, table: 0, offset: 8n, shift: 0 })),
          equations: [equation(1, 1, entry(3), entry(0))],
          witnessRows: 1,
        },
        counts,
        small,
      ),
      /nothing says what w is/,
    ],
    [
      'an output of which only the sum is held',
      program(
        {
          equations: [
            {
              ...equation(2, 1),
              terms: [
                {
                  coefficient: 4n,
                  variables: [],
                  shared: [],
                  free: [],
                  factors: [{ tensor: 1, axes: [{ kind: 'half' }] }],
                },
              ],
            },
          ],
          zeros: [2],
        },
        tensor('z', defined(1), []),
      ),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'an output of which only some entries are held',
      program(
        { equations: [equation(2, 1, entry(3), entry(0, -1n))], zeros: [2] },
        tensor('z', defined(1)),
        tensor('half of y', {
          kind: 'view',
          level: 0,
          of: 1,
          at: [{ kind: 'var', var: 0 }],
          guards: [{ left: { kind: 'var', var: 0 }, op: '<', right: { kind: 'const', value: 2 } }],
        }),
      ),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'a lookup of an output in a range, and nothing else',
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          lookups: [{ tensor: 1, table: 0, offset: 8n, shift: 0 }],
          witnessRows: 1,
          levels: 0,
        },
        counts,
      ),
      /the output y has no equation at level 1, and no constraint/,
    ],
    [
      'a committed value that lookups bound and nothing defines',
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          lookups: [{ tensor: 3, table: 0, offset: 8n, shift: 0 }],
          equations: [equation(1, 1, entry(3), entry(0))],
          witnessRows: 1,
        },
        counts,
        tensor('w', {
          kind: 'witness',
          axes: [{ length: 4, columnBits: 2 }],
          firstRow: 0,
          rows: 1,
          firstColumn: 16,
        }),
      ),
      /nothing says what w is/,
    ],
    ...[8, 12].map((firstColumn): [string, GadgetProgram, RegExp] => [
      `a committed value in the place of another, at column ${firstColumn}`,
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          lookups: [{ tensor: 3, table: 0, offset: 8n, shift: 0 }],
          equations: [equation(1, 1, entry(3), entry(0))],
          witnessRows: 1,
        },
        counts,
        tensor('w', { kind: 'witness', axes: [{ length: 4, columnBits: 2 }], firstRow: 0, rows: 1, firstColumn }),
      ),
      /w overlaps another/,
    ]),
    [
      'rows that hold nothing',
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          lookups: [{ tensor: 0, table: 0, offset: 8n, shift: 0 }],
          equations: [equation(1, 1, entry(0))],
          witnessRows: 2,
        },
        counts,
      ),
      /rows that hold nothing/,
    ],
    [
      'a table that nothing is looked up in',
      program(
        {
          tables: [{ kind: 'range', bits: 4, multiplicities: 2 }],
          equations: [equation(1, 1, entry(0))],
          witnessRows: 1,
        },
        counts,
      ),
      /a table that nothing is looked up in/,
    ],
  ])('%s', (_, p, reason) => {
    expect(() => readGadgetProgram(structuredClone(p))).toThrow(CodecError);
    expect(() => readGadgetProgram(structuredClone(p))).toThrow(reason);
  });
});
