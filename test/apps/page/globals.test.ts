/** The verifier needs nothing that a browser tab does not have. */
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { commit, createProver, createWasmDevice } from '../../../index.ts';
import type { TabInput, TabOutput } from './tab.ts';
import { inputs, smallBundle, weights } from '../../support/small.ts';

const open = (input: TabInput): Promise<TabOutput> =>
  new Promise((resolve, reject) => {
    const tab = new Worker(new URL('./tab.ts', import.meta.url), { workerData: input, execArgv: [] });
    tab.once('message', resolve);
    tab.once('error', reject);
  });

describe('in a browser tab', () => {
  let files: Pick<TabInput, 'bundle' | 'commitment' | 'proofs'>;
  beforeAll(async () => {
    const device = await createWasmDevice({ threads: 1 });
    const bundle = smallBundle();
    const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
    const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
    const { proof } = await prover.prove(inputs);
    const changed = proof.slice();
    changed[changed.length - 100] ^= 1;
    files = { bundle, commitment, proofs: [proof, changed] };
    await device.close();
  });

  test.each([
    ['without shared memory', { isolated: false }, 'wasm (1 thread)'],
    ['that is cross-origin isolated, two threads', { isolated: true, threads: 2 }, 'wasm (2 threads)'],
  ])('%s, a proof is accepted and a changed one rejected', async (_, kind, name) => {
    const { device, registered, verdicts } = await open({ ...kind, ...files });
    expect(device).toBe(name);
    expect(registered).toBe(true);
    expect(verdicts).toEqual(['accepted', 'the linear form of the response does not match']);
  });
});
