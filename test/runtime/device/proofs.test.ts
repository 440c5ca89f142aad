/** Whole proofs: with fixed entropy every device makes the same bytes, and verifies what the others made. */
import { beforeAll, expect, it } from 'vitest';
import { compile, commit, createProver, createVerifier } from '../../../index.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { inputs, numbers, smallBundle, weights } from '../../support/small.ts';
import { describeDevices } from './devices.ts';

/** A square of a secret, a guard and a shifted view: triples, masks and views besides plain products. */
const squares = `model squares at "m" {
  dim T = 3, N = 21
  public x[T, N]: fixed<8, 4>
  secret A[T, N]: fixed<12, 6> from adapter "A"
  public y[t, i] = if i >= t then A[t, i] * A[t, i - t] * x[t, i] else A[t, i]
}`;

function squaresBundle(): Uint8Array {
  const { bundle, diagnostics } = compile({ text: squares, source: 'squares.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => d.title).join('; '));
  return bundle;
}

const cases = [
  { name: 'an adapter', bundle: smallBundle(), weights, inputs },
  {
    name: 'products of secrets',
    bundle: squaresBundle(),
    weights: new Map([['m.A', { shape: [3, 21], values: numbers(63) }]]),
    inputs: new Map([['x', numbers(63)]]),
  },
] as const;

const entropy = new Uint8Array(32).fill(7);

async function prove(device: Device, c: (typeof cases)[number]) {
  const files = await commit(c.bundle, 'adapter', c.weights, { device, entropy });
  const sources = [{ opening: files.opening, weights: c.weights }];
  const prover = await createProver(c.bundle, { device, sources });
  const { proof } = await prover.prove(c.inputs, { entropy });
  return { commitment: files.commitment, proof };
}

const expected = new Map<string, Awaited<ReturnType<typeof prove>>>();

beforeAll(async () => {
  const device = await createWasmDevice({ threads: 1 });
  for (const c of cases) expected.set(c.name, await prove(device, c));
  await device.close();
});

describeDevices('whole proofs', (device) => {
  it.each(cases)('$name: the same bytes, verified', async (c) => {
    const made = await prove(device(), c);
    const { commitment, proof } = expected.get(c.name)!;
    expect(Buffer.compare(made.commitment, commitment)).toBe(0);
    expect(Buffer.compare(made.proof, proof)).toBe(0);
    const verifier = await createVerifier(c.bundle, { device: device() });
    expect(await verifier.register(commitment)).toEqual({ ok: true });
    expect(await verifier.verify(proof)).toMatchObject({ ok: true });
    verifier.close();
  });
});
