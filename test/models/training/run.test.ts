/** Runs: what is accepted, what is not, and that an interruption changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import { toHex } from '../../../runtime/verifier/verdict.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import type { OwnProgram, VerifyRunOptions } from '../../../runtime/run/chain.ts';
import type { RunVerdict } from '../../../runtime/run/verdict.ts';
import { samplingSeed, stepContext } from '../../../runtime/run/header.ts';
import { createSampler } from '../../../runtime/run/sampling.ts';
import { exactStep, firstState, readState, stateWeights, stepInputs } from '../../../models/train/integers.ts';
import { phaseProgram } from '../../../models/run/phase.ts';
import { train, type TrainEvent, type TrainInput } from '../../../models/run/train.ts';
import { readNumbers } from '../../../models/train/data.ts';
import { weightsOfSeed } from '../../../models/train/start.ts';
import { memoryStore, readHeader, runFiles } from '../../../models/run/store.ts';
import { ownProgram } from '../../../models/run/verify.ts';
import { readSafetensors } from '../../../models/files/safetensors.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { testDevice } from '../../kit/devices.ts';
import {
  adapter,
  calibration,
  data,
  changed,
  file,
  headerOf,
  withHeader,
  type Store,
  inputOf,
  model,
  seed,
  text,
  twoData,
  twoRows,
  trainRun,
  verdictOf,
} from './toy.ts';

let device: Device;
/** Three steps, all proved, from a seed. */
let whole: Store;

beforeAll(async () => {
  device = await testDevice();
  whole = await trained({ nonce: 'beef' });
});
afterAll(() => device.close());

const trained = (changes?: Partial<TrainInput>, store?: Store): Promise<Store> => trainRun(device, changes, store);
const verify = (store: Store, options?: Partial<VerifyRunOptions>): Promise<RunVerdict> =>
  verdictOf(device, store, options);

test('a run is accepted, and says what it is', async () => {
  const verdict = await verify(whole, { nonce: 'BEEF' });
  if (!verdict.ok) throw new Error(verdict.reason);
  expect(verdict).toMatchObject({ steps: 3, began: 'seed', order: 'unpinned', links: [] });
  expect(verdict.phases).toHaveLength(1);
  expect(verdict.phases[0].gradients).toEqual([
    { key: 'adapter:m.lora_A.weight.grad', bits: 12, frac: 8 },
    { key: 'adapter:m.lora_B.weight.grad', bits: 12, frac: 8 },
  ]);
  expect(verdict.phases[0].cotangents).toEqual([
    { key: 'loss.grad', bits: 10, frac: 6 },
    { key: 'u.grad', bits: 12, frac: 8 },
  ]);
  expect(verdict.start).toBe((await headerOf(whole)).commitments['state']);
  const { model: own } = phaseProgram(model, calibration);
  const inputs = stepInputs(own, await readNumbers(own, new Map([['data', data]])));
  let state = firstState(own, weightsOfSeed(own, seed));
  const sampler = createSampler({ seed: samplingSeed(await headerOf(whole)), rows: 5, batch: 2 });
  for (let step = 0; step < 3; step++) {
    const made = await exactStep(own, inputs, state, { step, rows: sampler.rows(step) });
    expect(verdict.losses[step]).toEqual(made.losses);
    ({ state } = made);
  }
  const last = (await readSafetensors(bytesSource('state', file(whole, runFiles.state(3))))).reader;
  expect(stateWeights(own, await readState(own, last))).toEqual(stateWeights(own, state));
});

