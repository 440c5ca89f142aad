/** Verifies a program's proof. */
import type { GadgetProgram } from '../../compiler/gadget/program.ts';
import type { PointVector, VerifierDevice } from '../device/device.ts';
import type { Argument } from '../protocol/argument.ts';
import type { IntegerArray } from '../protocol/integers.ts';
import { proveLevels } from '../protocol/levels.ts';
import { publicDigests } from '../protocol/program.ts';
import { evaluateExtension, evaluateViewWeight, KnownTensors } from '../protocol/publics.ts';
import { programTranscript } from '../protocol/statement.ts';
import { verifyArgument, type Verdict } from './argument.ts';

/** A commitment whose points and range proof were validated. */
export interface ValidCommitment {
  readonly digest: Uint8Array;
  readonly rows: PointVector;
}

export interface VerificationRequest {
  readonly program: GadgetProgram;
  readonly programDigest: Uint8Array;
  readonly argument: Argument;
  readonly context: Uint8Array;
  /** One per source of the program. */
  readonly commitments: readonly ValidCommitment[];
  /** Public inputs and outputs, already inside their ranges. */
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
}

export async function verifyProgram(device: VerifierDevice, request: VerificationRequest): Promise<Verdict> {
  const { program, publics } = request;
  return device.scope(async () => {
    const transcript = programTranscript({
      program: request.programDigest,
      context: request.context,
      commitments: request.commitments.map((c) => c.digest),
      publics: publicDigests(program, publics),
    });
    const known = new KnownTensors(device, program, publics);
    const rows = request.commitments.map((c) => c.rows);
    return verifyArgument(device, request.argument, transcript, rows, request.body, (ctx) =>
      proveLevels(ctx, program, {
        evaluate: (id, point) => evaluateExtension(device, known.tensor(id), program.tensors[id].shape, point),
        evaluateView: (view, claim, point) => evaluateViewWeight(device, program, view, claim, point),
      }),
    );
  });
}
