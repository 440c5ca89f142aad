/** The verifier's role of any argument. Shares no state with a prover and returns a reason instead of throwing. */
import { concatBytes } from '@noble/hashes/utils.js';
import type { FrVector, PointVector, VerifierDevice } from '../device/device.ts';
import { absorbRows, decodeBody, pointList, type Argument } from '../protocol/argument.ts';
import { openingArgument } from '../protocol/commitment/opening-argument.ts';
import type { ProofBody } from '../protocol/commitment/sigma.ts';
import { ProtocolContext, type Channel } from '../protocol/context.ts';
import { ProtocolRejection } from '../protocol/sumcheck/sumcheck.ts';
import type { Transcript } from '../protocol/transcript.ts';
import { sigmaEquation, type GroupEquation } from './commitment/sigma.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * The rows of a registered commitment: its points, or, for a prover that has their openings, a way to the same combination of them: points and
 * scalars whose sum is that of weights[i] times row i.
 */
export type RegisteredRows =
  | PointVector
  | {
      combined(weights: readonly bigint[]): Promise<GroupPart>;
    };

export const rejected = (reason: string): Verdict => ({ ok: false, reason });

/**
 * All of an argument but what it asks of the group: `protocol` is run without values on messages whose points nobody has looked at
 * yet. `transcript` has absorbed the statement.
 * @returns the equation, or the reason why the proof is refused
 */
export async function groupEquation(
  argument: Argument,
  transcript: Transcript,
  body: ProofBody,
  protocol: (ctx: ProtocolContext) => Promise<void>,
): Promise<GroupEquation | string> {
  absorbRows(transcript, body.points);
  try {
    const ctx = new ProtocolContext(transcript, channel(body.scalars.messages));
    await protocol(ctx);
    const claim = await openingArgument(ctx, argument.matrices, argument.opening, {
      channel: channel(body.scalars.last),
    });
    return sigmaEquation(argument, transcript, claim, body);
  } catch (e) {
    if (e instanceof ProtocolRejection) return e.message;
    throw e;
  }
}

/**
 * Verifies an argument by itself. `registered` are the validated points of the registered matrices, in order.
 */
export async function verifyArgument(
  device: VerifierDevice,
  argument: Argument,
  transcript: Transcript,
  registered: readonly RegisteredRows[],
  bytes: Uint8Array,
  protocol: (ctx: ProtocolContext) => Promise<void>,
): Promise<Verdict> {
  const body = decodeBody(argument, bytes);
  if (typeof body === 'string') return rejected(body);
  const points = await device.decodePoints(concatBytes(...pointList(body.points)));
  if ('bad' in points) return rejected(`point ${points.bad} of the proof is invalid (${points.reason})`);
  const equation = await groupEquation(argument, transcript, body, protocol);
  if (typeof equation === 'string') return rejected(equation);
  const parts: GroupPart[] = [];
  for (const [m, rows] of registered.entries()) {
    const weights = equation.registered[m];
    parts.push('combined' in rows ? await rows.combined(weights) : { points: rows, scalars: device.frVector(weights) });
  }
  parts.push({ points, scalars: device.frVector(equation.own) });
  return (await isBalanced(device, parts, equation.generators)) ? { ok: true } : rejected(UNBALANCED);
}

const UNBALANCED = 'the commitments do not open to the response';

export interface GroupPart {
  readonly points: PointVector;
  readonly scalars: FrVector;
}

/** Whether multiples of points and of generators add up to the point at infinity. */
export async function isBalanced(
  device: VerifierDevice,
  parts: readonly GroupPart[],
  generators: readonly bigint[],
): Promise<boolean> {
  const points = await device.generators(generators.length - 1);
  const sum = await device.msm([...parts, { points, scalars: device.frVector(generators) }]);
  return sum[0] === 0xc0 && sum.subarray(1).every((b) => b === 0);
}

function channel(messages: readonly bigint[]): Channel {
  let at = 0;
  const next = (): bigint => {
    if (at === messages.length) throw new Error('internal error: the program has more messages than its plan');
    return messages[at++];
  };
  return { masked: next, clear: next };
}
