/** The range proof of a source's matrix: the prover's side of `protocol/commitment/range-proof.ts`. */
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { LIMB_BITS } from '../../../compiler/ir/numbers/limits.ts';
import type { Device } from '../../device/device.ts';
import { encodeBody } from '../../protocol/argument.ts';
import {
  planRange,
  planRangeArgument,
  rangeProtocol,
  type RangePlan,
  type RowStretch,
} from '../../protocol/commitment/range-proof.ts';
import { rangeTranscript, releaseTag } from '../../protocol/statement/statement.ts';
import { proveArgument, type ProverHooks } from '../argument.ts';
import { Held } from '../held.ts';
import { rowLookupProver, type RowLookupWitness } from '../lookup/row-lookups.ts';
import { Randomness } from '../randomness.ts';
import { matrixOn, type ProverMatrix } from './rows.ts';
import { matrixDigest } from './source-matrix.ts';
import type { MatrixEntries } from '../../protocol/commitment/matrix.ts';

/** @param digest names the commitment to `registered`, the source's matrix, whose entries these are */
export async function proveSourceRange(
  device: Device,
  source: CommittedSource,
  digest: Uint8Array,
  registered: ProverMatrix,
  entries: MatrixEntries,
  entropy: Uint8Array,
  hooks?: ProverHooks,
  treeMemory?: number,
): Promise<Uint8Array> {
  const plan = planRange(source);
  const argument = await planRangeArgument(source, plan);
  const randomness = new Randomness('range proof', entropy, releaseTag('range proof'), digest, matrixDigest(entries));
  const { witness, matrices } = await rangeWitness(device, source, plan, entries, hooks);
  const held = new Held(device);
  const committed = matrices.map(({ rows, columns, entries: limbs }) => {
    const own = device.intVector(limbs);
    return matrixOn(device, { rows, columns, blindings: randomness.scalars(rows) }, () => own);
  });
  const body = await proveArgument(
    device,
    argument,
    rangeTranscript(digest),
    [registered, ...committed],
    randomness,
    (ctx) =>
      rangeProtocol(ctx, source, plan, rowLookupProver(device, plan.lookups, witness, held, { memory: treeMemory })),
    hooks,
  ).finally(() => held.releaseAll());
  return encodeBody(argument, body);
}

/** Looked-up values, multiplicities and limbs, as the plan orders them. */
async function rangeWitness(
  device: Device,
  source: CommittedSource,
  plan: RangePlan,
  entries: MatrixEntries,
  hooks: ProverHooks | undefined,
): Promise<{ witness: RowLookupWitness; matrices: { rows: number; columns: number; entries: Int32Array }[] }> {
  const { columns } = source;
  const { tables } = plan.lookups;
  const offsetOf = ({ bits }: RowStretch): bigint => 2n ** BigInt(bits - 1);
  const limbs = plan.limbs.map(({ stretch, limb }) => {
    const out = new Int32Array(stretch.rows * columns);
    const [offset, shift] = [offsetOf(stretch), BigInt(LIMB_BITS * limb)];
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