describe('is refused:', () => {
  const steps: [string, (store: Store) => Promise<Store> | Store, number | undefined, string][] = [
    ['a step twice', (s) => changed(s, { [runFiles.proof(1)]: file(s, runFiles.proof(0)) }), 1, 'another commitment'],
    [
      'two steps exchanged',
      (s) =>
        changed(s, {
          [runFiles.proof(1)]: file(s, runFiles.proof(2)),
          [runFiles.proof(2)]: file(s, runFiles.proof(1)),
        }),
      1,
      'another commitment',
    ],
    ['a step left out', (s) => changed(s, { [runFiles.proof(1)]: undefined }), 1, 'no proof'],
    ['the first step left out', (s) => changed(s, { [runFiles.proof(0)]: undefined }), 0, 'no proof'],
    ['another run’s name', (s) => withHeader(s, (h) => ({ ...h, id: 'ab'.repeat(32) })), 0, 'another context'],
    ['another nonce', (s) => withHeader(s, (h) => ({ ...h, nonce: 'be' })), 0, 'another context'],
    ['another seed', (s) => withHeader(s, (h) => ({ ...h, seed: '01'.repeat(32) })), undefined, 'the run names'],
    ['other rows', (s) => withHeader(s, (h) => ({ ...h, batch: 1 })), undefined, 'rows a step'],
    ['another model', (s) => withHeader(s, (h) => ({ ...h, model: '01'.repeat(32) })), undefined, 'of the model'],
    [
      'another program',
      (s) => withHeader(s, (h) => ({ ...h, phases: [{ ...h.phases[0], program: '01'.repeat(32) }] })),
      0,
      'the program of the text',
    ],
    [
      'other types',
      (s) =>
        withHeader(s, (h) => {
          const types = { ...h.phases[0].calibration, 'u.grad': { bits: 12, frac: 7 } };
          return { ...h, phases: [{ ...h.phases[0], calibration: types }] };
        }),
      0,
      'the program of the text',
    ],
    [
      'a commitment to other data',
      async (s) => {
        const [{ program }] = (await headerOf(s)).phases;
        const other = new Map([...data, ['x', { shape: [5, 3], values: new Float64Array(15) }]]);
        const { commitment } = await commit(file(s, runFiles.program(program)), 'data', other, { device });
        return changed(s, { [runFiles.commitment('data')]: commitment });
      },
      undefined,
      'the run names',
    ],
    [
      'a damaged proof',
      (s) => {
        const proof = file(s, runFiles.proof(2)).slice();
        proof[proof.length - 40] ^= 1;
        return changed(s, { [runFiles.proof(2)]: proof });
      },
      2,
      '',
    ],
  ];
  test.each(steps)('%s', async (_, change, step, reason) => {
    const verdict = await verify(await change(whole));
    expect(verdict).toMatchObject({ ok: false, verdict: 'rejected' });
    if (verdict.ok) return;
    expect(verdict.step).toBe(step);
    expect(verdict.reason).toContain(reason);
  });

  test('proofs by a text of the trainer’s', async () => {
    const faster = { ...model, text: text.replace('rate = 0.25', 'rate = 0.5') };
    const store = await trained({ model: faster, steps: 1 });
    expect(await verify(store)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is of the model') as string,
    });
    expect(await verify(store, { compile: (types) => ownProgram(faster, types) })).toMatchObject({ ok: true });
    // A header that says it is the verifier's does not help.
    const own = (await headerOf(whole)).model;
    const lied = await withHeader(store, (h) => ({ ...h, model: own }));
    expect(await verify(lied)).toMatchObject({ ok: false, step: 0 });
  });

  test('a program with an input that no rule of a run gives', async () => {
    const other = text.replace('  x[n, i] = X', '  public scale: fixed<8, 5>\n  x[n, i] = scale * X');
    const { bundle } = compile({ text: other, source: 'toy.zkl', calibration });
    const program = toHex(decodeBundle(bundle!).digest);
    const store = await withHeader(whole, (header) => ({ ...header, phases: [{ ...header.phases[0], program }] }));
    const verdict = await verify(store, {
      compile: (types) => ({ ...(ownProgram(model, types) as OwnProgram), bundle: bundle! }),
    });
    expect(verdict).toMatchObject({
      ok: false,
      verdict: 'unverified',
      reason: '"scale" is an input of every step that no rule gives',
    });
  });

  test('a run of no steps', async () => {
    expect(await verify(await trained({ steps: 0 }))).toMatchObject({ ok: false, verdict: 'unverified' });
  });

  test('a proof of the run, by its program, of rows that the rule does not say', async () => {
    const header = await headerOf(whole);
    const bytes = file(whole, runFiles.program(header.phases[0].program));
    const state = async (step: number) => ({
      opening: file(whole, runFiles.stateOpening(step)),
      weights: (await readSafetensors(bytesSource('state', file(whole, runFiles.state(step))))).reader,
    });
    const sources = [
      { source: 'data', opening: file(whole, runFiles.opening('data')), weights: data },
      { source: 'state', ...(await state(0)) },
    ];
    const prover = await createProver(bytes, { device, sources });
    const forged = async (step: number, rows: readonly number[], at: number): Promise<RunVerdict> => {
      const { proof } = await prover.prove(
        new Map([
          ['step', [step]],
          ['rows', rows],
        ]),
        { context: stepContext(header, at) },
      );
      return verify(
        changed(whole, { [runFiles.proof(0)]: proof, [runFiles.proof(1)]: undefined, [runFiles.proof(2)]: undefined }),
      );
    };
    const right = createSampler({ seed: samplingSeed(header), rows: 5, batch: 2 }).rows(0);
    // The forger does what an honest prover does, but for what is tested.
    expect(await forged(0, right, 0)).toMatchObject({ ok: true, steps: 1 });
    expect(await forged(0, right.toReversed(), 0)).toMatchObject({
      step: 0,
      reason: expect.stringContaining('the rule says') as string,
    });
    expect(await forged(1, right, 0)).toMatchObject({ step: 0, reason: 'its proof is of step 1' });
    expect(await forged(0, right, 1)).toMatchObject({ step: 0, reason: expect.stringContaining('context') as string });
  });
});

