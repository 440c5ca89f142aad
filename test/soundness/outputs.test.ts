/**
 * Outputs that leave as commitments: what a forger puts into one is rejected, by the one lookup, equation or relation without
 * which it is accepted; and a commitment is taken from an accepted proof and from nowhere else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../../compiler/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { decodeBody } from '../../runtime/protocol/argument.ts';
import { ProtocolContext } from '../../runtime/protocol/context.ts';
import { slotMap } from '../../runtime/protocol/commitment/layout.ts';
import { columnTable, type Opening } from '../../runtime/protocol/commitment/hyrax.ts';
import { programProtocol } from '../../runtime/protocol/program.ts';
import type { Value } from '../../runtime/protocol/form.ts';
import { inv, mul, reduce } from '../../runtime/protocol/scalar.ts';
import { Transcript } from '../../runtime/protocol/transcript.ts';
import { commitSource } from '../../runtime/prover/commitment/source.ts';
import { rowBlindings } from '../../runtime/prover/commitment/source-matrix.ts';
import { assertGadget } from '../kit/check.ts';
import { programs } from '../kit/programs.ts';
import { withOutputs } from '../kit/taken.ts';
import { testDevice } from '../kit/devices.ts';
import { entropyOf } from '../kit/draw.ts';
import { forge, without, type Forgery } from '../kit/forge.ts';
import { createStatement, prove, validate, verify, type Statement } from '../kit/statement.ts';
import { createSubject, type Subject } from '../kit/subject.ts';

const device = await testDevice();

/** All secret outputs in one commitment. */
function inOne(text: string, name = 'state'): TensorProgram {
  const { tensors } = compile({ text, source: 'm.zkl' });
  if (!tensors) throw new Error('there is no program');
  return { ...tensors, outputs: [{ name, tensors: (tensors.outputs ?? []).flatMap((o) => o.tensors) }] };
}

async function statementOf(
  of: string | TensorProgram,
  inputs: Readonly<Record<string, readonly bigint[]>>,
): Promise<Statement> {
  const subject = await createSubject(of);
  const given = subject.program.tensors.flatMap((t) => (t.name in inputs ? [[t.id, inputs[t.name]] as const] : []));
  return createStatement(device, subject, new Map(given));
}

const twelve = (first: bigint, second = 7n): bigint[] => [
  first,
  second,
  ...Array.from({ length: 10 }, (_, i) => BigInt(i)),
];

interface Case {
  readonly text: string;
  readonly inputs: Readonly<Record<string, readonly bigint[]>>;
  readonly forgeries: Readonly<Record<string, Forgery & { readonly bound: readonly string[] }>>;
}

const cases: Record<string, Case> = {
  'an output that is looked up at once': {
    text: `table half(x: fixed<6, 0>) -> fixed<8, 2> = x / 2
      model m { dim N = 12
      secret w[N]: fixed<6, 4> from adapter "w"
      secret x[N]: fixed<8, 0>
      secret k[N]: fixed<6, 0>
      secret y[i] = round<8, 0>(2 * x[i])
      secret r[i] = round<8, 4>(w[i] * w[i])
      secret t[i] = half(k[i])
    }`,
    inputs: { w: twelve(9n, -20n), x: twelve(1n), k: twelve(-32n, 31n) },
    forgeries: {
      'a value of nine bits': {
        change: (f) => {
          f.set('x', 0, 120n);
          f.set('y', 0, 240n);
        },
        bound: ['y'],
      },
      // The remainders 1 and 0 are in their range.
      'a field element whose remainder fits': {
        change: (f) => f.set('r', 0, mul(reduce(f.get('r before rounding')[0] - 1n), inv(16n))),
        bound: ['r'],
      },
      'one more than the rounded value': { change: (f) => f.add('r', 1, 1n), bound: ['r remainder'] },
      'a copy that is another number': {
        change: (f) => f.add('t as it leaves', 2, 1n),
        bound: ['t leaves as it is'],
      },
      'a copy that is too large': {
        change: (f) => f.set('t as it leaves', 2, 1000n),
        bound: ['t leaves as it is', 't as it leaves'],
      },
    },
  },
  'an output of 17 bits': {
    text: `model m { dim N = 12
      secret x[N]: fixed<16, 0>
      secret z[i] = round<17, 0>(4 * x[i])
    }`,
    inputs: { x: twelve(1n) },
    forgeries: {
      'a value of 18 bits': {
        change: (f) => {
          f.set('x', 0, 30000n);
          f.set('z', 0, 120000n);
          f.set('z bits 0', 0, 0n);
        },
        bound: ['z from bit 1'],
      },
      'the same, its limb wide enough': {
        change: (f) => {
          f.set('x', 0, 30000n);
          f.set('z', 0, 120000n);
          f.set('z bits 0', 0, 120000n + 65536n - 131070n);
        },
        bound: ['z bits 0'],
      },
    },
  },
};

