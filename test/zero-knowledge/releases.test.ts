/** Two releases may send different messages for one statement: even with equal entropy they never mask them with the same pads. */
import { afterAll, expect, test, vi } from 'vitest';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { decodeBody, pointList, scalarList, type Argument } from '../../runtime/protocol/argument.ts';
import { planProgram } from '../../runtime/protocol/program.ts';
import { planRange, planRangeArgument } from '../../runtime/protocol/commitment/range-proof.ts';
import { decodeCommitment, decodeProof } from '../../runtime/codec/files.ts';
import { testDevice } from '../kit/devices.ts';
import { entropyOf } from '../kit/draw.ts';
import { bundleOf } from '../soundness/fixture.ts';

const device = await testDevice();
afterAll(async () => {
  vi.doUnmock('../../compiler/bundle/version.ts');
  await device.close();
});

const bytes = bundleOf(`model m { dim N = 3
  public x[N]: fixed<6, 2>
  secret A[N]: fixed<6, 2> from adapter "A"
  public y = sum(i) A[i] * x[i] }`);
const { gadgets } = decodeBundle(bytes);
const weights = new Map([['A', { shape: [3], values: Float64Array.of(1, -0.5, 2) }]]);
const entropy = entropyOf(7);

/** What this release commits and proves with that entropy: every point and scalar that is masked. */
async function release(name: string): Promise<{ points: Uint8Array; range: string[]; proof: string[] }> {
  vi.resetModules();
  vi.doMock('../../compiler/bundle/version.ts', async (original) => ({ ...(await original<object>()), RELEASE: name }));
  const { commit, createProver } = await import('../../runtime/prover/index.ts');
  const made = await commit(bytes, 'adapter', weights, { device, entropy });
  const sources = [{ source: 'adapter', opening: made.opening, weights }];
  const prover = await createProver(bytes, { device, sources });
  const { proof } = await prover.prove(new Map([['x', [1, -2, 3]]]), { entropy });
  const { points, rangeProof } = decodeCommitment(made.commitment);
  const [source] = gadgets.sources;
  return {
    points,
    range: items(await planRangeArgument(source, planRange(source)), rangeProof),
    proof: items(await planProgram(gadgets), decodeProof(gadgets, proof).body),
  };
}

function items(argument: Argument, encoded: Uint8Array): string[] {
  const body = decodeBody(argument, encoded);
  if (typeof body === 'string') throw new Error(body);
  return [
    ...pointList(body.points).map((p) => Buffer.from(p).toString('hex')),
    ...scalarList(body.scalars).map(String),
  ];
}

test('no message of a proof or a range proof is masked alike by two releases', async () => {
  const [one, again, next] = [await release('0.1.0'), await release('0.1.0'), await release('0.1.1')];
  expect(again).toEqual(one);
  expect(next.points).toEqual(one.points);
  for (const part of ['range', 'proof'] as const) {
    expect(next[part]).toHaveLength(one[part].length);
    expect(next[part].filter((item) => one[part].includes(item))).toEqual([]);
  }
});
