/** An adapter of a run under its ordinary commitment. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { readSafetensors } from '../../../models/files/safetensors.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { exportAdapter, stateLayout } from '../../../models/run/export.ts';
import { linkBundle } from '../../../models/run/link.ts';
import { phaseProgram } from '../../../models/run/phase.ts';
import { runFiles } from '../../../models/run/store.ts';
import type { TrainInput } from '../../../models/run/train.ts';
import { encodeState, readState } from '../../../models/train/integers.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import type { VerifyRunOptions } from '../../../runtime/run/chain.ts';
import { linkContext } from '../../../runtime/run/header.ts';
import type { RunVerdict } from '../../../runtime/run/verdict.ts';
import { toHex } from '../../../runtime/verifier/verdict.ts';
import { weightsOf } from '../../../runtime/weights.ts';
import { testDevice } from '../../kit/devices.ts';
import {
  adapter,
  calibration,
  changed,
  file,
  headerOf,
  model,
  type Store,
  trainRun,
  verdictOf,
  withHeader,
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

describe('the adapter of a run', () => {
  const reader = {
    names: () => adapter.keys(),
    shape: (name: string) => adapter.get(name)?.shape,
    read: (name: string) => adapter.get(name)!.values,
  };

  test('is linked to its commitment, at both ends', async () => {
    const store = await trained({ start: { adapter: reader }, steps: 2, adapterConfig: '{}' });
    const made = await exportAdapter(store, { device });
    const again = await exportAdapter(store, { device });
    expect(again.commitment).toEqual(made.commitment);
    const verdict = await verify(store);
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.began).toBe('linked');
    expect(verdict.links.map(({ step }) => step)).toEqual([0, 2]);
    expect(verdict.links[1].adapter).toBe(made.digest);
    const { tensors } = await readSafetensors(bytesSource('adapter', made.tensors));
    expect([...tensors.keys()].sort()).toEqual([
      'base_model.model.m.lora_A.weight',
      'base_model.model.m.lora_B.weight',
    ]);

    // A link of another state, or to another adapter, is none.
    const [name, commitment] = [runFiles.link(2), runFiles.linkCommitment(2)];
    const moved = changed(store, {
      [name]: undefined,
      [commitment]: undefined,
      [runFiles.link(1)]: file(store, name),
      [runFiles.linkCommitment(1)]: file(store, commitment),
    });
    expect(await verify(moved)).toMatchObject({
      ok: false,
      step: 1,
      reason: expect.stringContaining('link') as string,
    });
    const other = changed(store, { [commitment]: file(store, runFiles.linkCommitment(0)) });
    expect(await verify(other)).toMatchObject({
      ok: false,
      step: 2,
      reason: expect.stringContaining('link') as string,
    });
  });

  test('is not another one, of which a link is proved all the same', async () => {
    const header = await headerOf(whole);
    const bundle = linkBundle(stateLayout(decodeBundle(file(whole, runFiles.program(header.phases[0].program)))));
    const state = (await readSafetensors(bytesSource('state', file(whole, runFiles.state(3))))).reader;
    const { opening, commitment } = await commit(bundle, 'adapter', adapter, { device });
    const sources = [
      { source: 'adapter', opening, weights: adapter },
      { source: 'state', opening: file(whole, runFiles.stateOpening(3)), weights: state },
    ];
    const prover = await createProver(bundle, { device, sources });
    const { proof } = await prover.prove(new Map(), { context: linkContext(header, 3) });
    const forged = changed(whole, { [runFiles.link(3)]: proof, [runFiles.linkCommitment(3)]: commitment });
    const verdict = await verify(forged);
    expect(verdict).toMatchObject({ ok: false, step: 3 });
    if (!verdict.ok) expect(verdict.reason).toMatch(/the adapter is not the state's: .* not 0$/);
  });

  test('and an optimizer that began otherwise are no beginning', async () => {
    const begun = await trained({ start: { adapter: reader }, steps: 0 });
    const header = await headerOf(begun);
    const bundle = file(begun, runFiles.program(header.phases[0].program));
    const { reader: numbers, tensors } = await readSafetensors(bytesSource('state', file(begun, runFiles.state(0))));
    const state = new Map<string, { shape: readonly number[]; values: Float64Array }>();
    for (const [name, { shape }] of tensors)
      state.set(name, { shape, values: Float64Array.from(await numbers.read(name)) });
    state.get('m:m.lora_A.weight')!.values[1] = 0.5;
    const { opening, commitment, digest } = await commit(bundle, 'state', state, { device });
    const { model: own } = phaseProgram(model, calibration);
    const integers = await readState(own, weightsOf('state', state, [...state.keys()]));
    const moved = changed(begun, {
      [runFiles.state(0)]: encodeState(own, integers),
      [runFiles.stateOpening(0)]: opening,
      [runFiles.commitment('state')]: commitment,
    });
    const forged = await withHeader(moved, (h) => ({ ...h, commitments: { ...h.commitments, state: toHex(digest) } }));
    await trained({ steps: 1 }, forged);
    const verdict = await verify(forged);
    expect(verdict).toMatchObject({ ok: false, step: 0 });
    // 0.5 is 128 of its type's units.
    if (!verdict.ok) expect(verdict.reason).toMatch(/the adapter is not the state's: ds\d+ is 16384, not 0$/);
    const without = changed(forged, { [runFiles.link(0)]: undefined, [runFiles.linkCommitment(0)]: undefined });
    expect(await verify(without)).toMatchObject({ ok: true, began: 'committed' });
  });

  test('without a link at its start a run says less', async () => {
    const store = await trained({ start: { adapter: reader }, steps: 1, prove: 'none' });
    await trained({ steps: 0, prove: [0, 0] }, store);
    expect(await verify(store)).toMatchObject({ ok: true, began: 'committed' });
  });
});