describe.each(Object.entries(cases))('%s', (_, c) => {
  test('is accepted as it is', async () => {
    expect(await forge(device, await statementOf(c.text, c.inputs), {})).toEqual({ ok: true });
  });

  test.each(Object.entries(c.forgeries))('%s', async (_, { bound, ...forgery }) => {
    const s = await statementOf(c.text, c.inputs);
    expect((await forge(device, s, forgery)).ok).toBe(false);
    expect(await forge(device, s, { ...forgery, program: without(...bound) })).toEqual({ ok: true });
    if (bound.length === 1) return;
    for (const name of bound) {
      const others = without(...bound.filter((n) => n !== name));
      expect((await forge(device, s, { ...forgery, program: others })).ok, `without ${name}`).toBe(false);
    }
  });
});

const shared = inOne(`model m { dim N = 12
  secret w[N]: fixed<8, 4> from adapter "w"
  secret a[i] = round<8, 2>(w[i] * w[i])
  secret b[i] = round<8, 2>(w[i] / 3)
}`);

test('outputs of 48 bits and of one are what the next program takes', async () => {
  const text = `model m { dim N = 3
    secret x[N]: fixed<16, 2>
    secret z[i] = round<48, 10>(x[i] * x[i] * x[i] / 16)
    secret o = round<1, 0>(x[0] / 100000 - 1 / 4) }`;
  await assertGadget(text, { devices: [device], samples: 0, statements: 1 });
});

describe('slots outside the tensors of an output', () => {
  const isZeroRelation = (v: Value): boolean => v.form.pads.size === 0 && v.form.constant === 0n;

  test('in each block of a shared row, are refused by the relation that they are 0 and by nothing else', async () => {
    const s = await statementOf(shared, { w: twelve(5n) });
    const [layout] = s.subject.gadgets.outputs ?? [];
    expect(layout.tensors.map((t) => [t.firstRow, t.firstColumn ?? 0])).toEqual([
      [0, 0],
      [0, 16],
    ]);
    for (const slot of [12, 15, 28, 31]) {
      const outputs: Forgery['outputs'] = ([rows]) => void (rows[slot] = 1n);
      expect((await forge(device, s, { outputs })).ok, `slot ${slot}`).toBe(false);
      expect(await forge(device, s, { outputs, keep: (v) => !isZeroRelation(v) }), `slot ${slot}`).toEqual({
        ok: true,
      });
    }
  });

  test('all have a weight in a relation of their own tensor, and no slot inside has', async () => {
    const { gadgets } = (await statementOf(shared, { w: twelve(5n) })).subject;
    const ctx = new ProtocolContext(new Transcript(), { masked: () => 1n, clear: () => 1n });
    await programProtocol(ctx, gadgets, {
      indices: () => [],
      evaluate: () => undefined,
      evaluateView: () => undefined,
      evaluateTable: () => undefined,
    });
    const [layout] = gadgets.outputs ?? [];
    const matrix = gadgets.sources.length + 1;
    const weight = (o: Opening, slot: number): bigint => {
      const [row, column] = [Math.floor(slot / layout.columns), slot % layout.columns];
      return mul(o.scale, mul(o.rowWeights[row - o.firstRow] ?? 0n, columnTable(o.columns)[column] ?? 0n));
    };
    const relations = ctx.relations.filter((v) => isZeroRelation(v) && v.openings.some((o) => o.matrix === matrix));
    expect(relations).toHaveLength(2);
    for (const [k, t] of layout.tensors.entries())
      for (const [slot, position] of slotMap(t, layout.columns).entries()) {
        const own = reduce(relations[k].openings.reduce((n, o) => n + weight(o, slot), 0n));
        const inBlock = slot >= (t.firstColumn ?? 0) && slot < (t.firstColumn ?? 0) + 16;
        expect(own !== 0n, `slot ${slot}`).toBe(position < 0 && inBlock);
      }
  });
});

