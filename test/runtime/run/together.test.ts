/** Steps of a run are decided together: the verdict is the one of each by itself, and nothing is accepted before. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { decodeBundle, type Bundle } from '../../../compiler/bundle/bundle.ts';
import { readSafetensors } from '../../../models/files/safetensors.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { runFiles } from '../../../models/run/store.ts';
import { decodeCommitment, decodeProof, encodeProof, type ProofFile } from '../../../runtime/codec/files.ts';
import { compress, decompress, Point } from '../../../runtime/curve/spec.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';
import { commitmentDigest } from '../../../runtime/protocol/statement/statement.ts';
import type { OwnProgram } from '../../../runtime/run/chain.ts';
import { samplingSeed, stepContext, type RunHeader } from '../../../runtime/run/header.ts';
import { createSampler } from '../../../runtime/run/sampling.ts';
import { createVerifier, type Verifier } from '../../../runtime/verifier/index.ts';
import { testDevice } from '../../kit/devices.ts';
import {
  changed,
  data,
  file,
  headerOf,
  openedVerifier,
  ownToy,
  trainRun,
  verdictOf,
  type Store,
} from '../../models/training/toy.ts';
import { counted } from '../../soundness/work.ts';

const STEPS = 4;
const LINK = { source: 'state', output: 'state' };

let device: Device;
let whole: Store;
let header: RunHeader;
let own: ReturnType<typeof ownToy>;
let bundle: Bundle;

beforeAll(async () => {
  device = await testDevice();
  whole = await trainRun(device, { steps: STEPS });
  header = await headerOf(whole);
  own = ownToy();
  bundle = decodeBundle(own.bundle);
});
afterAll(() => device.close());

const compile = (): OwnProgram => own;
const proofOf = (store: Store, step: number): Uint8Array => file(store, runFiles.proof(step));
const withProof = (store: Store, step: number, proof: Uint8Array): Store =>
  changed(store, { [runFiles.proof(step)]: proof });

const opened = (on: Device = device): Promise<Verifier> => openedVerifier(on, whole);

const proofsOf = (store: Store): { proof: Uint8Array; context: Uint8Array }[] =>
  Array.from({ length: STEPS }, (_, k) => ({ proof: proofOf(store, k), context: stepContext(header, k) }));

/** The first step that is not accepted, and why, of steps that are verified one by one. */
async function oneByOne(store: Store): Promise<{ readonly step: number; readonly reason: string } | undefined> {
  const verifier = await opened();
  for (const [step, { proof, context }] of proofsOf(store).entries()) {
    const verdict = await verifier.verify(proof, { context });
    if (!verdict.ok) return { step, reason: verdict.reason };
    await verifier.adopt('state', verdict.outputs.get('state')!);
  }
  verifier.close();
  return undefined;
}

/** A proof's file with something else in it. */
function altered(
  step: number,
  change: (proof: ProofFile & { body: Uint8Array }) => Partial<ProofFile> | void,
): Uint8Array {
  const proof = decodeProof(bundle.gadgets, proofOf(whole, step));
  const copy = { ...proof, body: proof.body.slice() };
  return encodeProof(bundle.gadgets, { ...copy, ...change(copy) });
}

const pointAt = (body: Uint8Array, i: number): Point => {
  const point = decompress(body.subarray(48 * i, 48 * i + 48));
  if (typeof point === 'string') throw new Error(point);
  return point;
};

/** The point (0, 2), of order 3. */
const OF_ORDER_3 = Point.fromAffine({ x: 0n, y: 2n });

const faults: readonly (readonly [string, (step: number) => Uint8Array])[] = [
  ['a point is another one', (step) => altered(step, ({ body }) => body.set(body.slice(48, 96)))],
  ['a point is off the curve', (step) => altered(step, ({ body }) => void (body[40] ^= 1))],
  [
    'a point is outside the subgroup',
    (step) => altered(step, ({ body }) => body.set(compress(pointAt(body, 3).add(OF_ORDER_3)), 3 * 48)),
  ],
  [
    'a row of the state is outside the subgroup',
    (step) =>
      altered(step, ({ body }) => {
        const at = bundle.gadgets.witnessRows;
        body.set(compress(pointAt(body, at).add(OF_ORDER_3)), 48 * at);
      }),
  ],
  ['a scalar is not below r', (step) => altered(step, ({ body }) => void body.fill(255, body.length - 32))],
  ['a response is another', (step) => altered(step, ({ body }) => void (body[body.length - 32] ^= 1))],
  ['a message is another', (step) => altered(step, ({ body }) => void (body[body.length - 32 * 120] ^= 1))],
  ['a public number is another', (step) => altered(step, ({ publics }) => ({ publics: withLoss(publics) }))],
  ['the file names another output', (step) => altered(step, () => ({ outputs: [new Uint8Array(32)] }))],
  ['it is cut off', (step) => proofOf(whole, step).slice(0, -1)],
  ['it is the one of another step', (step) => proofOf(whole, (step + 1) % STEPS)],
];

