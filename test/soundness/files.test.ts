/** Changed files: every byte counts, nothing throws, and nothing costs more than an honest file. */
import { beforeAll, describe, expect, test } from 'vitest';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { decode, encode } from '../../compiler/bundle/canonical.ts';
import { pack, unpack } from '../../compiler/bundle/container.ts';
import { decodeCommitment, encodeCommitment } from '../../runtime/codec/files.ts';
import { compress, decompress, Point } from '../../runtime/curve/spec.ts';
import { r } from '../../runtime/protocol/scalar.ts';
import { scalarBytes } from '../../runtime/protocol/transcript.ts';
import { createVerifier, type Verifier } from '../../runtime/verifier/index.ts';
import { Draw } from '../kit/draw.ts';
import { testDevice } from '../kit/devices.ts';
import { bundleOf, makeFiles, text, verifierFor, withBody, withFile, type Files } from './fixture.ts';
import { counted, type Work } from './work.ts';

const { device, work, reset } = counted(await testDevice());
let files: Files;
let verifier: Verifier;

beforeAll(async () => {
  files = await makeFiles(device, text(3), 1);
  verifier = await verifierFor(device, files);
});

/** The work of an honest run, doubled. */
async function budget(run: () => Promise<{ ok: boolean }>): Promise<Work> {
  reset();
  expect((await run()).ok).toBe(true);
  return { decoded: 2 * work.decoded, multiplied: 2 * work.multiplied, elements: 2 * work.elements };
}

const within = (most: Work): boolean =>
  work.decoded <= most.decoded && work.multiplied <= most.multiplied && work.elements <= most.elements;

function flipped(bytes: Uint8Array, draw: Draw): { bad: Uint8Array; what: string } {
  const bad = bytes.slice();
  const at = draw.below(bytes.length);
  bad[at] ^= 1 + draw.below(255);
  return { bad, what: `byte ${at}: ${bytes[at]} -> ${bad[at]}` };
}

