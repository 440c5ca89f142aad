/**
 * What each constraint is for: a forgery is accepted by a verifier that forgot it, and rejected by the real one. A test
 * that only saw the rejection would not know which check it is due to.
 */
import { describe, expect, test } from 'vitest';
import type { Device } from '../../runtime/device/device.ts';
import { setEntry, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { slotMap } from '../../runtime/protocol/commitment/layout.ts';
import { encodeBody } from '../../runtime/protocol/argument.ts';
import {
  planRange,
  planRangeArgument,
  rangeProtocol,
  type RangePlan,
} from '../../runtime/protocol/commitment/range-proof.ts';
import { add, mul, sub } from '../../runtime/protocol/scalar.ts';
import { commitmentDigest, rangeTranscript } from '../../runtime/protocol/statement/statement.ts';
import type { Transcript } from '../../runtime/protocol/transcript.ts';
import { proveArgument } from '../../runtime/prover/argument.ts';
import { Held } from '../../runtime/prover/held.ts';
import { rowLookupProver, type RowLookupWitness } from '../../runtime/prover/lookup/row-lookups.ts';
import { Randomness } from '../../runtime/prover/randomness.ts';
import { matrixOn } from '../../runtime/prover/commitment/rows.ts';
import { commitSource } from '../../runtime/prover/commitment/source.ts';
import { layMatrix, type MatrixEntries } from '../../runtime/protocol/commitment/matrix.ts';
import { matrixDigest, rowBlindings } from '../../runtime/prover/commitment/source-matrix.ts';
import { verifyArgument, type Verdict } from '../../runtime/verifier/argument.ts';
import { at, program, sumOfProducts, term } from '../kit/build.ts';
import { testDevice } from '../kit/devices.ts';
import { entropyOf } from '../kit/draw.ts';
import { isCopy, keepOnly, proveLie, verifyForgetful } from '../kit/liar.ts';
import { createStatement, prove, validate, verify, type Committed, type Statement } from '../kit/statement.ts';
import { createSubject, drawInputs, type Subject } from '../kit/subject.ts';
import { text } from './fixture.ts';

const device: Device = await testDevice();

const everything = (): boolean => true;
const bump =
  (id: number, by: bigint) =>
  (publics: Map<number, IntegerArray>): void => {
    const values = (publics.get(id) ?? []).slice() as IntegerArray;
    setEntry(values, 0, BigInt(values[0]) + by);
    publics.set(id, values);
  };

describe('copy constraints', () => {
  const square = program(
    [{ name: 's', shape: [], bits: 8, source: 'a' }],
    [{ name: 'y', shape: [], terms: [term([at(0), at(0)])] }],
  );

  test('without them a square proves to be one more than it is; with them it does not', async () => {
    const subject = await createSubject(square);
    const statement = await createStatement(device, subject, drawInputs(subject, 1));
    expect(subject.argument.pads.copies.size).toBe(2);
    // The product's triple takes other pads than the factor's: its product is 1 too large, and it is a true product.
    const pads = (p: { A: bigint[]; B: bigint[]; C: bigint[] }): void => {
      p.A[1] = add(mul(p.A[0], p.A[0]), 1n);
      p.B[1] = 1n;
      p.C[1] = p.A[1];
    };
    for (const keep of [everything, (v: Parameters<typeof isCopy>[0]): boolean => !isCopy(v)]) {
      const lie = await proveLie(device, statement, { publics: bump(1, 1n), hooks: { pads }, keep });
      expect(await verify(device, statement, lie)).toMatchObject({ ok: false });
      expect((await verifyForgetful(device, statement, lie, keep)).ok).toBe(keep !== everything);
    }
  });
});

describe('products of pads', () => {
  /** 34 products are two rows of triples in 32 columns. */
  const sums = (count: number) => sumOfProducts(count, (k) => (k < 32 ? 1n : 2n));

  test('a wrong product is rejected', async () => {
    const subject = await createSubject(sums(2));
    expect(subject.argument.pads.triples).toBe(2);
    const statement = await createStatement(device, subject, drawInputs(subject, 2));
    const pads = (p: { C: bigint[] }): void => void (p.C[1] = add(p.C[1], 5n));
    expect(await verify(device, statement, await prove(device, statement))).toEqual({ ok: true });
    expect(
      await verify(device, statement, await proveLie(device, statement, { publics: bump(4, 5n), hooks: { pads } })),
    ).toMatchObject({ ok: false });
  });

  test('errors in two rows of triples do not cancel each other', async () => {
    const subject = await createSubject(sums(34));
    expect(subject.argument.opening.tripleRows).toBe(2);
    const statement = await createStatement(device, subject, drawInputs(subject, 3));
    expect(await verify(device, statement, await prove(device, statement))).toEqual({ ok: true });
    // Products 0 and 32 stand in one column of two rows, and have the weights 1 and 2: 5 - 2 * 5 = -5 in the output.
    const pads = (p: { C: bigint[] }): void => {
      p.C[0] = add(p.C[0], 5n);
      p.C[32] = sub(p.C[32], 5n);
    };
    expect(
      await verify(device, statement, await proveLie(device, statement, { publics: bump(68, -5n), hooks: { pads } })),
    ).toMatchObject({ ok: false });
  });
});

describe('slots outside the tensors', () => {
  /** The columns of rank 3 are those of rank 4, so a committer can fill the fourth and prove with it. */
  async function forge(): Promise<{ statement: Statement; forged: Committed; pretend: Subject }> {
    const [subject, pretend] = [await createSubject(text(3)), await createSubject(text(4, 4))];
    const values = drawInputs(pretend, 4);
    const large = await createStatement(device, pretend, values);
    const source = subject.gadgets.sources[0];
    const entries = layMatrix(pretend.gadgets.sources[0], large.sources[0].tensors);
    expect(source.tensors.map((t) => [t.firstRow, t.rows, ...t.axes.map((a) => a.columnBits)])).toEqual(
      pretend.gadgets.sources[0].tensors.map((t) => [t.firstRow, t.rows, ...t.axes.map((a) => a.columnBits)]),
    );
    const blindings = rowBlindings(source, entropyOf(5));
    const { points, rangeProof } = await commitSource(device, source, entries, blindings, entropyOf(5));
    const digest = commitmentDigest(source, points);
    const forged = {
      tensors: large.sources[0].tensors,
      entries,
      matrix: matrixDigest(entries),
      blindings,
      digest,
      points,
      rangeProof,
    };
    return { statement: { ...large, subject, sources: [forged] }, forged, pretend };
  }

  test('a forged padding entry at rank 3 proves a wrong output, and its commitment is refused', async () => {
    const { statement, forged, pretend } = await forge();
    const lie = await proveLie(device, statement, { pretend });
    // Given the commitment, the proof is one: outputs of rank 4 where rank 3 is declared. Nothing but the zero relations of
    // the range proof stands in its way.
    expect(await verify(device, statement, lie)).toEqual({ ok: true });
    expect(await validate(device, statement.subject, 0, forged)).toMatchObject({ ok: false });

    const isZeroRelation = (v: Parameters<typeof isCopy>[0]): boolean =>
      v.form.pads.size === 0 && v.openings.some((o) => o.columns.some((d) => d.limit !== undefined));
    expect(await verifyRangeForgetful(statement.subject, forged, (v) => !isZeroRelation(v))).toEqual({ ok: true });
    expect(await verifyRangeForgetful(statement.subject, forged, everything)).toMatchObject({ ok: false });
  });

  test('every single slot outside is refused', async () => {
    const subject = await createSubject(text(3));
    const statement = await createStatement(device, subject, drawInputs(subject, 6));
    const source = subject.gadgets.sources[0];
    const slots = source.tensors.flatMap((t) => {
      const used = 2 ** t.axes.reduce((n, a) => n + a.columnBits, 0);
      return [...slotMap(t, source.columns)].flatMap((p, slot) =>
        p < 0 && slot % source.columns < used ? [t.firstRow * source.columns + slot] : [],
      );
    });
    expect(slots.length).toBeGreaterThan(10);
    for (const slot of slots.filter((_, i) => i % 9 === 0)) {
      const entries = statement.sources[0].entries.slice() as Int16Array;
      entries[slot] = 1;
      expect(await validateMatrix(subject, entries), `slot ${slot}`).toMatchObject({ ok: false });
    }
  });

  async function verifyRangeForgetful(
    { gadgets }: Subject,
    c: Committed,
    keep: (v: Parameters<typeof isCopy>[0]) => boolean,
  ): Promise<Verdict> {
    const source = gadgets.sources[0];
    const plan = planRange(source);
    const argument = await planRangeArgument(source, plan);
    const transcript = (): Transcript => rangeTranscript(c.digest);
    return device.scope(async () => {
      await device.prepareGenerators(source.columns + 1);
      const { witness, multiplicities } = narrowWitness(plan, c.entries, source.columns);
      const randomness = new Randomness('test', entropyOf(7));
      const [entries, counts] = [c.entries, multiplicities].map((own) => device.intVector(own));
      const shape = { rows: source.rows, columns: source.columns, blindings: c.blindings };
      const registered = matrixOn(device, shape, () => entries);
      const blindings = randomness.scalars(plan.matrices[1].rows);
      const of = { rows: plan.matrices[1].rows, columns: source.columns, blindings };
      const table = matrixOn(device, of, () => counts);
      const body = await proveArgument(device, argument, transcript(), [registered, table], randomness, async (ctx) => {
        await rangeProtocol(ctx, source, plan, rowLookupProver(device, plan.lookups, witness, new Held(device)));
        keepOnly(ctx, keep);
      });
      const rows = await device.decodePoints(c.points);
      if ('bad' in rows) throw new Error('no points');
      return verifyArgument(device, argument, transcript(), [rows], encodeBody(argument, body), async (ctx) => {
        await rangeProtocol(ctx, source, plan);
        keepOnly(ctx, keep);
      });
    });
  }

  /** Looked-up values and multiplicities of a matrix of one narrow type. */
  function narrowWitness(
    plan: RangePlan,
    entries: MatrixEntries,
    columns: number,
  ): { witness: RowLookupWitness; multiplicities: Int32Array } {
    const [table] = plan.lookups.tables;
    expect(plan.lookups.tables).toHaveLength(1);
    const values = plan.lookups.columns.map((c) => {
      const first = c.parts[0].firstRow * columns;
      return Int32Array.from(
        { length: 2 ** (c.rowBits + c.columnBits) },
        (_, i) => Number(entries[first + i]) + 2 ** (table.bits - 1),
      );
    });
    const multiplicities = new Int32Array(Math.max(columns, 2 ** table.bits));
    for (const v of values) for (const x of v) multiplicities[x]++;
    return { witness: { values, multiplicities: [multiplicities] }, multiplicities };
  }
});

async function validateMatrix(
  subject: Subject,
  entries: Int16Array | Int32Array,
  on: Device = device,
): Promise<Verdict> {
  const source = subject.gadgets.sources[0];
  const made = await commitSource(on, source, entries, rowBlindings(source, entropyOf(8)), entropyOf(8), {
    count: countAnything,
  });
  return validate(device, subject, 0, made);
}

/** Counts what has a place; an honest prover refuses the rest. */
function countAnything(values: Int32Array, size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const v of values) if (v >= 0 && v < size) counts[v]++;
  return counts;
}

