/** Verifies a program's proof. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { PointVector, VerifierDevice } from '../device/device.ts';
import type { Argument } from '../protocol/argument.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { programProtocol, publicDigests } from '../protocol/program.ts';
import { verifierRole } from '../protocol/statement/publics.ts';
import { programTranscript } from '../protocol/statement/statement.ts';
import { verifyArgument, type RegisteredRows, type Verdict } from './argument.ts';

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
  readonly commitments: readonly { readonly digest: Uint8Array; readonly rows: RegisteredRows }[];
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
    const role = verifierRole(device, program, publics);
    const rows = request.commitments.map((c) => c.rows);
    return verifyArgument(device, request.argument, transcript, rows, request.body, (ctx) =>
      programProtocol(ctx, program, role),
    );
  });
}
