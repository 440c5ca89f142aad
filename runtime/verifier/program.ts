/** Verifies a program's proof. */
import { concatBytes } from '@noble/hashes/utils.js';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { VerifierDevice } from '../device/device.ts';
import { decodeBody, pointList, type Argument } from '../protocol/argument.ts';
import type { ProtocolContext } from '../protocol/context.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { programProtocol, publicDigests } from '../protocol/program.ts';
import { verifierRole } from '../protocol/statement/publics.ts';
import { programTranscript } from '../protocol/statement/statement.ts';
import type { Transcript } from '../protocol/transcript.ts';
import { groupEquation, verifyArgument, type RegisteredRows, type Verdict } from './argument.ts';
import type { GroupEquation } from './commitment/sigma.ts';

/** A proof and its statement. */
export interface ProofToVerify {
  readonly program: GadgetProgram;
  readonly programDigest: Uint8Array;
  readonly argument: Argument;
  readonly context: Uint8Array;
  /** One per source of the program. */
  readonly commitments: readonly { readonly digest: Uint8Array }[];
  /** Public inputs and outputs, already inside their ranges. */
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
}

export interface VerificationRequest extends ProofToVerify {
  readonly commitments: readonly { readonly digest: Uint8Array; readonly rows: RegisteredRows }[];
}

export const verifyProgram = (device: VerifierDevice, request: VerificationRequest): Promise<Verdict> =>
  device.scope(async () => {
    const rows = request.commitments.map((c) => c.rows);
    const { argument, body } = request;
    return verifyArgument(device, argument, transcriptOf(request), rows, body, protocolOf(device, request));
  });

/** All of verifying a proof but what it asks of the group, and its points, 48 bytes each, which are yet to be looked at; or why it is refused. */
export const programEquation = (
  device: VerifierDevice,
  proof: ProofToVerify,
): Promise<{ readonly equation: GroupEquation; readonly points: Uint8Array } | string> =>
  device.scope(async () => {
    const body = decodeBody(proof.argument, proof.body);
    if (typeof body === 'string') return body;
    const equation = await groupEquation(proof.argument, transcriptOf(proof), body, protocolOf(device, proof));
    return typeof equation === 'string' ? equation : { equation, points: concatBytes(...pointList(body.points)) };
  });

const transcriptOf = ({ program, programDigest, context, commitments, publics }: ProofToVerify): Transcript =>
  programTranscript({
    program: programDigest,
    context,
    commitments: commitments.map((c) => c.digest),
    publics: publicDigests(program, publics),
  });

function protocolOf(
  device: VerifierDevice,
  { program, publics }: ProofToVerify,
): (ctx: ProtocolContext) => Promise<void> {
  const role = verifierRole(device, program, publics);
  return (ctx) => programProtocol(ctx, program, role);
}
