/** What a verdict on a run says of the order of rows and of types, and whose word that rests on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import type { VerifyRunOptions } from '../../../runtime/run/chain.ts';
import { samplingSeed } from '../../../runtime/run/header.ts';
import type { RunVerdict } from '../../../runtime/run/verdict.ts';
import type { TrainInput } from '../../../models/run/train.ts';
import { testDevice } from '../../kit/devices.ts';
import { headerOf, trainRun, verdictOf, withHeader, type Store } from './toy.ts';

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
