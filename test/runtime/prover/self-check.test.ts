/** The prover verifies what it has made: a fault of the machine or of an opening stops a proof before it is given out. */
import { afterAll, describe, expect, test } from 'vitest';
import { decodeOpening, encodeOpening } from '../../../runtime/codec/files.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commit, createProver, SelfCheckError, type WeightMap } from '../../../runtime/prover/index.ts';
import { createVerifier } from '../../../runtime/verifier/index.ts';
import { testDevice } from '../../kit/devices.ts';
import { bundleOf } from '../../soundness/fixture.ts';

const device = await testDevice();
afterAll(() => device.close());

const bundle = bundleOf(`model m { dim N = 3, M = 5
  public x[N]: fixed<6, 2>
  open W[M, N]: fixed<6, 2> from base "W"
  secret A[M, N]: fixed<6, 2> from adapter "A"
  y[j] = round<12, 2>(sum(i) W[j, i] * x[i])
  public z[j] = y[j] + sum(i) A[j, i] * x[i] }`);
const matrix = (name: string): WeightMap =>
  new Map([[name, { shape: [5, 3], values: Float64Array.from({ length: 15 }, (_, i) => (i - 7) / 4) }]]);
const weights = { base: matrix('W'), adapter: matrix('A') };
const inputs = new Map([['x', [1, -2, 3]]]);

async function prover(on: Device) {
  const [base, adapter] = [
    await commit(bundle, 'base', weights.base, { device }),
    await commit(bundle, 'adapter', weights.adapter, { device }),
  ];
  const sources = [
    { source: 'base', opening: base.opening, weights: weights.base },
    { source: 'adapter', opening: adapter.opening, weights: weights.adapter },
  ];
  return { base, adapter, sources, prover: await createProver(bundle, { device: on, sources }) };
}

/** A device that computes one number of one sumcheck round wrongly: the last that is asked for. */
const faulty = (at: number): { device: Device; rounds: () => number } => {
  let rounds = 0;
  return {
    rounds: () => rounds,
    device: {
      ...device,
      async round(...args) {
        const [first, ...rest] = await device.round(...args);
        return rounds++ === at ? [first + 1n, ...rest] : [first, ...rest];
      },
    },
  };
};

describe('a prover that checks its proofs', () => {
  test('gives out the same bytes as one that does not', async () => {
    const made = await prover(device);
    const entropy = new Uint8Array(32).fill(3);
    const { proof } = await made.prover.prove(inputs, { entropy });
    expect(proof).toEqual((await made.prover.prove(inputs, { entropy, check: false })).proof);
    const expected = { sources: { base: made.base.digest, adapter: made.adapter.digest } };
    const verifier = await createVerifier(bundle, { device, expect: expected });
    for (const { commitment } of [made.base, made.adapter]) expect((await verifier.register(commitment)).ok).toBe(true);
    expect((await verifier.verify(proof)).ok).toBe(true);
    verifier.close();
  });

  test('gives out none where the device was wrong once, wherever that was', async () => {
    const counted = faulty(-1);
    await (await prover(counted.device)).prover.prove(inputs, { check: false });
    for (const at of [0, counted.rounds() >> 1, counted.rounds() - 1]) {
      const { prover: own } = await prover(faulty(at).device);
      await expect(own.prove(inputs)).rejects.toThrow(SelfCheckError);
    }
  });
});

test('an opening with another seed and a right check sum is not found by its prover, but by every verifier', async () => {
  const made = await prover(device);
  const opening = decodeOpening(made.adapter.opening);
  const wrong = encodeOpening({ ...opening, seed: opening.seed.map((b) => b ^ 1) });
  const own = await createProver(bundle, {
    device,
    sources: [made.sources[0], { ...made.sources[1], opening: wrong }],
  });
  const { proof } = await own.prove(inputs);
  const expected = { sources: { base: made.base.digest, adapter: made.adapter.digest } };
  const verifier = await createVerifier(bundle, { device, expect: expected });
  for (const { commitment } of [made.base, made.adapter]) await verifier.register(commitment);
  expect(await verifier.verify(proof)).toMatchObject({ ok: false, verdict: 'rejected' });
  verifier.close();
});
