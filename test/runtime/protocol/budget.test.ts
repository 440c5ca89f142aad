/** What a bundle may ask of a verifier is counted before any of it is done. */
import { describe, expect, test } from 'vitest';
import { encodeBundle } from '../../../compiler/bundle/bundle.ts';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import {
  BudgetError,
  createVerifier,
  defaultLimit,
  parseLimit,
  planWithin,
  printLimit,
} from '../../../runtime/verifier/index.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import { testDevice } from '../../kit/devices.ts';
import { bundleOf, text } from '../../soundness/fixture.ts';
import { counted } from '../../soundness/work.ts';
import * as hostile from '../../support/hostile.ts';

const device = await testDevice();
const bundle = (gadgets: GadgetProgram): Uint8Array => encodeBundle({ gadgets, tensors: '', kernels: '', sources: [] });

/** Each is well-formed, and small. */
const programs: readonly (readonly [string, GadgetProgram])[] = [
  ['many partly filled axes', hostile.partlyFilled(50, 8, 4)],
  ['many openings', hostile.manyOpenings(200, 16_384)],
  ['wide views', hostile.wideViews(60, 1024)],
  ['views of hidden tensors', hostile.hiddenViews(60, 1024)],
  ['many masks', hostile.manyMasks(60, 1024)],
  ['many summands', hostile.manySummands(800)],
  ['large public tensors', hostile.largePublics(100, 2 ** 22)],
  ['many generators', hostile.manyColumns(16_384)],
  ['wide public tensors', hostile.widePublics(2 ** 20, 250)],
  ['remainders inside remainders', hostile.nestedRemainders(12, 512)],
  ['many stretches of rows', hostile.manyStretches(6000)],
];

describe('a small bundle that asks for much', () => {
  test.each(programs)('%s', async (_, program) => {
    const bytes = bundle(program);
    expect(bytes.length).toBeLessThan(500_000);
    readGadgetProgram(structuredClone(program));
    const { device: watched, work } = counted(device);
    const refused: unknown = await createVerifier(bytes, { device: watched }).catch((e: unknown) => e);
    if (!(refused instanceof BudgetError)) throw new Error('it was not refused');
    expect(refused.message).toMatch(/^needs (about|more than) .* --limit \d+s,\d+[GM]$/);
    expect(refused.needs.milliseconds > defaultLimit.milliseconds || refused.needs.bytes > 1e9).toBe(true);
    expect(refused.limit).toEqual(defaultLimit);
    expect(work).toEqual({ decoded: 0, multiplied: 0, elements: 0 });
    // What it says that it needs is enough.
    expect(refused.isMore).toBe(false);
    expect(await planWithin(program, refused.needs)).toMatchObject(refused.needs);
  });

  test('a count that was cut says so', async () => {
    for (const program of [hostile.manyStretches(1000), hostile.manySummands(100)]) {
      const limit = { milliseconds: 100, bytes: 1e12 };
      const whole = await planWithin(program, parseLimit('1h,100G'));
      const refused: unknown = await planWithin(program, limit).catch((e: unknown) => e);
      expect(refused).toMatchObject({ isMore: true, message: expect.stringMatching(/^needs more than /) as string });
      expect((refused as BudgetError).needs.milliseconds).toBeLessThan(whole.milliseconds);
    }
  });

  test('axes of one index have a price', async () => {
    expect((await planWithin(hostile.manyAxes(100))).milliseconds).toBeGreaterThan(140);
    expect((await planWithin(hostile.manyViewAxes(100))).milliseconds).toBeGreaterThan(240);
  });

  test('what no limit allows is refused when the verifier is created', async () => {
    const refused: unknown = await createVerifier(bundle(hostile.manyOpenings(600, 16_384)), {
      device,
      limit: parseLimit('9h,999G'),
    }).catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(BudgetError);
    const { message, remedy } = refused as BudgetError;
    expect(message).toMatch(/^asks for more than can be verified: more than 16777216 rows/);
    expect(message + remedy).not.toContain('--limit');
  });

  test('rows that are gathered are openings each: so many that they would fill memory are refused, by a prover too', async () => {
    const gathering = (count: number, rows = count): Uint8Array =>
      bundleOf(`model m { dim M = ${rows}, N = ${count}
        source data
        public rows[N]: index<M>
        secret X[M]: fixed<8, 0> from data "x"
        public y = sum(n) X[rows[n]] }`);
    const limit = parseLimit('9h,999G');
    const { estimate } = await createVerifier(gathering(2 ** 20), { device, limit });
    expect(estimate.milliseconds).toBeGreaterThan(40_000);
    const more = gathering(2 ** 20 + 1);
    await expect(createVerifier(more, { device, limit })).rejects.toThrow(/^asks for more .* 1048576 places/);
    await expect(createProver(more, { device, sources: [] })).rejects.toThrow(/too large to prove: .* 1048576 places/);
    // Equal indices are opened once, and a plan makes no openings.
    const few = gathering(2 ** 20 + 1, 1000);
    const weights = new Map([['x', { shape: [1000], values: new Int16Array(1000) }]]);
    const { opening } = await commit(few, 'data', weights, { device });
    expect(await createProver(few, { device, sources: [{ source: 'data', opening, weights }] })).toBeDefined();
  });

  test('it is accepted under a limit that allows what it needs', async () => {
    const program = hostile.partlyFilled(50, 8, 4);
    const { milliseconds, bytes } = await planWithin(program, parseLimit('1h,100G'));
    expect(milliseconds).toBeGreaterThan(defaultLimit.milliseconds);
    const limit = { milliseconds, bytes };
    const verifier = await createVerifier(bundle(program), { device, limit });
    expect(verifier.estimate).toEqual(limit);
    const less = { milliseconds: 0.99 * milliseconds, bytes };
    await expect(createVerifier(bundle(program), { device, limit: less })).rejects.toThrow(BudgetError);
  });

  test('an adapter takes next to nothing', async () => {
    const { estimate } = await createVerifier(bundleOf(text(3)), { device });
    expect(estimate.milliseconds).toBeLessThan(100);
    expect(estimate.bytes).toBeLessThan(10e6);
  });

  test('verifying falsely runs all the way', async () => {
    await hostile.verifyFalsely(device, hostile.partlyFilled(1, 2, 2));
  });
});

describe('limits', () => {
  test.each([
    ['200s,3G', { milliseconds: 200_000, bytes: 3e9 }],
    ['3GB, 1.5min', { milliseconds: 90_000, bytes: 3e9 }],
    ['500ms', { ...defaultLimit, milliseconds: 500 }],
    ['800M', { ...defaultLimit, bytes: 8e8 }],
  ])('%s', (given, limit) => {
    expect(parseLimit(given)).toEqual(limit);
    expect(parseLimit(printLimit(limit)).bytes).toBe(limit.bytes);
  });

  test.each(['', '3', '3s,4s', '3G,4G', '-1s', '1e9s', 'constructor', '3 parsecs', '3s,'])('"%s" is none', (given) => {
    expect(() => parseLimit(given)).toThrow(RangeError);
  });
});
