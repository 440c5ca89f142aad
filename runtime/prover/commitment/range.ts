/** Commits a source's matrix and proves its range: the prover's side of `protocol/range.ts`. */
import type { CommittedSource, CommittedTensor } from '../../../compiler/ir/gadget/program.ts';
import { limbBits } from '../../../compiler/ir/numbers/limits.ts';
import type { Device } from '../../device/device.ts';
import { encodeBody } from '../../protocol/argument.ts';
import { allocate, entry, type IntegerArray } from '../../protocol/statement/integers.ts';
import { forEachRun } from '../../protocol/commitment/layout.ts';
import {
  planRange,
  planRangeArgument,
  proveRange,
  rangeColumns,
  type RangePlan,
  type RowStretch,
} from '../../protocol/commitment/range.ts';
import { commitmentDigest, rangeTranscript, releaseTag, sha256 } from '../../protocol/statement/statement.ts';
import { proveArgument, type ProverHooks, type ProverMatrix } from '../argument.ts';
import { Held } from '../held.ts';
import { treeProver, type LookupWitness } from '../lookup/range.ts';
import { Randomness } from '../randomness.ts';

/** All entries of a source's matrix, row-major, in the narrowest storage for its widest tensor. */
export type MatrixEntries = Int16Array | Int32Array | BigInt64Array;

export interface Commitment {
  /** One compressed point of 48 bytes per row. */
  readonly points: Uint8Array;
  readonly rangeProof: Uint8Array;
}

/** Lays the tensors' row-major integers out as the source's matrix. */
export function layMatrix(source: CommittedSource, tensors: readonly IntegerArray[]): MatrixEntries {
  const out = emptyRows(source, source.rows);
  for (const [k, t] of source.tensors.entries()) layTensor(source, t, tensors[k], out);
  return out;
}

/** So many of a source's rows, with zeros in them. */
export function emptyRows(source: CommittedSource, rows: number): MatrixEntries {
  const bits = Math.max(...source.tensors.map((t) => t.bits));
  const half = 2n ** BigInt(bits - 1);
  return allocate({ lo: -half, hi: half - 1n }, rows * source.columns) as MatrixEntries;
}

/** Lays one of the source's tensors out in rows of its matrix, of which `out` begins with the row `firstRow`. */
export function layTensor(
  { columns }: CommittedSource,
  t: CommittedTensor,
  values: IntegerArray,
  out: MatrixEntries,
  firstRow = 0,
): void {
  const first = (t.firstRow - firstRow) * columns;
  forEachRun(t, columns, (slot, position, count) => {
    if (out.constructor === values.constructor && count > 8) {
      out.set((values as Int16Array).subarray(position, position + count) as never, first + slot);
      return;
    }
    for (let i = 0; i < count; i++)
      if (out instanceof BigInt64Array) out[first + slot + i] = entry(values, position + i);
      else out[first + slot + i] = Number(values[position + i]);
  });
}

/** The blindings of a source's rows, from the seed that the opening file keeps. */
export const rowBlindings = (source: CommittedSource, seed: Uint8Array): bigint[] =>
  new Randomness('row blindings', seed).scalars(source.rows);

/** What binds an opening to the weights it was made for. */
export const matrixDigest = (entries: MatrixEntries): Uint8Array => sha256(bytesOf(entries));

/** As a digest takes them: of a matrix in parts, in the order of its rows. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: MatrixEntries): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A seed for `rowBlindings`: depends on the entropy, the layout and the content, so that no two matrices share one. */
export const blindingSeed = (entropy: Uint8Array, layout: Uint8Array, entries: MatrixEntries): Uint8Array =>
  new Randomness('blinding seed', entropy, layout, matrixDigest(entries)).bytes(32);

/** The points of rows of an open source: without blindings, so that everybody gets the same for the same numbers. */
export async function commitOpen(device: Device, source: CommittedSource, entries: MatrixEntries): Promise<Uint8Array> {
  return device.scope(async () => {
    await device.prepareGenerators(source.columns + 1);
    const vector = device.intVector(entries);
    const rows = await device.commit(
      Array.from({ length: entries.length / source.columns }, (_, i) => ({
        vector,
        offset: i * source.columns,
        length: source.columns,
        blinding: 0n,
      })),
    );
    const points = new Uint8Array(48 * rows.length);
    for (const [i, p] of rows.entries()) points.set(p, 48 * i);
    return points;
  });
}