describe('interrupted at any point', () => {
  class Killed extends Error {}

  /** A store that is cut off after so many files; nothing of a file that is not there remains. */
  function mortal(store: Store, files: number): Store {
    return {
      ...store,
      write: async (list) => {
        for (const one of list) {
          if (files-- <= 0) throw new Killed();
          await store.write([one]);
        }
      },
    };
  }

  /** Files of a run of two steps, and how many of them are written before there is a header. */
  const [ALL, BEFORE] = [13, 6];

  test('a run begins again where there was no header yet', async () => {
    const store = memoryStore();
    await expect(trained({ steps: 1 }, mortal(store, BEFORE))).rejects.toBeInstanceOf(Killed);
    expect(await readHeader(store)).toBeUndefined();
    await trained({ steps: 1 }, store);
    expect(await verify(store)).toMatchObject({ ok: true, steps: 1 });
  });

  test('a run goes on to the same adapter, and is accepted', async () => {
    const two = { model: twoRows, sources: new Map([['data', twoData]]), nonce: 'beef', steps: 2 };
    const last = file(await trained({ ...two, prove: 'none' }), runFiles.state(2));
    const openings = [1, 2].map(runFiles.stateOpening);
    for (const files of [7, 8, 9, 11, ALL]) {
      const store = memoryStore();
      const run = trained(two, mortal(store, files));
      if (files < ALL) await expect(run, `${files}`).rejects.toBeInstanceOf(Killed);
      else await run;
      const before = new Map(store.files);
      await trained({ ...two, start: undefined, calibration: undefined }, store);
      expect(await verify(store, { compile: (of) => ownProgram(twoRows, of) }), `${files}`).toMatchObject({
        ok: true,
        steps: 2,
      });
      expect(file(store, runFiles.state(2))).toEqual(last);
      // What a proof may have been made with is never made again.
      for (const [name, bytes] of before) {
        const isAlone = openings.includes(name) && !before.has(name.replace('.zko', '.safetensors'));
        if (!isAlone) expect(store.files.get(name), name).toEqual(bytes);
      }
    }
  });
});

describe('later', () => {
  test('steps are proved in any order, and longer runs go on', async () => {
    const store = await trained({ steps: 2, prove: 'none' });
    expect(store.files.has(runFiles.proof(0))).toBe(false);
    await trained({ steps: 0, prove: [1, 1] }, store);
    expect(await verify(store)).toMatchObject({
      ok: false,
      step: 0,
      reason: expect.stringContaining('no proof') as string,
    });
    await trained({ steps: 3 }, store);
    expect(await verify(store)).toMatchObject({ ok: true, steps: 3 });
    await expect(trained({ steps: 0, prove: [2, 3] }, store)).rejects.toThrow(
      'the run has 3 steps, none of the number 3',
    );
    await expect(trained({ steps: 41 }, store)).rejects.toThrow('the program counts 40 steps');
  });

  test('nothing is written over states whose header is lost, and another adapter is not taken for the first', async () => {
    const store = await trained({ steps: 1, prove: 'none' });
    const lost = changed(store, { [runFiles.header]: undefined });
    const before = new Map(lost.files);
    await expect(trained({ steps: 1 }, lost)).rejects.toThrow('there are states of a run, and no run.json');
    expect(lost.files).toEqual(before);
    await expect(trained({ steps: 2, start: { adapter } }, store)).rejects.toThrow(
      'the run began with another adapter',
    );
    const further = await trained({ steps: 1, start: { adapter }, prove: 'none' });
    await trained({ steps: 2, start: { adapter }, prove: 'none' }, further);
    expect(further.files.has(runFiles.state(2))).toBe(true);
  });

  test('a source may have the name of the file of the first state', async () => {
    const named = { ...model, text: text.replace('source data', 'source start').replaceAll('from data', 'from start') };
    const store = await trained({ model: named, sources: new Map([['start', data]]), steps: 1 });
    expect(await verify(store, { compile: (of) => ownProgram(named, of) })).toMatchObject({ ok: true, steps: 1 });
  });

  test('a proof that is damaged, or of a state that was lost, is made again', async () => {
    const store = await trained({ steps: 2 });
    const lost = [runFiles.state(1), runFiles.stateOpening(1), runFiles.state(2), runFiles.stateOpening(2)];
    const copy = changed(store, Object.fromEntries(lost.map((name) => [name, undefined])));
    await trained({ steps: 2 }, copy);
    expect(await verify(copy)).toMatchObject({ ok: true, steps: 2 });
    const cut = file(copy, runFiles.proof(1)).subarray(0, 300);
    const damaged = changed(copy, { [runFiles.proof(1)]: cut, [runFiles.proof(0)]: file(store, runFiles.proof(0)) });
    await trained({ steps: 0, prove: [0, 1] }, damaged);
    expect(await verify(damaged)).toMatchObject({ ok: true, steps: 2 });
    expect(file(damaged, runFiles.state(2))).toEqual(file(store, runFiles.state(2)));
  });

  test('other data, another model and a nonce that comes too late are refused', async () => {
    const store = await trained({ steps: 1, prove: 'none' });
    const other = new Map([...data, ['x', { shape: [5, 3], values: new Float64Array(15) }]]);
    const sources = new Map([['data', other]]);
    await expect(trained({ sources, steps: 2, prove: 'none' }, store)).rejects.toThrow('not the ones this opening');
    const faster = { ...model, text: text.replace('rate = 0.25', 'rate = 0.5') };
    await expect(trained({ model: faster }, store)).rejects.toThrow('begun with another model');
    await expect(trained({ nonce: 'beef' }, store)).rejects.toThrow('when the first step was made');
    const early = await trained({ steps: 0 });
    await trained({ steps: 1, nonce: 'beef' }, early);
    expect(await verify(early, { nonce: 'beef' })).toMatchObject({ ok: true, order: 'unpinned' });
  });
});

