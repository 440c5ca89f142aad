/** Validates a commitment once: its points, and the range proof that goes with it. */
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { PointVector, VerifierDevice } from '../../device/device.ts';
import { planRange, planRangeArgument, rangeProtocol } from '../../protocol/commitment/range-proof.ts';
import { commitmentDigest, rangeTranscript } from '../../protocol/statement/statement.ts';
import { rejected, verifyArgument, type Verdict } from '../argument.ts';

/** Decodes the rows' points; a verdict if they are not `source.rows` points of the group. */
export async function decodeRows(
  device: VerifierDevice,
  source: CommittedSource,
  points: Uint8Array,
): Promise<PointVector | Verdict> {
  if (points.length !== 48 * source.rows)
    return rejected(
      `the commitment has ${points.length} bytes of points, ${source.name} has ${source.rows} rows of 48`,
    );
  const rows = await device.decodePoints(points);
  return 'bad' in rows ? rejected(`row ${rows.bad} of the commitment is no valid point (${rows.reason})`) : rows;
}

export async function verifyRangeProof(
  device: VerifierDevice,
  source: CommittedSource,
  points: Uint8Array,
  rows: PointVector,
  rangeProof: Uint8Array,
): Promise<Verdict> {
  const plan = planRange(source);
  const argument = await planRangeArgument(source, plan);
  const transcript = rangeTranscript(commitmentDigest(source, points));
  return verifyArgument(device, argument, transcript, [rows], rangeProof, (ctx) => rangeProtocol(ctx, source, plan));
}
