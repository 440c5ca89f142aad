/**
 * Rows of a source that a public input names: whoever claims others is refused by the openings and nothing else, what lies in
 * slots outside a row by the commitment's own proof, and a bundle that would gather anything else by its reader.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../compiler/bundle/canonical.ts';
import { readGadgetProgram } from '../../compiler/bundle/read.ts';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { commit, createProver, createReferenceDevice, createVerifier } from '../../index.ts';
import { layMatrix } from '../../runtime/protocol/commitment/matrix.ts';
import type { Value } from '../../runtime/protocol/form.ts';
import { commitmentDigest } from '../../runtime/protocol/statement/statement.ts';
import { commitSource } from '../../runtime/prover/commitment/source.ts';
import { matrixDigest, rowBlindings } from '../../runtime/prover/commitment/source-matrix.ts';
import { testDevice } from '../kit/devices.ts';
import { entropyOf } from '../kit/draw.ts';
import { forge } from '../kit/forge.ts';
import { assertGadget } from '../kit/index.ts';
import { proveLie } from '../kit/liar.ts';
import { createStatement, prove, validate, verify } from '../kit/statement.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';
import { bundleOf } from './fixture.ts';

const device = await testDevice();
const reference = createReferenceDevice();

const numbers = (m: number, n: number, t: number): string => `model m { dim M = ${m}, N = ${n}, T = ${t}
  source data
  public rows[N]: index<M>
  secret X[M, T]: fixed<8, 0> from data "x"
  secret Y[M]: fixed<4, 0> from data "y"
  open W[M, T]: fixed<6, 0> from base "w"
  public y[n] = (sum(t) X[rows[n], t] * W[rows[n], t]) + Y[rows[n]]
  public z = sum(n, t) X[rows[n], t] * X[rows[n], (t + 1) mod T] }`;

const indices = (m: number, n: number, t: number): string => `model m { dim M = ${m}, N = ${n}, T = ${t}, V = 3
  source data
  public rows[N]: index<M>
  secret tokens[M, T]: index<V> from data "tokens"
  secret mask[M, T]: index<2> from data "mask"
  secret E[V]: fixed<8, 0> from adapter "e"
  k[n, t] = tokens[rows[n], t]
  public y[n] = sum(t) E[k[n, t]] * mask[rows[n], t]
  public z[i: N * T] = E[tokens[rows[i div T], i mod T]] }`;

test.each([
  ['numbers', numbers, [device, reference]],
  // Whose tables are long.
  ['indices', indices, [device]],
])('gathered %s hold, at lengths where padding goes wrong', async (_, text, devices) => {
  const lengths = fc.constantFrom(1, 2, 3, 5, 7, 8, 13);
  await fc.assert(
    fc.asyncProperty(lengths, fc.constantFrom(1, 2, 3, 5), lengths, fc.nat(1e6), async (m, n, t, seed) => {
      await assertGadget(text(m, n, t), { devices, samples: 1, statements: 1, seed });
    }),
    { seed: 4, numRuns: 2 },
  );
});

test('rows that repeat are gathered as often as they are named', async () => {
  const subject = await createSubject(numbers(5, 4, 3));
  const values = new Map(drawInputs(subject, 3));
  const rows = subject.program.tensors.findIndex((t) => t.name === 'rows');
  for (const named of [
    [4n, 4n, 4n, 4n],
    [3n, 0n, 3n, 1n],
  ]) {
    const s = await createStatement(device, subject, values.set(rows, named));
    const proof = await prove(device, s);
    expect(await verify(device, s, proof)).toEqual({ ok: true });
    const others = new Map(proof.publics).set(rows, Int16Array.from([4, 4, 4, 3]));
    expect(await verify(device, s, { ...proof, publics: others })).toMatchObject({ ok: false });
  }
});

const two = (t: number): string => `model m { dim M = 5, N = 2, T = ${t}
  source data
  public rows[N]: index<M>
  secret X[M, T]: fixed<8, 0> from data "x"
  public y[n] = sum(t) X[rows[n], t] }`;

test('other rows than are named are refused by their openings, and by nothing else', async () => {
  const subject = await createSubject(two(3));
  const s = await createStatement(device, subject, drawInputs(subject, 5));
  const change: Parameters<typeof forge>[2]['change'] = (f) => {
    const named = f.get('rows').map(Number);
    const X = f.get('X');
    const other = named.flatMap((row) => X.slice(3 * ((row + 1) % 5), 3 * ((row + 1) % 5) + 3));
    for (const [i, v] of other.entries()) f.set('X at rows', i, v);
  };
  expect(await forge(device, s, {})).toEqual({ ok: true });
  expect(await forge(device, s, { change })).toMatchObject({ ok: false });
  const isUnopened = ({ openings }: Value): boolean => openings.length === 0;
  expect(await forge(device, s, { change, keep: isUnopened })).toEqual({ ok: true });
});

test('a slot beyond a row is as good as an entry of it, and refused with the commitment', async () => {
  // Rows of three entries have the columns of rows of four: the fourth is filled, and counted.
  const [subject, pretend] = [await createSubject(two(3)), await createSubject(two(4))];
  const large = await createStatement(device, pretend, drawInputs(pretend, 6));
  const [[source], [{ tensors }]] = [subject.gadgets.sources, large.sources];
  const axes = ({ gadgets }: typeof subject): unknown => gadgets.sources[0].tensors[0].axes.map((a) => a.columnBits);
  expect(axes(subject)).toEqual(axes(pretend));
  const entries = layMatrix(pretend.gadgets.sources[0], tensors);
  const blindings = rowBlindings(source, entropyOf(5));
  const { points, rangeProof } = await commitSource(device, source, entries, blindings, entropyOf(5));
  const digest = commitmentDigest(source, points);
  const forged = { tensors, entries, matrix: matrixDigest(entries), blindings, digest, points, rangeProof };
  const statement = { ...large, subject, sources: [forged] };
  expect(await verify(device, statement, await proveLie(device, statement, { pretend }))).toEqual({ ok: true });
  expect(await validate(device, subject, 0, forged)).toMatchObject({ ok: false });
  const honest = await createStatement(device, subject, drawInputs(subject, 6));
  expect(await validate(device, subject, 0, honest.sources[0])).toEqual({ ok: true });
});

test('a row that there is not is refused before anything is proved, and in a proof', async () => {
  const bundle = bundleOf(two(3));
  const weights = new Map([['x', { shape: [5, 3], values: Int16Array.from({ length: 15 }, (_, i) => i) }]]);
  const { commitment, opening } = await commit(bundle, 'data', weights, { device });
  const prover = await createProver(bundle, { device, sources: [{ source: 'data', opening, weights }] });
  await expect(prover.prove(new Map([['rows', [0, 5]]]))).rejects.toThrow(/rows\[1\].*5/);
  const { proof } = await prover.prove(new Map([['rows', [0, 4]]]));
  const verifier = await createVerifier(bundle, { device });
  expect((await verifier.register(commitment)).ok).toBe(true);
  expect(await verifier.verify(proof)).toMatchObject({ ok: true });
  const changes = [...proof.keys()].filter((i) => proof[i] === 4).map((i) => proof.with(i, 5));
  expect(changes.length).toBeGreaterThan(0);
  for (const changed of changes) expect((await verifier.verify(changed)).ok).toBe(false);
  const reasons = await Promise.all(changes.map(async (p) => JSON.stringify(await verifier.verify(p))));
  expect(reasons.some((r) => /rows/.test(r))).toBe(true);
});

const { gadgets } = await createSubject(`model m { dim M = 4, N = 2, T = 3
    source data
    public rows[N]: index<M>
    public columns[N]: index<T>
    public numbers[N]: fixed<8, 0>
    secret hidden[N]: index<M>
    secret X[M, T]: fixed<8, 0> from data "x"
    secret files[l: M, T]: fixed<8, 0> from data "part.{l}"
    secret Z[n: M, t: T] = round<8, 0>(X[n, t] / 2)
    secret s: fixed<8, 0> from data "s"
    public P[M, T]: fixed<8, 0>
    public y[n, t] = X[rows[n], t] * P[hidden[n], t] + s + files[0, t] + P[0, columns[n]] + numbers[n] }`);

describe('a bundle that gathers', () => {
  const id = (name: string): number => gadgets.tensors.findIndex((t) => t.name === name);
  const gathered = id('X at rows');
  const changed = (change: Partial<GadgetProgram['tensors'][number]>, c: object = {}): GadgetProgram => ({
    ...gadgets,
    tensors: gadgets.tensors.map((t, k) => (k === gathered ? { ...t, ...change, class: { ...t.class, ...c } } : t)),
  });
  const read = (p: GadgetProgram): GadgetProgram => readGadgetProgram(structuredClone(p));

  test('is read as it is', () => {
    expect(gadgets.tensors[gathered].class).toEqual({ kind: 'gathered', of: id('X'), indices: id('rows') });
    expect(read(gadgets).tensors[gathered].class).toEqual(gadgets.tensors[gathered].class);
  });

  test.each<[string, GadgetProgram, RegExp]>([
    ['from a public tensor', changed({}, { of: id('P') }), /no tensor of a source/],
    ['from stacked files', changed({}, { of: id('files') }), /no tensor of a source/],
    ['from an output', changed({}, { of: id('Z') }), /no tensor of a source/],
    ['from itself', changed({}, { of: gathered }), /no tensor of a source/],
    ['from a single number', changed({}, { of: id('s') }), /no tensor of a source/],
    ['by hidden indices', changed({}, { indices: id('hidden') }), /no public input names/],
    ['by numbers', changed({}, { indices: id('numbers') }), /no public input names/],
    ['by an index of another axis', changed({}, { indices: id('columns') }), /no public input names/],
    ['more rows than are named', changed({ shape: [3, 3] }), /another shape/],
    ['longer rows', changed({ shape: [2, 4] }), /another shape/],
    ['smaller numbers', changed({ range: { lo: 0n, hi: 1n } }), /another range/],
    ['from no tensor', changed({}, { of: gadgets.tensors.length }), /a tensor of a source/],
    ['by no tensor', changed({}, { indices: -1 }), /an index tensor/],
  ])('%s is refused', (_, program, message) => {
    expect(() => read(program)).toThrow(CodecError);
    expect(() => read(program)).toThrow(message);
  });
});