function withLoss(publics: ProofFile['publics']): ProofFile['publics'] {
  const id = bundle.gadgets.publics.find((k) => bundle.gadgets.tensors[k].class.kind !== 'input')!;
  return new Map([...publics, [id, Int32Array.of(Number(publics.get(id)![0]) + 1)]]);
}

test('a run is heard of when it is decided', async () => {
  const heard: [number, number][] = [];
  const verdict = await verdictOf(device, whole, { compile, progress: (at, of) => heard.push([at, of]) });
  expect(verdict).toMatchObject({ ok: true, steps: STEPS });
  expect(heard).toEqual([[STEPS - 1, STEPS]]);
});

test('all steps take one decision', async () => {
  const { device: watched, work, reset } = counted(device);
  const calls = { decode: 0, msm: 0 };
  const counting: Device = {
    ...watched,
    decodePoints: (bytes) => (calls.decode++, watched.decodePoints(bytes)),
    msm: (parts) => (calls.msm++, watched.msm(parts)),
  };
  const verifier = await opened(counting);
  expect(verifier.together).toBeGreaterThanOrEqual(STEPS);
  const { points } = decodeCommitment(file(whole, runFiles.commitment('data')));
  Object.assign(calls, { decode: 0, msm: 0 });
  reset();
  const accepted = await verifier.verifyTogether(LINK, proofsOf(whole));
  expect(accepted).toHaveLength(STEPS);
  expect(calls).toEqual({ decode: 1, msm: 1 });
  // Shared rows and generators occur once.
  const { columns } = await planProgram(bundle.gadgets);
  expect(work.multiplied).toBe(work.decoded + points.length / 48 + bundle.gadgets.sources[1].rows + columns + 2);
  verifier.close();
});

describe('the bad one of four is named', () => {
  test.each(faults)('where %s', async (_, fault) => {
    const step = 2;
    const store = withProof(whole, step, fault(step));
    const alone = await oneByOne(store);
    expect(alone).toMatchObject({ step });
    expect(await (await opened()).verifyTogether(LINK, proofsOf(store))).toBeUndefined();
    const heard: number[] = [];
    const verdict = await verdictOf(device, store, { compile, progress: (at) => heard.push(at) });
    expect(verdict).toMatchObject({ ok: false, verdict: 'rejected', ...alone });
    expect(heard).toEqual([0, 1]);
  });

  test('whichever it is, and the first of two', async () => {
    const [, fault] = faults[0];
    for (let step = 0; step < STEPS; step++) {
      const store = withProof(whole, step, fault(step));
      expect(await verdictOf(device, store, { compile })).toMatchObject({ ok: false, step });
    }
    const two = withProof(withProof(whole, 3, fault(3)), 1, fault(1));
    expect(await verdictOf(device, two, { compile })).toMatchObject({ ok: false, step: 1 });
  });

  test('where one is missing, after those before it', async () => {
    const store = changed(whole, { [runFiles.proof(2)]: undefined });
    const heard: number[] = [];
    const verdict = await verdictOf(device, store, { compile, progress: (at) => heard.push(at) });
    expect(verdict).toMatchObject({ step: 2, reason: expect.stringContaining('no proof') as string });
    expect(heard).toEqual([1]);
  });

  test('where one cannot be read, after those before it', async () => {
    const unreadable = (store: Store): Store => ({
      ...store,
      read: (name) => (name === runFiles.proof(2) ? Promise.reject(new Error('it is no file')) : store.read(name)),
    });
    const heard: number[] = [];
    const progress = (at: number): void => void heard.push(at);
    await expect(verdictOf(device, unreadable(whole), { compile, progress })).rejects.toThrow('it is no file');
    expect(heard).toEqual([1]);
    const [, fault] = faults[0];
    const store = unreadable(withProof(whole, 1, fault(1)));
    expect(await verdictOf(device, store, { compile })).toMatchObject({ ok: false, verdict: 'rejected', step: 1 });
  });
});

test('what is expected of a commitment is, of one that a step puts out too', async () => {
  const state = header.commitments['state'];
  const verifier = await createVerifier(own.bundle, { device, expect: { sources: { state } } });
  await verifier.register(file(whole, runFiles.commitment('data')));
  await verifier.registerKnown('state', own.first);
  const [first, second] = proofsOf(whole);
  expect(await verifier.verifyTogether(LINK, [first])).toHaveLength(1);
  expect(await verifier.verifyTogether(LINK, [first, second])).toBeUndefined();
});

