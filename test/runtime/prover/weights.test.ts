/** Weights are read one tensor at a time, and let go of. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import {
  ArgumentError,
  calibrate,
  checkOpenCommitment,
  commit,
  compare,
  createProver,
  ValueError,
  type Weights,
} from '../../../index.ts';
import { decodeCommitment } from '../../../runtime/codec/files.ts';
import { combinesTo, commitOpenly } from '../../../runtime/prover/commit.ts';
import { layMatrix } from '../../../runtime/protocol/commitment/matrix.ts';
import { matrixDigest } from '../../../runtime/prover/commitment/source-matrix.ts';
import { combineSource, layWeights, readIntegers, stretches } from '../../../runtime/prover/weights.ts';
import { weightsOf, type WeightMap } from '../../../runtime/weights.ts';
import { testDevice } from '../../kit/devices.ts';
import { bundleOf } from '../../soundness/fixture.ts';

const device = await testDevice();
afterAll(() => device.close());

/** Two layers of open and of secret weights: tensors of several rows, and one that fills less than a row. */
const text = `model m {
  dim L = 2, T = 2, D = 9
  public x[T, D]: fixed<8, 4>
  open g[D]: fixed<8, 4> from base "g"
  open W[l: L, D, D]: fixed<8, 4> from base "h.{l}.W"
  secret A[l: L, D, D]: fixed<8, 4> from adapter "h.{l}.A"
  n[t, i] = round<12, 4>(x[t, i] * g[i])
  u[t, j] = round<16, 4>((sum(i) n[t, i] * W[0, j, i]) + sum(i) n[t, i] * A[0, j, i])
  public y[t, j] = (sum(i) u[t, i] * W[1, j, i]) + sum(i) u[t, i] * A[1, j, i]
}`;
const bundle = bundleOf(text);
const [adapter, base] = ['adapter', 'base'].map((name) => {
  const source = decodeBundle(bundle).gadgets.sources.find((s) => s.name === name);
  if (!source) throw new Error(`no source ${name}`);
  return source;
});

const numbers = (seed: number, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => (((i + seed) * 7) % 13) / 16 - 0.375);

const tensors = (source: typeof base, seed = 0): WeightMap =>
  new Map(
    source.tensors.map(({ name, axes }, k) => {
      const shape = axes.map((a) => a.length);
      return [
        name,
        {
          shape,
          values: numbers(
            seed + k,
            shape.reduce((n, d) => n * d, 1),
          ),
        },
      ] as const;
    }),
  );

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Hands out every tensor anew, and counts those handed out before that somebody still has. */
function counted(map: WeightMap): Weights & { readonly alive: readonly number[] } {
  const alive: number[] = [];
  const given: WeakRef<ArrayLike<number> & object>[] = [];
  const weights = weightsOf('weights', map, []);
  return {
    ...weights,
    alive,
    read: async (name) => {
      // What was looked at in a turn lives until its end.
      await setImmediate();
      collect();
      alive.push(given.filter((ref) => ref.deref() !== undefined).length);
      await setImmediate();
      const values = Float64Array.from(await weights.read(name));
      given.push(new WeakRef(values));
      return values;
    },
  };
}

describe('no tensor is kept when the next is read', () => {
  const none = (reads: number): number[] => Array.from({ length: reads }, () => 0);

  test('by commit, the check of open commitments, and a prover', async () => {
    const [open, secret] = [counted(tensors(base)), counted(tensors(adapter))];
    const made = await commit(bundle, 'base', open, { device });
    const own = await commit(bundle, 'adapter', secret, { device });
    expect(await checkOpenCommitment(bundle, made.commitment, open, { device })).toMatchObject({ ok: true });
    const sources = [
      { source: 'base', opening: made.opening, weights: open },
      { source: 'adapter', opening: own.opening, weights: secret },
    ];
    await createProver(bundle, { device, sources });
    expect(open.alive).toEqual(none(3 * 3));
    expect(secret.alive).toEqual(none(2 * 2));
  });

  test('by calibration and comparison', async () => {
    const [open, secret] = [counted(tensors(base)), counted(tensors(adapter))];
    const weights = [
      { source: 'base', weights: open },
      { source: 'adapter', weights: secret },
    ];
    const samples = [{ inputs: new Map([['x', numbers(3, 18)]]) }];
    const { calibration } = await calibrate({ text, weights, samples });
    await compare({ text, calibration, weights, samples });
    expect(open.alive).toEqual(none(3 * 2));
    expect(secret.alive).toEqual(none(2 * 2));
  });
});

