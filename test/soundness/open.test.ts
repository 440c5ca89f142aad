/** Commitments to open weights: what `checkOpenCommitment` accepts, and what a verifier takes on trust without it. */
import { describe, expect, test } from 'vitest';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { compress, Point } from '../../runtime/curve/spec.ts';
import { decodeCommitment, encodeCommitment } from '../../runtime/codec/files.ts';
import { checkOpenCommitment, commit, createProver, type WeightMap } from '../../runtime/prover/index.ts';
import { createVerifier, type Expected } from '../../runtime/verifier/index.ts';
import { testDevice } from '../kit/devices.ts';
import { bundleOf } from './fixture.ts';

const device = await testDevice();

const bundle = bundleOf(`model m { dim N = 3, M = 5
  public x[N]: fixed<6, 2>
  open W[M, N]: fixed<6, 2> from base "W"
  y[j] = round<12, 2>(sum(i) W[j, i] * x[i])
  public z[j] = y[j] }`);
const weights = (values: readonly number[]): WeightMap =>
  new Map([['W', { shape: [5, 3], values: Float64Array.from({ length: 15 }, (_, i) => (values[i] ?? i) / 4) }]]);
const honest = weights([]);

describe('a published commitment to open weights', () => {
  test('is checked against the weights', async () => {
    const { commitment } = await commit(bundle, 'base', honest, { device });
    const verdict = await checkOpenCommitment(bundle, commitment, honest, { device });
    expect(verdict.ok).toBe(true);
    expect(await checkOpenCommitment(bundle, commitment, weights([1]), { device })).toMatchObject({ ok: false });
  });

  test('is refused with anything in the slots outside, a blinding, or rows that are missing', async () => {
    const { commitment } = await commit(bundle, 'base', honest, { device });
    const file = decodeCommitment(commitment);
    const { generators, blinding } = await pointsOf();
    const first = Point.fromBytes(file.points.subarray(0, 48));
    const [source] = decodeBundle(bundle).gadgets.sources;
    const used = 2 ** source.tensors[0].axes.reduce((n, a) => n + a.columnBits, 0);
    expect(used).toBeGreaterThan(15);
    for (const extra of [generators[used - 1], blinding]) {
      const points = file.points.slice();
      points.set(compress(first.add(extra)), 0);
      const changed = encodeCommitment({ ...file, points });
      expect(await checkOpenCommitment(bundle, changed, honest, { device })).toMatchObject({ ok: false });
    }
    const short = encodeCommitment({ ...file, points: file.points.subarray(0, -48) });
    expect(await checkOpenCommitment(bundle, short, honest, { device })).toMatchObject({ ok: false });
  });

  test('has no range proof: one that has something there is rejected, not read past', async () => {
    const file = decodeCommitment((await commit(bundle, 'base', honest, { device })).commitment);
    const verifier = await createVerifier(bundle, { device, expect: {} });
    const verdict = await verifier.register(encodeCommitment({ ...file, rangeProof: new Uint8Array(32) }));
    expect(verdict).toMatchObject({ ok: false, reason: 'the commitment is to open tensors, and has a range proof' });
    verifier.close();
  });

  test('may have more rows than the platform gives random bytes for at once', async () => {
    const many = bundleOf(`model m { dim L = 4100
      open g[l: L]: fixed<4, 0> from base "{l}"
      public z = sum(l) g[l] }`);
    const given: WeightMap = new Map(
      Array.from({ length: 4100 }, (_, l) => [`${l}`, { shape: [], values: [l % 8] }] as const),
    );
    const { commitment } = await commit(many, 'base', given, { device });
    expect((await checkOpenCommitment(many, commitment, given, { device })).ok).toBe(true);
  });

  test('is all that tells other weights from the ones that are meant: only a digest that was checked stops a proof over them', async () => {
    const other = await commit(bundle, 'base', weights([9, 9, 9]), { device });
    const prover = await createProver(bundle, {
      device,
      sources: [{ opening: other.opening, weights: weights([9, 9, 9]) }],
    });
    const { proof } = await prover.prove(new Map([['x', [1, 2, 3]]]));
    const published = await commit(bundle, 'base', honest, { device });
    const meant = await checkOpenCommitment(bundle, published.commitment, honest, { device });
    if (!meant.ok) throw new Error(meant.reason);
    expect(meant.digest).toEqual(published.digest);

    const verdictWith = async (expected: Expected): Promise<unknown[]> => {
      const verifier = await createVerifier(bundle, { device, expect: expected });
      const registered = await verifier.register(other.commitment);
      const verdict = await verifier.verify(proof);
      verifier.close();
      return [registered.ok, verdict.ok ? verdict.restsOn : verdict.verdict];
    };
    expect(await verdictWith({})).toEqual([true, 'unverified']);
    for (const base of [meant.digest, { digest: meant.digest, basis: 'checked now' }] as const)
      expect(await verdictWith({ sources: { base } })).toEqual([false, 'unverified']);
    const digest = Buffer.from(other.digest).toString('hex');
    const rests = { source: 'base', visibility: 'open', digest };
    expect(await verdictWith({ sources: { base: { basis: 'trusted' } } })).toEqual([
      true,
      [{ ...rests, basis: 'trusted' }],
    ]);
    expect(await verdictWith({ sources: { base: digest } })).toEqual([true, [{ ...rests, basis: 'pinned' }]]);
  });

  test('is expected of sources that the program has, and by digests', async () => {
    const expected = (sources: Expected['sources']): Promise<unknown> =>
      createVerifier(bundle, { device, expect: { sources } });
    await expect(expected({ bsae: { basis: 'trusted' } })).rejects.toThrow(
      'expected a source of the program: base, got "bsae"',
    );
    await expect(expected({ base: 'abc' })).rejects.toThrow('expected a SHA-256 digest');
  });
});

