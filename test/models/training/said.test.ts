/** What a verdict on a run says of the order of rows and of types, and whose word that rests on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import type { VerifyRunOptions } from '../../../runtime/run/chain.ts';
import { samplingSeed } from '../../../runtime/run/header.ts';
import type { RunVerdict } from '../../../runtime/run/verdict.ts';
import type { TrainInput } from '../../../models/run/train.ts';
import { resolveStandard } from '../../../compiler/standard/index.ts';
import { phaseProgram } from '../../../models/run/phase.ts';
import { ownProgram } from '../../../models/run/verify.ts';
import { testDevice } from '../../kit/devices.ts';
import { calibration, headerOf, model, seed, text, trainRun, verdictOf, withHeader, type Store } from './toy.ts';

let device: Device;
/** Two steps, all proved, from a seed. */
let whole: Store;

beforeAll(async () => {
  device = await testDevice();
  whole = await trained({ nonce: 'beef', steps: 2 });
});
afterAll(() => device.close());

const trained = (changes?: Partial<TrainInput>, store?: Store): Promise<Store> => trainRun(device, changes, store);
const verify = (store: Store, options?: Partial<VerifyRunOptions>): Promise<RunVerdict> =>
  verdictOf(device, store, options);

test('what a header says of types that the program has not is no part of the report', async () => {
  const types = Object.fromEntries(['a:b.grad', 'a.grad', 'a'].map((key) => [key, { bits: 9, frac: -9 }]));
  const store = await withHeader(whole, ({ phases: [phase], ...h }) => {
    const calibration = { ...phase.calibration, ...types };
    return { ...h, phases: [phase, { ...phase, first: 1, calibration }] };
  });
  const verdict = await verify(store);
  if (!verdict.ok) throw new Error(verdict.reason);
  const [{ first: _, ...one }, { first, ...other }] = verdict.phases;
  expect(first).toBe(1);
  expect(other).toEqual(one);
});

test('without the nonce of the customer the order is the trainer’s', async () => {
  expect(await verify(whole)).toMatchObject({ ok: true, order: 'trainer' });
  expect(await verify(whole, { nonce: 'beee' })).toMatchObject({
    ok: false,
    reason: expect.stringContaining('nonce') as string,
  });
  const without = await trained({ steps: 1 });
  expect(await verify(without, { nonce: 'beef' })).toMatchObject({
    ok: false,
    reason: expect.stringContaining('no nonce') as string,
  });
});

describe('who knows the nonce before the commitments', () => {
  test('may have made them again, unless their digests are given', async () => {
    const { data: own, state } = (await headerOf(whole)).commitments;
    const order = async (sources: VerifyRunOptions['sources']): Promise<unknown> =>
      verify(whole, { nonce: 'beef', sources }).then((v) => (v.ok ? v.order : v.reason));
    expect(await order({ data: own, state })).toBe('customer');
    expect(await order({ data: own })).toBe('unpinned');
    expect(await order({ state })).toBe('unpinned');
    expect(await order({ data: own, state: own })).toBe(`the first state has the digest ${state}, ${own} is expected`);
    expect(await order({ data: state, state })).toContain('is expected (pinned)');
    expect(await verify(whole, { sources: { data: own, state } })).toMatchObject({ ok: true, order: 'trainer' });
  });

  test('has no other commitment to try until the order suits', async () => {
    const begun = await trained({ steps: 0 });
    const ground = await withHeader(begun, (h) => ({
      ...h,
      commitments: { ...h.commitments, more: 'ab'.repeat(32) },
    }));
    const store = await trained({ steps: 1, nonce: 'beef' }, ground);
    const [right, wrong] = [begun, store].map(headerOf).map(async (h) => samplingSeed({ ...(await h), nonce: 'beef' }));
    expect(await wrong).not.toEqual(await right);
    expect(await verify(store, { nonce: 'beef' })).toMatchObject({
      ...{ ok: false, verdict: 'rejected' },
      reason: 'the run names a commitment to "more", from which no step reads',
    });
  });
});

test('a run that began elsewhere than its seed says is refused for that alone', async () => {
  const other = new Uint8Array(32).fill(9);
  const begun = await trained({ steps: 0, start: { seed: other } });
  const store = await trained(
    { steps: 1 },
    await withHeader(begun, (h) => ({ ...h, seed: Buffer.from(seed).toString('hex') })),
  );
  expect(await verify(store)).toMatchObject({ ok: false, reason: expect.stringContaining('the run names') as string });
  const compile: VerifyRunOptions['compile'] = (types) => {
    const own = ownProgram(model, types);
    return typeof own === 'string' ? own : { ...own, start: () => own.start(other) };
  };
  expect(await verify(store, { compile })).toMatchObject({ ok: true, steps: 1 });
});

test('every number of an optimizer is part of the program', () => {
  const usual = { rate: '1e-3', beta1: '0.9', beta2: '0.999', eps: '2 ^ -27', decay: '0.01', limit: '2', steps: '40' };
  const programOf = (changes: Partial<typeof usual> = {}): string => {
    const { steps, ...constants } = { ...usual, ...changes };
    const call = Object.entries(constants).map(([name, value]) => `${name} = ${value}`);
    const library = `import { clipped_adamw } from "std"\n${text.slice(text.indexOf('model toy'))}`
      .replace(/momentum\(.*\)/, `clipped_adamw(${call.join(', ')})`)
      .replace('index<40>', `index<${steps}>`);
    return phaseProgram({ text: library, source: 'toy.zkl', resolveImport: resolveStandard }, calibration).digest;
  };
  const others: readonly Partial<typeof usual>[] = [
    ...[{ rate: '2e-3' }, { rate: '1e-3 * (step + 1)' }, { beta1: '0.8' }, { beta2: '0.99' }, { eps: '2 ^ -26' }],
    ...[{ decay: '0' }, { limit: '1' }, { steps: '41' }],
  ];
  const programs = [{}, ...others].map(programOf);
  expect(new Set(programs).size).toBe(programs.length);
});
