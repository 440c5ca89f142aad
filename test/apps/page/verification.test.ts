/** What the page's engine says of a proof about open weights; no browser is needed for that. */
import { expect, test } from 'vitest';
import { commit, createProver, type WeightMap } from '../../../runtime/prover/index.ts';
import type { Update } from '../../../apps/page/messages.ts';
import { runVerification } from '../../../apps/page/worker/verify.ts';
import { testDevice } from '../../kit/devices.ts';
import { bundleOf } from '../../soundness/fixture.ts';

const device = await testDevice();
const bundle = bundleOf(`model m { dim N = 3
  public x[N]: fixed<6, 2>
  open W[N]: fixed<6, 2> from base "W"
  public z = sum(i) W[i] * x[i] }`);
const weights: WeightMap = new Map([['W', { shape: [3], values: [1, 2, -3] }]]);

test('open weights that nobody checked are named: nothing is accepted without a digest or a word of trust', async () => {
  const { commitment, opening, digest } = await commit(bundle, 'base', weights, { device });
  const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
  const { proof } = await prover.prove(new Map([['x', [1, 2, 3]]]));
  const verdictFor = async (...expected: string[]): Promise<unknown> => {
    const updates: Update[] = [];
    const files = { bundle, commitments: [{ name: 'c.zkc', bytes: commitment }], proof, context: '', expected };
    await runVerification(device, files, (update) => updates.push(update));
    const verdict = updates.find((u) => u.kind === 'verdict');
    return [verdict?.accepted, verdict?.text];
  };
  const hex = Buffer.from(digest).toString('hex');
  expect(await verdictFor()).toEqual([
    false,
    expect.stringMatching(/^Could not be verified: nobody has checked.*"base"/),
  ]);
  expect(await verdictFor(`base=${hex}`, '')).toEqual([
    true,
    expect.stringMatching(/^Accepted.*rests on the program [0-9a-f]{64}.*base \(the commitment that you expect\)/),
  ]);
  expect(await verdictFor(' base=trusted ')).toEqual([true, expect.stringContaining('base (trusted: nobody has')]);
  expect(await verdictFor(`base=${hex.replace(/^./, (c) => (c === '0' ? '1' : '0'))}`)).toEqual([
    false,
    expect.stringMatching(/^Rejected: c\.zkc: /),
  ]);
  await expect(verdictFor('base')).rejects.toThrow('neither SOURCE=DIGEST nor SOURCE=trusted');
});