describe('a value that does not fit', () => {
  const two = { model: twoRows, sources: new Map([['data', twoData]]) };
  const types = (key: string, bits: number) => ({ ...two, calibration: { ...calibration, [key]: { bits, frac: 6 } } });
  const compile: VerifyRunOptions['compile'] = (of) => ownProgram(twoRows, of);

  test('begins a new phase, which the report names', async () => {
    const store = memoryStore();
    const events: TrainEvent[] = [];
    await train(store, inputOf(device, { ...types('u.grad', 6), steps: 3 }), (event) => events.push(event));
    expect(events.filter(({ kind }) => kind === 'phase')).toMatchObject([
      { first: 2, because: expect.stringContaining('u.grad[') as string },
    ]);
    const verdict = await verify(store, { compile });
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.phases.map(({ first }) => first)).toEqual([0, 2]);
    expect(verdict.phases[1].changed.find(({ key }) => key === 'u.grad')?.before).toEqual({ bits: 6, frac: 6 });
    // States stay in their types: they are what the steps before them put out.
    expect(
      verdict.phases[1].changed.filter(({ key, before }) => key.endsWith('.state') && before !== undefined),
    ).toEqual([]);
    expect(await verify(store, { compile, phases: 2 })).toMatchObject({ ok: true });
    expect(await verify(store, { compile, phases: 1 })).toMatchObject({
      ...{ ok: false, step: 2, reason: 'the run has 2 phases, 1 are allowed' },
    });
    const shifted = await withHeader(store, (h) => ({ ...h, phases: [h.phases[0], { ...h.phases[1], first: 3 }] }));
    expect(await verify(shifted, { compile })).toMatchObject({ ok: false, step: 2 });
  });

  test('at the first step replaces the scales that the run began with', async () => {
    const store = await trained({ ...types('adapter:m.lora_B.weight.grad', 5), steps: 1 });
    expect((await headerOf(store)).phases.map(({ first }) => first)).toEqual([0]);
    expect(await verify(store, { compile })).toMatchObject({ ok: true, steps: 1 });
  });

  test('ends a run whose values grow without an end, and says so', async () => {
    const wild = { ...model, text: text.replace('rate = 0.25', 'rate = 0.9'), overrides: { M: 2 } };
    const run = trained({ ...two, model: wild, steps: 12, prove: 'none' });
    await expect(run).rejects.toThrow(/^training diverges: in float64 \S+ reaches \S+ at step \d+$/);
  });

  test('ends a run that may have no more phases', async () => {
    const store = memoryStore();
    const run = trained({ ...types('u.grad', 6), steps: 3, phases: 1, prove: 'none' }, store);
    await expect(run).rejects.toThrow(/u\.grad.*the run has 1 phase, and may have no more/);
    expect(store.files.has(runFiles.state(2))).toBe(true);
    await trained({ ...two, steps: 3, prove: 'none' }, store);
    expect((await headerOf(store)).phases.map(({ first }) => first)).toEqual([0, 2]);
  });
});
