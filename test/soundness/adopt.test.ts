/** Programs in a row: what one puts out another takes, from a verdict and from nothing else. */
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { decodeOpening, decodeProof, encodeOpening, encodeProof } from '../../runtime/codec/files.ts';
import {
  commit,
  commitKnown,
  commitOutput,
  createProver,
  openingAs,
  ValueError,
  type ProvedOutput,
} from '../../runtime/prover/index.ts';
import { createVerifier, type ProofVerdict, type VerifiedOutput } from '../../runtime/verifier/index.ts';
import { testDevice } from '../kit/devices.ts';
import { bundleOf } from './fixture.ts';

const device = await testDevice();

/** Takes w and puts w out: what it is after a step, the next step begins with. */
const step = bundleOf(`model step { dim N = 12
  source state w
  secret x[N]: fixed<6, 2>
  secret before[N]: fixed<8, 4> from w "w"
  secret w[i] = round<8, 4>(before[i] * 3 / 4 + x[i] / 8)
  public s = sum(i) before[i]
}`);
/** Reads the same tensor from a source of another name, or as it is not. */
const reader = (type = 'fixed<8, 4>', source = 'source state last', length = 12): Uint8Array =>
  bundleOf(`model read { dim N = ${length}
  ${source}
  secret v[N]: ${type} from last "w"
  public y = sum(i) v[i]
}`);

const numbers = (values: readonly number[]): Map<string, { shape: number[]; values: readonly number[] }> =>
  new Map([['w', { shape: [12], values }]]);
const start = numbers([1, -2, 3, 0.5, -0.25, 2, 0, 0, 0, 0, 0, 4]);
const x = new Map([['x', [1, 2, 3, -4, 5, 0, 0, 0, 0, 0, 0, 0]]]);

async function run(from: { opening: Uint8Array; weights: ReturnType<typeof numbers> | ProvedOutput['weights'] }) {
  const prover = await createProver(step, { device, sources: [from] });
  const made = await prover.prove(x);
  return { ...made, output: made.outputs.get('w')! };
}

const accepted = (v: ProofVerdict): Extract<ProofVerdict, { ok: true }> => {
  if (!v.ok) throw new Error(v.reason);
  return v;
};

let first: Awaited<ReturnType<typeof run>>;
let output: VerifiedOutput;
let commitment: Uint8Array;

beforeAll(async () => {
  const files = await commit(step, 'w', start, { device });
  commitment = files.commitment;
  first = await run({ opening: files.opening, weights: start });
  const verifier = await createVerifier(step, { device });
  expect(await verifier.register(files.commitment)).toEqual({ ok: true });
  output = accepted(await verifier.verify(first.proof)).outputs.get('w')!;
});

describe('a chain of steps', () => {
  test('is accepted step by step, and the commitment after one is that before the next', async () => {
    const verifier = await createVerifier(step, { device });
    let [previous, before] = [first.output, output];
    for (let k = 1; k < 4; k++) {
      const next = await run(previous);
      expect(await verifier.adopt('w', before)).toEqual({ ok: true });
      const verdict = accepted(await verifier.verify(next.proof));
      expect(verdict.restsOn).toMatchObject([{ source: 'w', digest: before.digest, basis: 'adopted' }]);
      expect(Buffer.from(previous.digest).toString('hex')).toBe(before.digest);
      [previous, before] = [next.output, verdict.outputs.get('w')!];
    }
  });

  test('puts out what the program says, exactly', () => {
    const expected = start
      .get('w')!
      .values.map((v, i) => Math.floor((v * 0.75 + (x.get('x')![i] ?? 0) / 8) * 16 + 0.5) / 16);
    expect([...(first.output.weights.get('w')!.values as Float64Array)]).toEqual(expected);
  });

  test('does not go on from another state: a step that is left out, or an output of other weights', async () => {
    const second = await run(first.output);
    const verifier = await createVerifier(step, { device });
    await verifier.register(commitment);
    expect(await verifier.verify(second.proof)).toMatchObject({
      ok: false,
      reason: 'the proof is for another commitment',
    });
    await expect(run({ ...first.output, weights: start })).rejects.toThrow(/not the ones this opening was made for/);
  });

  test('is made with an opening that was there before the proof, any number of times', async () => {
    const made = await commitOutput(step, 'w', first.output.weights, { device });
    const prover = await createProver(step, { device, sources: [{ ...first.output, weights: first.output.weights }] });
    const files = await commitOutput(step, 'w', (await run(first.output)).output.weights, { device });
    const outputs = new Map([['w', files.opening]]);
    for (let k = 0; k < 2; k++)
      expect((await prover.prove(x, { outputs })).outputs.get('w')).toMatchObject({
        digest: files.digest,
        commitment: files.commitment,
        opening: files.opening,
      });
    const wrong = prover.prove(x, { outputs: new Map([['w', made.opening]]) });
    await expect(wrong).rejects.toThrow(/the opening of the output "w" is of other numbers than the program gives/);
    const seed = encodeOpening({ ...decodeOpening(files.opening), seed: new Uint8Array(32).fill(7) });
    await expect(prover.prove(x, { outputs: new Map([['w', seed]]) })).rejects.toThrow(/names another commitment/);
    await expect(prover.prove(x, { outputs: new Map([['v', seed]]) })).rejects.toThrow(ValueError);
    const bare = encodeOpening({ ...decodeOpening(files.opening), seed: new Uint8Array(32) });
    await expect(prover.prove(x, { outputs: new Map([['w', bare]]) })).rejects.toThrow(/without blindings/);
    await expect(commitOutput(step, 'v', start, { device })).rejects.toThrow(/no secret output "v"; it has "w"/);
  });
});

