/** Fresh randomness everywhere, and none of it used twice. */
import { describe, expect, test } from 'vitest';
import { decodeBody, pointList, scalarList, type Argument } from '../../runtime/protocol/argument.ts';
import type { ProverPads } from '../../runtime/prover/commitment/rows.ts';
import { freshEntropy } from '../../runtime/prover/randomness.ts';
import { blindingSeed, rowBlindings } from '../../runtime/prover/commitment/source-matrix.ts';
import { printSource, sha256 } from '../../runtime/protocol/statement/statement.ts';
import { at, program, term } from '../kit/build.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw, entropyOf } from '../kit/draw.ts';
import { createStatement, prove, verify, type Statement } from '../kit/statement.ts';
import { createSubject, drawInputs, type Values } from '../kit/subject.ts';
import { text } from '../soundness/fixture.ts';

const device = await testDevice();
const subject = await createSubject(text(3));
const values = drawInputs(subject, 1);
const statement = await createStatement(device, subject, values);

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

/** Every point and every scalar of a proof, as text. */
function items(argument: Argument, bytes: Uint8Array): string[] {
  const body = decodeBody(argument, bytes);
  if (typeof body === 'string') throw new Error(body);
  return [...pointList(body.points).map(hex), ...scalarList(body.scalars).map(String)];
}

const disjoint = (lists: readonly (readonly (string | bigint)[])[]): void => {
  const all = lists.flat();
  expect(new Set(all).size).toBe(all.length);
};

describe('proofs of one statement', () => {
  test('differ in every message and every point', async () => {
    const proofs: string[][] = [];
    for (let seed = 0; seed < 12; seed++) {
      const proof = await prove(device, statement, { seed });
      expect(await verify(device, statement, proof)).toEqual({ ok: true });
      proofs.push(items(subject.argument, proof.body));
    }
    disjoint(proofs);
  });

  test('are the same bytes for the same entropy', async () => {
    const [a, b] = [await prove(device, statement, { seed: 3 }), await prove(device, statement, { seed: 3 })];
    expect(a.body).toEqual(b.body);
  });

  test('entropy that nobody fixes is fresh', () => {
    expect(freshEntropy()).not.toEqual(freshEntropy());
    expect(freshEntropy()).toHaveLength(32);
  });
});

async function padsOf(s: Statement, seed: number): Promise<bigint[]> {
  let pads: bigint[] = [];
  const collect = (p: ProverPads): void => {
    // The copies of a triple repeat on purpose; every other pad is its own.
    pads = [...new Set([...p.P, ...p.A, ...p.B, ...p.C, ...p.Q])];
  };
  await prove(device, s, { seed, hooks: { pads: collect } });
  return pads;
}

describe('pads under one entropy', () => {
  const changed = (id: number, i: number): Values =>
    new Map([...values, [id, (values.get(id) ?? []).map((v, j) => (j === i ? (v === 0n ? 1n : 0n) : v))]]);

  test('are those of one statement and one witness only', async () => {
    const [x, a] = [0, 1];
    const inputs = await createStatement(device, subject, changed(x, 0));
    const weights = await createStatement(device, subject, changed(a, 0));
    const context = await createStatement(device, subject, values, { context: Uint8Array.of(1) });
    const again = await createStatement(device, subject, values, { seed: 9 });
    disjoint([
      await padsOf(statement, 1),
      await padsOf(inputs, 1),
      await padsOf(weights, 1),
      await padsOf(context, 1),
      await padsOf(again, 1),
      await padsOf(statement, 2),
    ]);
  });

  test('are drawn once per slot', async () => {
    const { pads, opening } = subject.argument;
    const drawn = pads.plain + 3 * pads.triples + opening.lastPads;
    expect((await padsOf(statement, 1)).length).toBe(drawn - pads.copies.size);
  });
});