export async function commitSource(
  device: Device,
  source: CommittedSource,
  entries: MatrixEntries,
  blindings: readonly bigint[],
  entropy: Uint8Array,
  hooks?: ProverHooks,
  treeMemory?: number,
): Promise<Commitment> {
  return device.scope(async () => {
    await device.prepareGenerators(rangeColumns(source) + 1);
    const vector = device.intVector(entries);
    const registered: ProverMatrix = { rows: source.rows, columns: source.columns, vector: () => vector, blindings };
    const rows = await device.commit(
      blindings.map((blinding, i) => ({ vector, offset: i * source.columns, length: source.columns, blinding })),
    );
    const points = new Uint8Array(48 * rows.length);
    for (const [i, p] of rows.entries()) points.set(p, 48 * i);

    const plan = planRange(source);
    const argument = await planRangeArgument(source, plan);
    const digest = commitmentDigest(source, points);
    const randomness = new Randomness('range proof', entropy, releaseTag('range proof'), digest, matrixDigest(entries));
    const { witness, matrices } = await rangeWitness(device, source, plan, entries, hooks);
    const held = new Held(device);
    const committed = matrices.map((m) => {
      const own = device.intVector(m.entries);
      return { ...m, vector: () => own, blindings: randomness.scalars(m.rows) };
    });
    const body = await proveArgument(
      device,
      argument,
      rangeTranscript(digest),
      [registered, ...committed],
      randomness,
      (ctx) => proveRange(ctx, source, plan, treeProver(device, plan.lookups, witness, held, { memory: treeMemory })),
      hooks,
    ).finally(() => held.releaseAll());
    return { points, rangeProof: encodeBody(argument, body) };
  });
}

/** Looked-up values, multiplicities and limbs, as the plan orders them. */
async function rangeWitness(
  device: Device,
  source: CommittedSource,
  plan: RangePlan,
  entries: MatrixEntries,
  hooks: ProverHooks | undefined,
): Promise<{ witness: LookupWitness; matrices: { rows: number; columns: number; entries: Int32Array }[] }> {
  const { columns } = source;
  const { tables } = plan.lookups;
  const offsetOf = ({ bits }: RowStretch): bigint => 2n ** BigInt(bits - 1);
  const limbs = plan.limbs.map(({ stretch, limb }) => {
    const out = new Int32Array(stretch.rows * columns);
    const [offset, shift] = [offsetOf(stretch), BigInt(limbBits * limb)];
    for (let i = 0; i < out.length; i++)
      out[i] = Number(((BigInt(entries[stretch.firstRow * columns + i]) + offset) >> shift) & 0xffffn);
    return out;
  });
  const values = plan.lookups.columns.map((c) => {
    const out = new Int32Array(2 ** (c.rowBits + c.columnBits));
    const own = c.parts[0];
    if (own.matrix > 0)
      out.set(
        limbs[own.matrix - 1 - tables.length].subarray(own.firstRow * columns, own.firstRow * columns + out.length),
      );
    else {
      const stretch = plan.stretches.find((s) => own.firstRow >= s.firstRow && own.firstRow < s.firstRow + s.rows);
      if (!stretch) throw new Error('internal error: a lookup column outside all stretches');
      const shift = stretch.bits - tables[c.table].bits;
      const first = own.firstRow * columns;
      if (entries instanceof BigInt64Array)
        for (let i = 0; i < out.length; i++) out[i] = Number((entries[first + i] + offsetOf(stretch)) >> BigInt(shift));
      else {
        const [offset, divisor] = [2 ** (stretch.bits - 1), 2 ** shift];
        for (let i = 0; i < out.length; i++) out[i] = Math.floor((entries[first + i] + offset) / divisor);
      }
    }
    return out;
  });
  const multiplicities = tables.map((t) => new Int32Array(Math.max(2 ** t.bits, t.columns)));
  for (const [c, v] of values.entries()) {
    const m = multiplicities[plan.lookups.columns[c].table];
    const counts =
      hooks?.count?.(v, m.length) ??
      (await device.scope(async () => device.histogram(device.intVector(v), 0, m.length)));
    for (let i = 0; i < m.length; i++) m[i] += counts[i];
  }
  const matrices = [
    ...multiplicities.map((m, t) => ({ rows: m.length / tables[t].columns, columns: tables[t].columns, entries: m })),
    ...limbs.map((l) => ({ rows: l.length / columns, columns, entries: l })),
  ];
  return { witness: { values, multiplicities }, matrices };
}