describe('an output under another name', () => {
  test('has another digest, and is proved of with its opening as that', async () => {
    const bundle = reader();
    const opening = openingAs(bundle, 'last', first.output);
    const prover = await createProver(bundle, { device, sources: [{ opening, weights: first.output.weights }] });
    const { proof } = await prover.prove(new Map());
    const verifier = await createVerifier(bundle, { device });
    expect(await verifier.adopt('last', output)).toEqual({ ok: true });
    const verdict = accepted(await verifier.verify(proof));
    expect(verdict.restsOn[0].digest).not.toBe(output.digest);
    const sum = (first.output.weights.get('w')!.values as Float64Array).reduce((n, v) => n + v);
    expect(Number(verdict.publics.get('y')![0]) / 16).toBe(sum);
    expect(() => openingAs(reader('fixed<9, 4>'), 'last', first.output)).toThrow(/is not of the tensors/);
  });

  test.each([
    ['of another type', reader('fixed<9, 4>')],
    ['of another scale', reader('fixed<8, 5>')],
    ['of another shape', reader(undefined, undefined, 13)],
    [
      'that is no state',
      bundleOf(`model read { dim N = 64
      source last
      secret v[N, N]: fixed<8, 4> from last "w"
      public y = sum(i, j) v[i, j]
    }`),
    ],
  ])('is not adopted as a source %s', async (_, bundle) => {
    const verifier = await createVerifier(bundle, { device });
    expect(await verifier.adopt('last', output)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('other names, shapes or types') as string,
    });
  });

  test('is not adopted in the place of another of the same proof', async () => {
    const two = bundleOf(`model two { dim N = 12
      secret x[N]: fixed<6, 2>
      secret a[i] = round<6, 1>(x[i] / 3)
      secret b[i] = round<6, 1>(x[i] / 5)
    }`);
    const { proof } = await (await createProver(two, { device, sources: [] })).prove(x);
    const { outputs } = accepted(await (await createVerifier(two, { device })).verify(proof));
    const next = await createVerifier(
      bundleOf(`model read { dim N = 12
        source state a, b
        secret v[N]: fixed<6, 1> from a "a"
        secret w[N]: fixed<6, 1> from b "b"
        public y = sum(i) v[i] * w[i]
      }`),
      { device },
    );
    for (const name of ['a', 'b']) {
      const other = outputs.get(name === 'a' ? 'b' : 'a')!;
      expect(await next.adopt(name, other)).toMatchObject({ ok: false });
      expect(await next.adopt(name, outputs.get(name)!)).toEqual({ ok: true });
    }
  });

  test('is not adopted as a source that there is not, that is open, or of which another is expected', async () => {
    const verifier = await createVerifier(reader(), { device, expect: { sources: { last: '0'.repeat(64) } } });
    expect(await verifier.adopt('last', output)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is expected (pinned)') as string,
    });
    expect(await verifier.adopt('w', output)).toMatchObject({ ok: false, reason: 'this program uses no source "w"' });
    const open = await createVerifier(
      bundleOf(`model read { open v[12]: fixed<8, 4> from base "w"
        public y = sum(i) v[i] }`),
      { device },
    );
    expect(await open.adopt('base', output)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is open') as string,
    });
  });
});

describe('what is no output of an accepted proof', () => {
  test('is not adopted: a copy of one, one that is made up, nothing at all', async () => {
    const verifier = await createVerifier(step, { device });
    for (const forged of [{ ...output }, structuredClone(output), { name: 'w', digest: output.digest }, undefined])
      expect(await verifier.adopt('w', forged as VerifiedOutput)).toMatchObject({
        ok: false,
        reason: expect.stringContaining('no output of a proof that was accepted here') as string,
      });
  });

  test('comes with no rejected proof: one changed, one that names other commitments', async () => {
    const verifier = await createVerifier(step, { device });
    await verifier.register(commitment);
    const { gadgets } = decodeBundle(step);
    const file = decodeProof(gadgets, first.proof);
    const at = 48 * gadgets.witnessRows + 5;
    const bad = file.body.slice();
    bad[at] ^= 1;
    const others = file.outputs.map((d) => d.map((b, i) => (i === 0 ? b ^ 1 : b)));
    for (const [changed, reason] of [
      [{ ...file, body: bad }, /point|open|match/],
      [{ ...file, outputs: others }, /names other commitments than those that it makes/],
    ] as const) {
      const verdict = await verifier.verify(encodeProof(gadgets, changed));
      expect(verdict).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as string });
      expect(verdict).not.toHaveProperty('outputs');
    }
  });
});

