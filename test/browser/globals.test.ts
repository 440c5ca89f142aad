/** The verifier needs nothing that a browser tab does not have. */
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { commit, compile, createProver, createWasmDevice } from '../../index.ts';
import type { TabInput, TabOutput } from './tab.ts';

const text = `model small at "m" {
  dim T = 2, I = 5, O = 3, R = 2
  public x[T, I]: fixed<8, 4>
  secret A[R, I]: fixed<8, 6> from adapter "A"
  secret B[O, R]: fixed<8, 6> from adapter "B"
  u[t, r] = sum(i) x[t, i] * A[r, i]
  public y[t, o] = sum(r) u[t, r] * B[o, r]
}`;
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
const weights = new Map([
  ['m.A', { shape: [2, 5], values: numbers(10) }],
  ['m.B', { shape: [3, 2], values: numbers(6) }],
]);

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
    const bundle = compile({ text, source: 'small.zkl', resolveImport: () => undefined }).bundle!;
    const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
    const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
    const { proof } = await prover.prove(new Map([['x', numbers(10)]]));
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