describe('random changes of one byte', () => {
  test('of a proof: 1,000 rejected, none throws or costs more than two honest verifications', async () => {
    const most = await budget(() => verifier.verify(files.proof));
    const draw = new Draw('proof bytes', 1);
    const wrong: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const { bad, what } = flipped(files.proof, draw);
      reset();
      if ((await verifier.verify(bad)).ok) wrong.push(`${what} accepted`);
      if (!within(most)) wrong.push(`${what} cost ${JSON.stringify(work)}`);
    }
    expect(wrong).toEqual([]);
  });

  test('of a commitment: 1,000 rejected, none throws or costs more than two honest validations', async () => {
    const fresh = await createVerifier(files.bundleBytes, { device });
    const most = await budget(() => fresh.register(files.commitment));
    const draw = new Draw('commitment bytes', 2);
    const wrong: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const { bad, what } = flipped(files.commitment, draw);
      reset();
      if ((await fresh.register(bad)).ok) wrong.push(`${what} accepted`);
      if (!within(most)) wrong.push(`${what} cost ${JSON.stringify(work)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('structural changes of a proof', () => {
  const rejects = async (proof: Uint8Array, reason?: RegExp): Promise<void> => {
    const verdict = await verifier.verify(proof);
    expect(verdict.ok).toBe(false);
    if (reason && !verdict.ok) expect(verdict.reason).toMatch(reason);
  };

  test('cut short and made longer, at the end and in each section', async () => {
    for (const n of [0, 1, 5, 6, 100, files.proof.length - 1]) await rejects(files.proof.subarray(0, n));
    await rejects(Uint8Array.of(...files.proof, 0), /after the end/);
    const s = unpack('p', ['HEAD', 'PUBL', 'BODY'], files.proof);
    for (const name of ['HEAD', 'PUBL', 'BODY'] as const) {
      await rejects(pack('p', { ...s, [name]: s[name].subarray(0, s[name].length - 1) }));
      await rejects(pack('p', { ...s, [name]: Uint8Array.of(...s[name], 0) }));
      await rejects(pack('p', { ...s, [name]: new Uint8Array(0) }));
    }
    await rejects(pack('p', { PUBL: s.PUBL, HEAD: s.HEAD, BODY: s.BODY }));
  });

  test('a head that says more than a head says', async () => {
    const s = unpack('p', ['HEAD', 'PUBL', 'BODY'], files.proof);
    const file = { program: files.bundle.digest, commitments: [], context: new Uint8Array(0) };
    await rejects(pack('p', { ...s, HEAD: encode(file) }), /another commitment/);
    const more = { ...(decode(s.HEAD) as object), note: 'x' };
    await rejects(pack('p', { ...s, HEAD: encode(more) }));
    await rejects(
      withFile(files, ({ commitments }) => ({ commitments: [...commitments, commitments[0]] })),
      /another commitment/,
    );
    await rejects(
      withFile(files, () => ({ context: Uint8Array.of(1) })),
      /another context/,
    );
  });

  test('two messages, two points, two answers swapped', async () => {
    const swap = <T>(list: T[], i: number, j: number): void => void ([list[i], list[j]] = [list[j], list[i]]);
    await rejects(withBody(files, ({ scalars }) => swap(scalars.messages, 0, 1)));
    await rejects(withBody(files, ({ scalars }) => swap(scalars.last, 0, 1)));
    await rejects(withBody(files, ({ scalars }) => swap(scalars.z, 0, 31)));
    await rejects(withBody(files, ({ scalars }) => swap(scalars.zQ, 0, 1)));
    await rejects(withBody(files, ({ points }) => ([points.A, points.B] = [points.B, points.A])));
    await rejects(withBody(files, ({ points }) => ([points.D, points.DQ] = [points.DQ, points.D])));
    await rejects(withBody(files, ({ points }) => ([points.T0, points.T1] = [points.T1, points.T0])));
    await rejects(withBody(files, ({ points }) => ([points.Q, points.C[0]] = [points.C[0], points.Q])));
  });

  test('points that are on no curve, outside the subgroup, or written otherwise', async () => {
    const outside = outsideSubgroup();
    await rejects(
      withBody(files, ({ points }) => void (points.P[0] = outside)),
      /point 0 .*subgroup/,
    );
    await rejects(
      withBody(files, ({ points }) => void (points.D = offCurve())),
      /curve/,
    );
    const own = (i: number): Uint8Array => {
      let copy = new Uint8Array(0);
      withBody(files, ({ points }) => void (copy = points.P[i].slice()));
      return copy;
    };
    const flags = own(0);
    flags[0] ^= 0x20;
    await rejects(withBody(files, ({ points }) => void (points.P[0] = flags)));
    const uncompressed = own(0);
    uncompressed[0] &= 0x7f;
    await rejects(
      withBody(files, ({ points }) => void (points.P[0] = uncompressed)),
      /encoding/,
    );
    const infinity = own(0);
    infinity[0] |= 0x40;
    await rejects(
      withBody(files, ({ points }) => void (points.P[0] = infinity)),
      /encoding/,
    );
    const beyond = own(0).fill(0xff);
    beyond[0] = 0x9f;
    await rejects(
      withBody(files, ({ points }) => void (points.P[0] = beyond)),
      /encoding/,
    );
    // A point that differs by one of small order: equal up to the cofactor, and refused.
    const small = smallOrder();
    const honest = decompress(own(0));
    if (typeof honest === 'string') throw new Error(honest);
    await rejects(
      withBody(files, ({ points }) => void (points.P[0] = compress(honest.add(small)))),
      /subgroup/,
    );
    await rejects(withBody(files, ({ points }) => void (points.P[0] = compress(Point.ZERO))));
  });

  test('a scalar written as itself plus r', async () => {
    const s = unpack('p', ['HEAD', 'PUBL', 'BODY'], files.proof);
    let checked = 0;
    for (let at = s.BODY.length - 32; at > s.BODY.length - 32 * 20; at -= 32) {
      const value = s.BODY.subarray(at, at + 32).reduceRight((v, b) => (v << 8n) | BigInt(b), 0n);
      if (value + r >= 2n ** 256n) continue;
      const body = s.BODY.slice();
      body.set(scalarBytes(value + r), at);
      await rejects(pack('p', { ...s, BODY: body }), /field order/);
      checked++;
    }
    expect(checked).toBeGreaterThan(5);
  });
});

describe('another statement', () => {
  test('every public input and output one unit off', async () => {
    for (const [id, name] of files.bundle.gadgets.publics.map(
      (p) => [p, files.bundle.gadgets.tensors[p].name] as const,
    )) {
      const { shape } = files.bundle.gadgets.tensors[id];
      const size = shape.reduce((n, d) => n * d, 1);
      for (let i = 0; i < size; i += 3) {
        const proof = withFile(files, ({ publics }) => {
          const values = (publics.get(id) as Int16Array).slice();
          values[i] += values[i] > 0 ? -1 : 1;
          return { publics: new Map([...publics, [id, values]]) };
        });
        expect(await verifier.verify(proof), `${name}[${i}]`).toMatchObject({ ok: false });
      }
    }
  });

  test('another bundle: other constants, other rank, other order of declaration', async () => {
    for (const source of [text(3, 7), text(4), text(3).replace('model adapter', 'model other')]) {
      const other = await createVerifier(bundleOf(source), { device });
      const registered = await other.register(files.commitment);
      if (registered.ok) expect(await other.verify(files.proof)).toMatchObject({ ok: false });
      else expect(registered.reason).toMatch(/other names, shapes or types/);
      // The head may claim to be for it; the transcript knows better.
      const claimed = withFile(files, () => ({ program: other.bundle.digest }));
      expect(await other.verify(claimed)).toMatchObject({ ok: false });
    }
  });

  test('another commitment, whatever the head says', async () => {
    const other = await makeFiles(device, text(3), 50);
    const theirs = await verifierFor(device, other);
    expect(await theirs.verify(files.proof)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/another commitment/) as string,
    });
    const claimed = withFile(files, () => ({ commitments: decodeHeadOf(other) }));
    expect(await theirs.verify(claimed)).toMatchObject({ ok: false });
    expect(await theirs.verify(other.proof)).toMatchObject({ ok: true });
  });

  test('another context, also if the head is changed to it', async () => {
    const context = Uint8Array.of(1, 2, 3);
    const bound = await makeFiles(device, text(3), 1, context);
    const own = await verifierFor(device, bound);
    expect(await own.verify(bound.proof, { context })).toMatchObject({ ok: true });
    expect(await own.verify(bound.proof)).toMatchObject({ ok: false });
    expect(await own.verify(withFile(bound, () => ({ context: new Uint8Array(0) })))).toMatchObject({ ok: false });
    expect(
      await own.verify(
        withFile(bound, () => ({ context: Uint8Array.of(1, 2, 4) })),
        { context: Uint8Array.of(1, 2, 4) },
      ),
    ).toMatchObject({ ok: false });
  });
});

describe('structural changes of a commitment', () => {
  test('rows swapped, replaced, missing; another source or layout; another range proof', async () => {
    const file = decodeCommitment(files.commitment);
    const fresh = await createVerifier(files.bundleBytes, { device });
    const rejects = async (change: Partial<typeof file>, reason?: RegExp): Promise<void> => {
      const verdict = await fresh.register(encodeCommitment({ ...file, ...change }));
      expect(verdict.ok).toBe(false);
      if (reason && !verdict.ok) expect(verdict.reason).toMatch(reason);
    };
    const rows = (change: (p: Uint8Array) => void): Uint8Array => {
      const points = file.points.slice();
      change(points);
      return points;
    };
    await rejects({ points: rows((p) => p.set(file.points.subarray(48, 96), 0)) }, /range proof/);
    await rejects({ points: rows((p) => p.copyWithin(48, 0, 48)) }, /range proof/);
    await rejects({ points: file.points.subarray(48) }, /rows of 48/);
    await rejects({ points: rows((p) => p.set(outsideSubgroup(), 48)) }, /row 1 .*subgroup/);
    await rejects({ points: rows((p) => p.set(offCurve(), 0)) }, /row 0 .*curve/);
    await rejects({ points: rows((p) => p.set(compress(Point.ZERO), 0)) }, /range proof/);
    await rejects({ source: 'base' }, /does not use/);
    await rejects({ layout: file.layout.map((b) => b ^ 1) }, /other names, shapes or types/);
    const other = decodeCommitment((await makeFiles(device, text(3), 60)).commitment);
    await rejects({ rangeProof: other.rangeProof }, /range proof/);
    expect((await fresh.verify(files.proof)).ok).toBe(false);
  });
});

const decodeHeadOf = (files: Files): readonly Uint8Array[] => {
  let commitments: readonly Uint8Array[] = [];
  withFile(files, (f) => ((commitments = f.commitments), {}));
  return commitments;
};

/** The first point of the curve with a small x; x = 4 has one, and it is not in the subgroup. */
function curvePoint(): Point {
  const { Fp } = bls12_381.fields;
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.mul(Fp.sqr(x), x), 4n);
    try {
      return Point.fromAffine({ x, y: Fp.sqrt(square) });
    } catch {
      continue;
    }
  }
}

function outsideSubgroup(): Uint8Array {
  const point = curvePoint();
  expect(point.isTorsionFree()).toBe(false);
  return compress(point);
}

/** A point whose order divides the cofactor: r times any point of the curve. */
function smallOrder(): Point {
  let out = Point.ZERO;
  const base = curvePoint();
  for (const bit of r.toString(2)) {
    out = out.double();
    if (bit === '1') out = out.add(base);
  }
  expect(out.is0()).toBe(false);
  return out;
}

/** A canonical encoding of an x that no point has. */
function offCurve(): Uint8Array {
  const { Fp } = bls12_381.fields;
  for (let x = 1n; ; x++)
    try {
      Fp.sqrt(Fp.add(Fp.mul(Fp.sqr(x), x), 4n));
    } catch {
      const bytes = compress(Point.ZERO).fill(0);
      bytes[0] = 0x80;
      bytes[47] = Number(x);
      return bytes;
    }
}