describe('a state that everybody knows', () => {
  test('is the commitment without blindings, and a proof over other numbers is one for another', async () => {
    const files = await commitKnown(step, 'w', start, { device });
    const made = await run({ opening: files.opening, weights: start });
    const verifier = await createVerifier(step, { device });
    const known = (values: readonly number[]) => verifier.registerKnown('w', new Map([['w', values]]));
    expect(await known(start.get('w')!.values)).toEqual({ ok: true });
    expect(verifier.commitment('w')).toEqual(files.digest);
    expect(accepted(await verifier.verify(made.proof)).restsOn[0].basis).toBe('checked now');
    expect(await verifier.verify(first.proof)).toMatchObject({ ok: false });
    expect(await known(start.get('w')!.values.map((v) => v / 2))).toEqual({ ok: true });
    expect(await verifier.verify(made.proof)).toMatchObject({
      ok: false,
      reason: 'the proof is for another commitment',
    });
  });

  test('is refused where it does not fit', async () => {
    const verifier = await createVerifier(step, { device });
    const known = (of: readonly (readonly [string, readonly number[]])[]) => verifier.registerKnown('w', new Map(of));
    const { values } = start.get('w')!;
    await expect(known([['w', values.map(() => 8)]])).rejects.toThrow(/does not fit|fixed<8, 4>/);
    await expect(known([['w', values.slice(1)]])).rejects.toThrow(/11 entries/);
    await expect(known([])).rejects.toThrow(/"w" of "w" is missing/);
    await expect(
      known([
        ['w', values],
        ['v', values],
      ]),
    ).rejects.toThrow(/no tensor "v"/);
  });
});

describe('proofs that are decided together', () => {
  /** Puts out two, of which the second goes on, and reads a state besides that stays as it is. */
  const both = bundleOf(`model both { dim N = 12
    source state v, w
    secret stays[N]: fixed<8, 4> from v "v"
    secret before[N]: fixed<8, 4> from w "w"
    secret a[i] = round<8, 4>(before[i] / 2)
    secret w[i] = round<8, 4>(before[i] * 3 / 4 + stays[i] / 8)
    public s = sum(i) before[i]
  }`);
  const stays = new Map([['v', { shape: [12], values: [1, 2, 3, 4, 5, 6, 7, -1, -2, -3, -4, -5] }]]);

  test('are so of the output that is named, where there are several, and other sources stay as they are', async () => {
    const [v, w] = [await commit(both, 'v', stays, { device }), await commit(both, 'w', start, { device })];
    const verifier = await createVerifier(both, { device });
    for (const { commitment } of [v, w]) expect(await verifier.register(commitment)).toEqual({ ok: true });
    const steps: Awaited<ReturnType<typeof run>>[] = [];
    let from: Parameters<typeof run>[0] = { opening: w.opening, weights: start };
    for (let k = 0; k < 3; k++) {
      const sources = [
        { source: 'v', opening: v.opening, weights: stays },
        { source: 'w', ...from },
      ];
      const made = await (await createProver(both, { device, sources })).prove(new Map());
      steps.push({ ...made, output: (from = made.outputs.get('w')!) });
    }
    const proofs = steps.map(({ proof }) => ({ proof }));
    const together = await verifier.verifyTogether({ source: 'w', output: 'w' }, proofs);
    // Nothing was adopted on the way.
    const byOne: Extract<ProofVerdict, { ok: true }>[] = [];
    for (const { proof } of proofs) {
      byOne.push(accepted(await verifier.verify(proof)));
      expect(await verifier.adopt('w', byOne.at(-1)!.outputs.get('w')!)).toEqual({ ok: true });
    }
    expect(together).toEqual(byOne);
    expect(byOne[2].restsOn.map(({ basis }) => basis)).toEqual(['given', 'adopted']);
    await verifier.register(w.commitment);
    for (const [link, list] of [
      [{ source: 'w', output: 'a' }, proofs],
      [{ source: 'v', output: 'w' }, proofs],
      [{ source: 'w', output: 'w' }, [proofs[0], proofs[2]]],
      [{ source: 'w', output: 'w' }, [proofs[1], proofs[2]]],
      [{ source: 'w', output: 'w' }, [proofs[0], proofs[0]]],
    ] as const)
      expect(await verifier.verifyTogether(link, list)).toBeUndefined();
    expect(await verifier.verifyTogether({ source: 'w', output: 'w' }, proofs.slice(0, 2))).toEqual(byOne.slice(0, 2));
  });
});
