/**
 * A prover's check of its own proof, by the verifier itself, before anybody else sees it: a processor or a driver that is at fault
 * makes a proof that no verifier accepts, and its maker has to be the first to know.
 *
 * What a verifier takes from the registered commitments is one combination of their points. The prover has none of the points, but their
 * openings: it commits to the same combination of rows. An opening of another commitment than the one that is registered, such as one with a wrong seed
 * and the check sum of that, is thus not found here: the proof is right for the rows that the prover has.
 */
import { ZklError } from '../../compiler/ir/errors.ts';
import type { Device } from '../device/device.ts';
import { add, mul } from '../protocol/scalar.ts';
import type { RegisteredRows } from '../verifier/argument.ts';
import { verifyProgram, type VerificationRequest } from '../verifier/program.ts';
import type { ProverMatrix } from './commitment/rows.ts';

/** The proof that was made is not accepted by the verifier: nothing is wrong with the weights or the inputs. */
export class SelfCheckError extends ZklError {
  constructor(reason: string) {
    super(
      'SelfCheckError',
      'ZKL_SELF_CHECK',
      `the proof that was made is wrong, and is not given out: its own verifier says that ${reason}`,
      { remedy: 'try again; if it happens again, use another device (wasm, reference) or another machine' },
    );
  }
}

/** @throws SelfCheckError unless the verifier accepts the proof */
export async function selfCheck(
  device: Device,
  request: Omit<VerificationRequest, 'commitments'> & {
    readonly sources: readonly { readonly digest: Uint8Array }[];
    readonly matrices: readonly ProverMatrix[];
  },
): Promise<void> {
  const { sources, matrices, ...statement } = request;
  const commitments = sources.map(({ digest }, i) => ({ digest, rows: opened(device, matrices[i]) }));
  const verdict = await verifyProgram(device, { ...statement, commitments });
  if (!verdict.ok) throw new SelfCheckError(verdict.reason);
}

/** sum of weights[i] C_i, as a commitment to the sum of weights[i] times row i. */
const opened = (device: Device, { columns, combine, blindings }: ProverMatrix): RegisteredRows => ({
  async combined(weights) {
    const rows = weights.flatMap((w, i) => (w === 0n ? [] : [i]));
    const [combined] = await combine([{ rows: Int32Array.from(rows), weights: rows.map((i) => weights[i]) }]);
    const row = await device.readFr(combined);
    const blinding = rows.reduce((sum, i) => add(sum, mul(weights[i], blindings[i])), 0n);
    return { points: await device.generators(columns), scalars: device.frVector([...row, blinding]) };
  },
});
