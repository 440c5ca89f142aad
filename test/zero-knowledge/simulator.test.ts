/** Whoever may choose the challenges can prove anything, without a witness; whoever may not, cannot. */
import { concatBytes } from '@noble/hashes/utils.js';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PointVector } from '../../runtime/device/device.ts';
import { fromBigints, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { claimReduction } from '../../runtime/protocol/sumcheck/claim-reduction.ts';
import type { ProtocolContext } from '../../runtime/protocol/context.ts';
import { outputPoints, programProtocol as wholeProtocol, publicDigests } from '../../runtime/protocol/program.ts';
import { evaluateExtension, UploadedPublics, verifierRole } from '../../runtime/protocol/statement/publics.ts';
import { planRange, planRangeArgument, rangeProtocol } from '../../runtime/protocol/commitment/range-proof.ts';
import { commitmentDigest, programTranscript, rangeTranscript } from '../../runtime/protocol/statement/statement.ts';
import { verifyArgument } from '../../runtime/verifier/argument.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw } from '../kit/draw.ts';
import { ChosenTranscript, simulate } from '../kit/simulator.ts';
import { createSubject } from '../kit/subject.ts';
import { text } from '../soundness/fixture.ts';

const device = await testDevice();
const subject = await createSubject(text(3));
const { gadgets, argument } = subject;
const [source] = gadgets.sources;

/** Rows that nobody knows an opening of small integers of, and public tensors at random: false, up to 2^-2000. */
const points = new Uint8Array(48 * source.rows);
const publics = new Map<number, IntegerArray>();
let rows: PointVector;

beforeAll(async () => {
  const draw = new Draw('false statement', 1);
  await device.prepareGenerators(33);
  const made = await device.commit(
    Array.from({ length: source.rows }, () => ({
      vector: device.frVector(Array.from({ length: source.columns }, () => draw.scalar())),
      offset: 0,
      length: source.columns,
      blinding: draw.scalar(),
    })),
  );
  for (const [i, p] of made.entries()) points.set(p, 48 * i);
  const decoded = (await device.keep(() => device.decodePoints(points))).value;
  if ('bad' in decoded) throw new Error('no points');
  rows = decoded;
  for (const id of gadgets.publics) {
    const { range, shape } = gadgets.tensors[id];
    publics.set(
      id,
      fromBigints(
        range,
        draw.integers(
          range,
          shape.reduce((n, d) => n * d, 1),
        ),
      ),
    );
  }
});

const programProtocol = async (ctx: ProtocolContext): Promise<void> => {
  const uploaded = new UploadedPublics(device, gadgets, publics);
  await claimReduction(ctx, gadgets, {
    indices: () => [],
    evaluate: (id, point) => evaluateExtension(device, uploaded.tensor(id), gadgets.tensors[id].shape, point),
    evaluateView: () => {
      throw new Error('the program has no views');
    },
  });
};

describe('simulated proofs of a program', () => {
  test('are accepted for a false statement if the challenges were chosen, and only then', async () => {
    const body = await simulate(device, argument, [rows], programProtocol, 7);
    const verify = (transcript: Parameters<typeof verifyArgument>[2]): ReturnType<typeof verifyArgument> =>
      device.scope(() => verifyArgument(device, argument, transcript, [rows], body, programProtocol));
    expect(await verify(new ChosenTranscript(7))).toEqual({ ok: true });
    expect(await verify(new ChosenTranscript(8))).toMatchObject({ ok: false });
    const honest = programTranscript({
      program: subject.digest,
      context: new Uint8Array(0),
      commitments: [commitmentDigest(source, points)],
      publics: publicDigests(gadgets, publics),
    });
    expect(await verify(honest)).toMatchObject({ ok: false });
  });

  test('are all different, as proofs are', async () => {
    const [a, b] = [
      await simulate(device, argument, [rows], programProtocol, 1),
      await simulate(device, argument, [rows], programProtocol, 2),
    ];
    expect(a.length).toBe(b.length);
    for (let at = 0; at < a.length; at += 32) expect(a.subarray(at, at + 32)).not.toEqual(b.subarray(at, at + 32));
  });
});

describe('simulated proofs of a program that gathers', () => {
  test('are accepted for rows that nobody knows if the challenges were chosen, and only then', async () => {
    const own = await createSubject(`model m { dim M = 40, N = 2, T = 24
      source data
      public rows[N]: index<M>
      secret X[M, T]: fixed<8, 4> from data "x"
      open W[M, T]: fixed<8, 4> from base "w"
      public y[n] = sum(t) X[rows[n], t] * W[rows[n], t]
      public z[n] = sum(t) X[rows[n], t] * X[rows[1 - n], t]
    }`);
    const draw = new Draw('false gathers', 1);
    const registered: PointVector[] = [];
    for (const { rows: count, columns } of own.gadgets.sources) {
      await device.prepareGenerators(columns + 1);
      const row = () => device.frVector(Array.from({ length: columns }, () => draw.scalar()));
      const made = await device.commit(
        Array.from({ length: count }, () => ({ vector: row(), offset: 0, length: columns, blinding: draw.scalar() })),
      );
      const decoded = (await device.keep(() => device.decodePoints(concatBytes(...made)))).value;
      if ('bad' in decoded) throw new Error('no points');
      registered.push(decoded);
    }
    const claimed = new Map<number, IntegerArray>();
    for (const id of own.gadgets.publics) {
      const { range } = own.gadgets.tensors[id];
      claimed.set(id, fromBigints(range, draw.integers(range, 2)));
    }
    const protocol = (ctx: ProtocolContext): Promise<void> =>
      wholeProtocol(ctx, own.gadgets, verifierRole(device, own.gadgets, claimed));
    const body = await device.scope(() => simulate(device, own.argument, registered, protocol, 7));
    const verify = (transcript: Parameters<typeof verifyArgument>[2]): ReturnType<typeof verifyArgument> =>
      device.scope(() => verifyArgument(device, own.argument, transcript, registered, body, protocol));
    expect(await verify(new ChosenTranscript(7))).toEqual({ ok: true });
    expect(await verify(new ChosenTranscript(8))).toMatchObject({ ok: false });
    // Of other rows it is another proof.
    const [rowsOf] = own.gadgets.publics;
    claimed.set(
      rowsOf,
      Int16Array.from(claimed.get(rowsOf) as ArrayLike<number>, (v) => (v + 1) % 40),
    );
    expect(await verify(new ChosenTranscript(7))).toMatchObject({ ok: false });
  });
});

describe('simulated range proofs', () => {
  test('are accepted for rows of arbitrary field elements if the challenges were chosen, and only then', async () => {
    const plan = planRange(source);
    const range = await planRangeArgument(source, plan);
    const protocol = (ctx: ProtocolContext): Promise<void> => rangeProtocol(ctx, source, plan);
    const body = await simulate(device, range, [rows], protocol, 9);
    const verify = (transcript: Parameters<typeof verifyArgument>[2]): ReturnType<typeof verifyArgument> =>
      device.scope(() => verifyArgument(device, range, transcript, [rows], body, protocol));
    expect(await verify(new ChosenTranscript(9))).toEqual({ ok: true });
    expect(await verify(new ChosenTranscript(10))).toMatchObject({ ok: false });
    expect(await verify(rangeTranscript(commitmentDigest(source, points)))).toMatchObject({ ok: false });
  });
});

describe('simulated proofs of a program with outputs', () => {
  test('have output rows of whatever points, and are accepted if the challenges were chosen, and only then', async () => {
    const own = await createSubject(`model m { dim N = 12
      secret w[N]: fixed<8, 4> from adapter "w"
      secret a[i] = round<8, 2>(w[i] * w[i])
      public y = sum(i) a[i]
    }`);
    const [{ rows: count, columns }] = own.gadgets.sources;
    const draw = new Draw('false output', 1);
    const made = await device.commit(
      Array.from({ length: count }, () => ({
        vector: device.frVector(Array.from({ length: columns }, () => draw.scalar())),
        offset: 0,
        length: columns,
        blinding: draw.scalar(),
      })),
    );
    const decoded = (await device.keep(() => device.decodePoints(concatBytes(...made)))).value;
    if ('bad' in decoded) throw new Error('no points');
    const [id] = own.gadgets.publics;
    const claimed = new Map([[id, fromBigints(own.gadgets.tensors[id].range, [77n])]]);
    const protocol = (ctx: ProtocolContext): Promise<void> =>
      wholeProtocol(ctx, own.gadgets, verifierRole(device, own.gadgets, claimed));
    const body = await device.scope(() => simulate(device, own.argument, [decoded], protocol, 7));
    const verify = (transcript: Parameters<typeof verifyArgument>[2]): ReturnType<typeof verifyArgument> =>
      device.scope(() => verifyArgument(device, own.argument, transcript, [decoded], body, protocol));
    expect(await verify(new ChosenTranscript(7))).toEqual({ ok: true });
    expect(await verify(new ChosenTranscript(8))).toMatchObject({ ok: false });
    const [output] = outputPoints(own.gadgets, body);
    expect(output).toHaveLength(48 * (own.gadgets.outputs ?? [])[0].rows);
    const changed = body.slice();
    changed.set(body.subarray(0, 48), 48 * own.gadgets.witnessRows);
    const other = await device.scope(() =>
      verifyArgument(device, own.argument, new ChosenTranscript(7), [decoded], changed, protocol),
    );
    expect(other).toMatchObject({ ok: false });
  });
});
