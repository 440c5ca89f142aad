/** Whole proofs: with fixed entropy every device makes the same bytes, and verifies what the others made. */
import { beforeAll, expect, it } from 'vitest';
import { compile, commit, createProver, createVerifier } from '../../../index.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import type { WeightMap } from '../../../runtime/prover/index.ts';
import { inputs, numbers, smallBundle, weights } from '../../support/small.ts';
import { describeDevices } from './devices.ts';

/** A square of a secret, a guard and a shifted view: triples, masks and views besides plain products. */
const squares = `model squares at "m" {
  dim T = 3, N = 21
  public x[T, N]: fixed<8, 4>
  secret A[T, N]: fixed<12, 6> from adapter "A"
  public y[t, i] = if i >= t then A[t, i] * A[t, i - t] * x[t, i] else A[t, i]
}`;

/** Rounding of products and quotients, a table that saturates, a maximum and its index, secret indices, open weights. */
const parts = `table decay(x: fixed<6, 3> in [-3, 0] saturate) -> fixed<8, 6> = exp(x)

model parts at "m" {
  dim T = 3, V = 5, D = 6
  secret tokens[T]: index<V>
  public x[T, D]: fixed<8, 4>
  open   E[V, D]: fixed<8, 6> from base "E"
  secret A[D, D]: fixed<8, 6> from adapter "A"

  h[t, d]        = round<8, 4>(E[tokens[t], d] + sum(i) x[t, i] * A[i, d])
  m[t]           = max(d) h[t, d]
  w[t, d]        = decay(round(h[t, d] - m[t]))
  n[t]           = sum(d) w[t, d]
  public r[t]    = round<10, 8>(1 / n[t])
  public best[t] = argmax(d) h[t, d]
}`;

function bundleOf(text: string): Uint8Array {
  const { bundle, diagnostics } = compile({ text, source: 'proofs.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => d.title).join('; '));
  return bundle;
}

interface Case {
  readonly name: string;
  readonly bundle: Uint8Array;
  readonly weights: Readonly<Record<string, WeightMap>>;
  readonly inputs: ReadonlyMap<string, readonly number[]>;
}

const cases: readonly Case[] = [
  { name: 'an adapter', bundle: smallBundle(), weights: { adapter: weights }, inputs },
  {
    name: 'products of secrets',
    bundle: bundleOf(squares),
    weights: { adapter: new Map([['m.A', { shape: [3, 21], values: numbers(63) }]]) },
    inputs: new Map([['x', numbers(63)]]),
  },
  {
    name: 'lookups and open weights',
    bundle: bundleOf(parts),
    weights: {
      base: new Map([['m.E', { shape: [5, 6], values: numbers(30) }]]),
      adapter: new Map([['m.A', { shape: [6, 6], values: numbers(36) }]]),
    },
    inputs: new Map([
      ['tokens', [4, 0, 2]],
      ['x', numbers(18)],
    ]),
  },
];

const entropy = new Uint8Array(32).fill(7);

async function prove(
  device: Device,
  c: Case,
  treeMemory?: number,
): Promise<{ commitments: Uint8Array[]; digests: Record<string, Uint8Array>; proof: Uint8Array }> {
  const commitments: Uint8Array[] = [];
  const digests: Record<string, Uint8Array> = {};
  const sources = [];
  for (const [source, own] of Object.entries(c.weights)) {
    const { commitment, opening, digest } = await commit(c.bundle, source, own, { device, entropy, treeMemory });
    commitments.push(commitment);
    digests[source] = digest;
    sources.push({ source, opening, weights: own });
  }
  const prover = await createProver(c.bundle, { device, sources, treeMemory });
  const { proof } = await prover.prove(c.inputs, { entropy });
  return { commitments, digests, proof };
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
    const { commitments, digests, proof } = expected.get(c.name)!;
    expect(made.commitments.map((own, i) => Buffer.compare(own, commitments[i]))).toEqual(commitments.map(() => 0));
    expect(Buffer.compare(made.proof, proof)).toBe(0);
    const verifier = await createVerifier(c.bundle, { device: device(), expect: { sources: digests } });
    for (const commitment of commitments) expect(await verifier.register(commitment)).toEqual({ ok: true });
    expect(await verifier.verify(proof)).toMatchObject({ ok: true });
    verifier.close();
  });
});

it.each(cases)('$name: the same bytes where memory for the tree is short', async (c) => {
  const device = await createWasmDevice({ threads: 1 });
  expect(await prove(device, c, 2 ** 14)).toEqual(expected.get(c.name));
  await device.close();
});