describe('a matrix in stretches', () => {
  const weights = weightsOf('weights', tensors(base), []);

  test.each([1, 200, 2 ** 24])('of %i entries and more is the whole matrix', async (least) => {
    const { tensors: integers } = await layWeights(base, weights);
    const whole = layMatrix(base, integers);
    const parts: number[] = [];
    let rows = 0;
    for await (const { firstRow, entries } of stretches(base, weights, least)) {
      expect(firstRow).toBe(rows);
      parts.push(...Array.from(entries, Number));
      rows += entries.length / base.columns;
    }
    expect(parts).toEqual(Array.from(whole, Number));
  });

  test.each([1, 200, 2 ** 24])(
    'of %i entries and more has the digest and the combinations of the whole matrix',
    async (least) => {
      const { tensors: integers, entries } = await layWeights(base, weights);
      const read = await readIntegers(base, weights, false, least);
      expect(read.tensors.map((t) => Array.from(t, Number))).toEqual(integers.map((t) => Array.from(t, Number)));
      expect(read.matrix).toEqual(matrixDigest(entries));
      expect(base.rows).toBeGreaterThanOrEqual(8);
      const all = Array.from({ length: base.rows }, (_, row) => row);
      const combinations = [all, [0], [base.rows - 1], all.filter((row) => row % 2 === 1)].map((rows, k) => ({
        rows: Int32Array.from(rows),
        weights: rows.map((row) => 3n ** 70n + BigInt(7 * row + k)),
      }));
      await device.exclusive(() =>
        device.scope(async () => {
          const vector = device.intVector(entries);
          // Of few rows those alone are laid out.
          for (const own of [combinations, combinations.slice(1, 3)]) {
            const combined = await combineSource(device, base, read.tensors, own, least);
            for (const [k, { rows, weights: of }] of own.entries()) {
              const expected = device.combineRows(vector, base.columns, rows, device.frVector(of));
              expect(await device.readFr(combined[k])).toEqual(await device.readFr(expected));
            }
          }
        }),
      );
    },
  );

  test('has the same commitment, which is told from others in every stretch', async () => {
    const made = await commit(bundle, 'base', tensors(base), { device });
    expect(await commitOpenly(base, weights, device, 1)).toEqual(made);
    const { points } = decodeCommitment(made.commitment);
    expect(await combinesTo(device, base, points, weights, 1)).toBeUndefined();
    for (const { name } of base.tensors) {
      const other = tensors(base, 1).get(name);
      if (!other) throw new Error(`no tensor ${name}`);
      const changed = weightsOf('weights', new Map([...tensors(base), [name, other]]), []);
      expect(await combinesTo(device, base, points, changed, 1)).toBe('it is a commitment to other weights');
    }
  });
});

describe('a reader is checked', () => {
  const reader = weightsOf('weights', tensors(base), []);
  const attempt = (change: Partial<Record<keyof Weights, unknown>>): Promise<unknown> =>
    commit(bundle, 'base', { ...reader, ...change } as Weights, { device });

  test.each<[string, Partial<Record<keyof Weights, unknown>>, abstract new (...args: never[]) => Error, RegExp]>([
    ['a method that is missing', { names: undefined }, ArgumentError, /weights: expected a Map .*got an object/],
    [
      'numbers that are none',
      { read: () => Promise.resolve('one') },
      ArgumentError,
      /weights\.read\(".*"\) gives: expected numbers/,
    ],
    ['a shape that is another', { shape: () => [3] }, ValueError, /has shape \[3\] in the weights/],
    ['a tensor that is missing', { shape: () => undefined }, ValueError, /the weights have no tensor/],
    ['a number too many', { read: () => numbers(0, 10 ** 3) }, ValueError, /has 1000 entries/],
  ])('%s', async (_, change, kind, message) => {
    const error: unknown = await attempt(change).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toMatch(message);
  });
});