test('sources and outputs that the program has not are none', async () => {
  const verifier = await opened();
  for (const link of [
    { source: 'base', output: 'state' },
    { source: 'state', output: 'data' },
  ])
    expect(await verifier.verifyTogether(link, proofsOf(whole))).toBeUndefined();
  expect(await verifier.verifyTogether(LINK, [])).toEqual([]);
});

/** A prover of a step from a state, on a device. */
async function prove(
  step: number,
  state: { readonly opening: Uint8Array; readonly weights: Awaited<ReturnType<typeof stateWeights>> },
  on: Device = device,
  output?: Uint8Array,
): Promise<Uint8Array> {
  const sources = [
    { source: 'data', opening: file(whole, runFiles.opening('data')), weights: data },
    { source: 'state', ...state },
  ];
  const prover = await createProver(own.bundle, { device: on, sources });
  const rows = createSampler({ seed: samplingSeed(header), rows: 5, batch: 2 }).rows(step);
  const { proof } = await prover.prove(
    new Map([
      ['step', [step]],
      ['rows', rows],
    ]),
    { context: stepContext(header, step), check: false, ...(output && { outputs: new Map([['state', output]]) }) },
  );
  return proof;
}

const stateWeights = async (step: number) =>
  (await readSafetensors(bytesSource('state', file(whole, runFiles.state(step))))).reader;
const openingOf = (step: number): Uint8Array => file(whole, runFiles.stateOpening(step));

test('a state that no step puts out is none, though the next step is proved from it', async () => {
  // The state before the first step, again, in the place of what step 1 puts out.
  const weights = await stateWeights(0);
  const { commitment, opening } = await commit(own.bundle, 'state', weights, { device });
  const { points } = decodeCommitment(commitment);
  const layout = bundle.gadgets.outputs![0];
  const forged = altered(1, ({ body }) => {
    body.set(points, 48 * bundle.gadgets.witnessRows);
    return { outputs: [commitmentDigest(layout, points)] };
  });
  const next = await prove(2, { opening, weights });
  const verifier = await opened();
  expect(await verifier.register(commitment)).toEqual({ ok: true });
  expect(await verifier.verify(next, { context: stepContext(header, 2) })).toMatchObject({ ok: true });
  const store = changed(withProof(withProof(whole, 1, forged), 2, next), { [runFiles.proof(3)]: undefined });
  const heard: number[] = [];
  const verdict = await verdictOf(device, store, { compile, progress: (at) => heard.push(at) });
  expect(verdict).toMatchObject({ ok: false, verdict: 'rejected', step: 1 });
  expect(heard).toEqual([0]);
});

test('faults that cancel each other are not accepted', async () => {
  const { columns, folds } = bundle.gadgets;
  expect(folds).toBeGreaterThan(0);
  // The left point of the last halving has the weight 1, whatever the challenges are.
  const adding = (point: Point): Device => {
    let halvings = 0;
    return {
      ...device,
      commit: async (rows) => {
        const out = await device.commit(rows);
        const isHalving = rows.length === 2 && rows[0].length === columns + 1;
        if (isHalving && ++halvings === folds) {
          const left = decompress(out[0]);
          if (typeof left === 'string') throw new Error(left);
          out[0] = compress(left.add(point));
        }
        return out;
      },
    };
  };
  const state = async (step: number) => ({ opening: openingOf(step), weights: await stateWeights(step) });
  const first = await prove(0, await state(0), adding(Point.BASE), openingOf(1));
  const second = await prove(1, await state(1), adding(Point.BASE.negate()), openingOf(2));
  const store = withProof(withProof(whole, 0, first), 1, second);
  const verdict = await verdictOf(device, store, { compile });
  expect(verdict).toMatchObject({ ok: false, step: 0, reason: 'the commitments do not open to the response' });
  const third = await prove(1, await state(1), adding(Point.BASE), openingOf(2));
  expect(await oneByOne(withProof(whole, 1, third))).toMatchObject({ step: 1 });
  // With weights that are all 1 the two would be: the faults are real, and it is the weights that tell.
  const draw = crypto.getRandomValues.bind(crypto);
  const draws = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (!(array instanceof BigUint64Array)) return draw(array);
    array.fill(0n);
    array[array.length - 1] = 1n;
    return array;
  });
  try {
    expect(await verdictOf(device, store, { compile })).toMatchObject({ ok: true, steps: STEPS });
  } finally {
    draws.mockRestore();
  }
});