describe('ranges', () => {
  test('a committed value outside its type is refused, wherever it stands', async () => {
    const subject = await createSubject(text(3));
    const statement = await createStatement(device, subject, drawInputs(subject, 9));
    const honest = statement.sources[0].entries as Int16Array;
    expect(await validateMatrix(subject, honest)).toEqual({ ok: true });
    for (const [slot, v] of [
      [0, 8],
      [0, -9],
      [33, 100],
      [honest.length - 1, 8],
      [1, 8 + 16],
      [1, -32768],
    ]) {
      const entries = honest.slice();
      entries[slot] = v;
      expect(await validateMatrix(subject, entries), `${v} in slot ${slot}`).toMatchObject({ ok: false });
    }
  });

  test('multiplicities that do not count are refused', async () => {
    const subject = await createSubject(text(3));
    const statement = await createStatement(device, subject, drawInputs(subject, 10));
    const honest = statement.sources[0].entries as Int16Array;
    for (const change of [
      (m: Int32Array): void => void m[0]++,
      (m: Int32Array): void => void ([m[0], m[8]] = [m[0] - 1, m[8] + 1]),
      (m: Int32Array): void => void m.fill(0),
    ]) {
      let calls = 0;
      // The second vector that a committer uploads is the table of multiplicities, which its tree is built from, too.
      const lying: Device = {
        ...device,
        intVector(values) {
          if (++calls === 2) change(values as Int32Array);
          return device.intVector(values);
        },
      };
      expect(await validateMatrix(subject, honest, lying)).toMatchObject({ ok: false });
    }
  });

  test('multiplicities that make up for a value outside the table are refused', async () => {
    const subject = await createSubject(text(3));
    const statement = await createStatement(device, subject, drawInputs(subject, 11));
    const entries = (statement.sources[0].entries as Int16Array).slice();
    entries[0] = 8;
    for (let k = 0; k < 16; k += 5) {
      let calls = 0;
      const lying: Device = {
        ...device,
        intVector(values) {
          if (++calls === 2) (values as Int32Array)[k]++;
          return device.intVector(values);
        },
      };
      expect(await validateMatrix(subject, entries, lying)).toMatchObject({ ok: false });
    }
  });
});
