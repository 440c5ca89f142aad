/** The verifier's role of any argument. Shares no state with a prover and returns a reason instead of throwing. */
import type { FrVector, PointVector, VerifierDevice } from '../device/device.ts';
import { absorbRows, decodeBody, pointList, type Argument } from '../protocol/argument.ts';
import { openingArgument } from '../protocol/commitment/opening-argument.ts';
import { ProtocolContext, type Channel } from '../protocol/context.ts';
import { ProtocolRejection } from '../protocol/sumcheck/sumcheck.ts';
import type { Transcript } from '../protocol/transcript.ts';
import { checkSigma } from './commitment/sigma.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * The rows of a registered commitment: its points, or, for a prover that has their openings, a way to the same combination of them: points and
 * scalars whose sum is that of weights[i] times row i.
 */
export type RegisteredRows =
  | PointVector
  | {
      combined(weights: readonly bigint[]): Promise<{ readonly points: PointVector; readonly scalars: FrVector }>;
    };

export const rejected = (reason: string): Verdict => ({ ok: false, reason });

/**
 * Verifies an argument. `transcript` has absorbed the statement; `registered` are the validated points of the registered
 * matrices, in order. `protocol` is run without values.
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
  const encoded = pointList(body.points);
  const points = await device.decodePoints(concat(encoded));
  if ('bad' in points) return rejected(`point ${points.bad} of the proof is invalid (${points.reason})`);

  absorbRows(transcript, body.points);
  try {
    const ctx = new ProtocolContext(transcript, channel(body.scalars.messages));
    await protocol(ctx);
    const claim = await openingArgument(ctx, argument.matrices, argument.opening, {
      channel: channel(body.scalars.last),
    });
    const reason = await checkSigma(device, argument, transcript, claim, registered, points, body);
    return reason === undefined ? { ok: true } : rejected(reason);
  } catch (e) {
    if (e instanceof ProtocolRejection) return rejected(e.message);
    throw e;
  }
}

function channel(messages: readonly bigint[]): Channel {
  let at = 0;
  const next = (): bigint => {
    if (at === messages.length) throw new Error('internal error: the program has more messages than its plan');
    return messages[at++];
  };
  return { masked: next, clear: next };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