describe('a registered state of shared rows', () => {
  const state = `model m { dim N = 12
    source state s
    secret a[N]: fixed<8, 4> from s "a"
    secret b[N]: fixed<8, 4> from s "b"
    public y[i] = a[i] + b[i]
  }`;

  /** A commitment to the matrix with one slot changed, its range proof as good as it gets. */
  const judged = async (subject: Subject, entries: Int16Array, slot: number, v: number): Promise<boolean> => {
    const changed = entries.slice();
    changed[slot] = v;
    const [source] = subject.gadgets.sources;
    const count = (values: Int32Array, size: number): Int32Array => {
      const counts = new Int32Array(size);
      for (const x of values) if (x >= 0 && x < size) counts[x]++;
      return counts;
    };
    const made = await commitSource(device, source, changed, rowBlindings(source, entropyOf(8)), entropyOf(8), {
      count,
    });
    return (await validate(device, subject, 0, made)).ok;
  };

  test('has every entry in its type, and zeros outside every block', async () => {
    const s = await statementOf(state, { a: twelve(5n), b: twelve(127n, -128n) });
    const entries = s.sources[0].entries as Int16Array;
    expect(await judged(s.subject, entries, 0, 5)).toBe(true);
    for (const slot of [0, 11, 16, 27]) expect(await judged(s.subject, entries, slot, 128), `slot ${slot}`).toBe(false);
    for (const slot of [12, 15, 28, 31]) expect(await judged(s.subject, entries, slot, 1), `slot ${slot}`).toBe(false);
  });

  test('is proved of like any other source', async () => {
    const s = await statementOf(state, { a: twelve(5n), b: twelve(127n, -128n) });
    const proof = await prove(device, s);
    expect(await verify(device, s, proof)).toEqual({ ok: true });
    expect(Array.from(proof.publics.values(), (v) => Number(v[1]))).toEqual([7 - 128]);
  });
});

test('random programs put out what the next one takes, and everything is bound in them as well', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(programs(), fc.nat(1e6), async (p, seed) => {
      const leaving = withOutputs(p, 12);
      if (!leaving) return;
      const report = await assertGadget(leaving, { devices: [device], samples: 1, statements: 1, seed });
      taken += report.checks.taken;
    }),
    { seed: 3, numRuns: 5 },
  );
  expect(taken).toBeGreaterThan(8);
});

describe('the points of an output', () => {
  const body = (s: Statement, bytes: Uint8Array) => {
    const read = decodeBody(s.subject.argument, bytes);
    if (typeof read === 'string') throw new Error(read);
    return read;
  };

  test('are bound by the proof: neither others nor swapped ones are accepted', async () => {
    const s = await statementOf(
      `model m { dim N = 12
        secret w[N]: fixed<8, 4> from adapter "w"
        secret a[i] = round<8, 2>(w[i] * w[i])
        secret b[i] = round<8, 2>(w[i] * w[i])
      }`,
      { w: twelve(5n) },
    );
    const honest = await prove(device, s);
    expect(await verify(device, s, honest)).toEqual({ ok: true });
    const at = 48 * s.subject.gadgets.witnessRows;
    const swapped = honest.body.slice();
    swapped.set(honest.body.subarray(at, at + 48), at + 48);
    swapped.set(honest.body.subarray(at + 48, at + 96), at);
    expect(await verify(device, s, { ...honest, body: swapped })).toMatchObject({ ok: false });
    const other = await prove(device, s, { seed: 2 });
    const replaced = honest.body.slice();
    replaced.set(other.body.subarray(at, at + 48), at);
    expect(await verify(device, s, { ...honest, body: replaced })).toMatchObject({ ok: false });
  });

  test('a retry under one entropy with another opening repeats no masked message, and with the same one is the same proof', async () => {
    const s = await statementOf(shared, { w: twelve(5n) });
    const first = await prove(device, s, { seed: 1 });
    const opening = (await prove(device, s, { seed: 2 })).outputs[0].opening;
    const retry = await prove(device, s, { seed: 1, outputs: new Map([['state', opening]]) });
    expect(await verify(device, s, retry)).toEqual({ ok: true });
    const items = (bytes: Uint8Array): string[] => {
      const { points, scalars } = body(s, bytes);
      const { messages, last, z, zQ, delta, zRho, zRhoQ } = scalars;
      const all = [...points.witness.flat(), ...points.P, ...points.A, points.Q].map((p) => p.join());
      return [...all, ...[...messages, ...last, ...z, ...zQ, delta, zRho, zRhoQ].map(String)];
    };
    const all = [...items(first.body), ...items(retry.body)];
    expect(new Set(all).size).toBe(all.length);
    const same = await prove(device, s, { seed: 1, outputs: new Map([['state', first.outputs[0].opening]]) });
    expect(same.body).toEqual(first.body);
  });
});