test('what a call is about does not change while it waits for its turn', async () => {
  const [honestOne, other] = [
    await commit(bundle, 'base', honest, { device }),
    await commit(bundle, 'base', weights([9, 9, 9]), { device }),
  ];
  const verifier = await createVerifier(bundle, { device, expect: { sources: { base: honestOne.digest } } });
  const buffer = honestOne.commitment.slice();
  const waiting = device.exclusive(() => new Promise((resolve) => setTimeout(resolve, 50)));
  const registered = verifier.register(buffer);
  buffer.set(other.commitment);
  await waiting;
  expect(await registered).toEqual({ ok: true });
  expect(verifier.commitment('base')).toEqual(honestOne.digest);
  verifier.close();
});

test('a verifier that expects another program rejects every proof', async () => {
  const { commitment, opening, digest } = await commit(bundle, 'base', honest, { device });
  const prover = await createProver(bundle, { device, sources: [{ opening, weights: honest }] });
  const { proof } = await prover.prove(new Map([['x', [1, 2, 3]]]));
  const verdictFor = async (program: Uint8Array): Promise<unknown> => {
    const verifier = await createVerifier(bundle, { device, expect: { program, sources: { base: digest } } });
    await verifier.register(commitment);
    return verifier.verify(proof);
  };
  const own = decodeBundle(bundle).digest;
  expect(await verdictFor(own)).toMatchObject({ ok: true, programBasis: 'pinned', context: 'none' });
  expect(await verdictFor(own.map((b) => b ^ 1))).toMatchObject({ ok: false, verdict: 'rejected' });
});

/** Generators of columns, and that of blindings, as points. */
async function pointsOf(): Promise<{ generators: Point[]; blinding: Point }> {
  const columns = 32;
  const unit = (k: number): bigint[] => Array.from({ length: columns }, (_, i) => (i === k ? 1n : 0n));
  return device.scope(async () => {
    await device.prepareGenerators(columns + 1);
    const rows = [...Array.from({ length: columns }, (_, k) => unit(k)), unit(-1)].map((row, k) => ({
      vector: device.frVector(row),
      offset: 0,
      length: columns,
      blinding: k === columns ? 1n : 0n,
    }));
    const points = (await device.commit(rows)).map((p) => Point.fromBytes(p));
    return { generators: points.slice(0, columns), blinding: points[columns] };
  });
}