describe('blindings of commitments', () => {
  const source = subject.gadgets.sources[0];
  const layout = sha256(new TextEncoder().encode(printSource(source)));
  const rows = (s: Statement, i = 0): string[] =>
    Array.from({ length: source.rows }, (_, k) => hex(s.sources[i].points.subarray(48 * k, 48 * k + 48)));

  test('two adapters of one shape share none, whether their entropy differs or not', async () => {
    const other = await createStatement(device, subject, drawInputs(subject, 2));
    const fresh = await createStatement(device, subject, drawInputs(subject, 2), { seed: 5 });
    disjoint([statement, other, fresh].map((s) => s.sources[0].blindings));
    disjoint([statement, other, fresh].map((s) => rows(s)));
  });

  test('one adapter committed twice shares no point, and no row of one commitment another’s blinding', async () => {
    const again = await createStatement(device, subject, values, { seed: 6 });
    disjoint([statement.sources[0].blindings, again.sources[0].blindings]);
    disjoint([rows(statement), rows(again)]);
    expect(items(await rangeArgument(), statement.sources[0].rangeProof)).not.toEqual(
      items(await rangeArgument(), again.sources[0].rangeProof),
    );
  });

  test('rows of zeros are hidden like any other', async () => {
    const zeros = new Map([...values].map(([id, v]) => [id, v.map(() => 0n)] as const));
    disjoint([rows(await createStatement(device, subject, zeros))]);
  });

  test('a seed depends on entropy, layout and content', () => {
    const { entries } = statement.sources[0];
    const moved = entries.slice() as Int16Array;
    [moved[0], moved[1]] = [moved[1] + 1, moved[0]];
    const seeds = [
      blindingSeed(entropyOf(1), layout, entries),
      blindingSeed(entropyOf(2), layout, entries),
      blindingSeed(entropyOf(1), sha256(layout), entries),
      blindingSeed(entropyOf(1), layout, moved),
    ];
    disjoint([seeds.map(hex)]);
    disjoint([rowBlindings(source, seeds[0]), rowBlindings(source, seeds[1])]);
  });
});

async function rangeArgument(): Promise<Argument> {
  const { planRange, planRangeArgument } = await import('../../runtime/protocol/commitment/range-proof.ts');
  const source = subject.gadgets.sources[0];
  return planRangeArgument(source, planRange(source));
}

/**
 * Chi-square with 16 cells: above 80 with probability below 1e-9 for uniform numbers. The seeds are fixed, so that the
 * outcome is, too.
 */
const threshold = 80;

function chiSquare(cells: readonly number[]): number {
  const counts = Array.from({ length: 16 }, () => 0);
  for (const c of cells) counts[c]++;
  const mean = cells.length / 16;
  return counts.reduce((s, n) => s + (n - mean) ** 2 / mean, 0);
}

const order = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

describe('masked messages are uniform', () => {
  // Squares of secrets: rounds, factors, copies, and the opening argument's messages. The value of t is the same every time.
  const tiny = program(
    [
      { name: 's', shape: [2], bits: 4, source: 'a' },
      { name: 't', shape: [], bits: 4, source: 'a' },
    ],
    [
      { name: 'y', shape: [2], terms: [term([at(0, 0), at(0, 0)])] },
      { name: 'w', shape: [], terms: [term([at(1), at(1)])] },
    ],
  );
  const proofs = 512;

  /** For each scalar of the proof: how its leading and its trailing bits are distributed over many proofs. */
  async function statistics(spoil?: (p: ProverPads) => void): Promise<{ labels: readonly string[]; worst: number[] }> {
    const s = await createSubject(tiny);
    const own = await createStatement(
      device,
      s,
      new Map([
        [0, [3n, -5n]],
        [1, [7n]],
      ]),
    );
    const columns: bigint[][] = [];
    for (let seed = 0; seed < proofs; seed++) {
      const { body } = await prove(device, own, { seed, hooks: { pads: spoil } });
      const decoded = decodeBody(s.argument, body);
      if (typeof decoded === 'string') throw new Error(decoded);
      const { messages, last, delta, z, zRho, zQ, zRhoQ, zT } = decoded.scalars;
      for (const [i, v] of [...messages, ...last, delta, zRho, zRhoQ, zT ?? 0n, ...zQ, ...z].entries())
        (columns[i] ??= []).push(v);
    }
    const worst = columns.map((c) =>
      Math.max(chiSquare(c.map((v) => Number((16n * v) / order))), chiSquare(c.map((v) => Number(v % 16n)))),
    );
    return { labels: s.argument.pads.labels, worst };
  }

  test('leading and trailing bits of every message and response', async () => {
    const { worst } = await statistics();
    expect(worst.length).toBeGreaterThan(50);
    expect(worst.filter((x) => x > threshold)).toEqual([]);
  });

  test('the statistic notices a pad that is not uniform', async () => {
    const draw = new Draw('short pads', 1);
    const { labels, worst } = await statistics((p) => void (p.B[0] = BigInt(draw.below(2 ** 30))));
    const t = labels.indexOf('level 1 value of t');
    expect(worst[t]).toBeGreaterThan(threshold);
    expect(worst.slice(0, labels.length).filter((x) => x > threshold)).toHaveLength(1);
  });
});
