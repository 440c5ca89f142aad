/** The prover's role of any argument: masks and sends messages, closes all relations, answers the Sigma protocol. */
import type { Device, FrVector } from '../device/device.ts';
import { absorbRows, type Argument } from '../protocol/argument.ts';
import { openingArgument, weightedRows, type MergedOpening } from '../protocol/commitment/opening-argument.ts';
import type { ProofBody, ProofScalars } from '../protocol/commitment/sigma.ts';
import { ProtocolContext, type Channel } from '../protocol/context.ts';
import { padIndex, padKind } from '../protocol/form.ts';
import * as Fr from '../protocol/scalar.ts';
import type { Transcript } from '../protocol/transcript.ts';
import { columnProver } from './commitment/opening-argument.ts';
import {
  commitRows,
  drawPads,
  padRows,
  type ProverMatrix,
  type ProverPads,
  type ProverState,
} from './commitment/rows.ts';
import { respond } from './commitment/sigma.ts';
import { Held } from './held.ts';
import type { Randomness } from './randomness.ts';

/** Where a test can make the prover lie. Each hook sees a step's honest result and returns what is used instead. */
export interface ProverHooks {
  /** A message before masking. */
  message?(label: string, index: number, value: bigint): bigint;
  /** All pads, before they are committed. */
  pads?(pads: ProverPads): void;
  /** How often each number below `size` occurs, instead of the device's count, which has no place for other numbers. */
  count?(values: Int32Array, size: number): Int32Array;
  /** The finished proof, before it is encoded. */
  body?(body: ProofBody): void;
}

/**
 * Proves an argument. `transcript` has absorbed the statement. `protocol` is run with the prover's values.
 * Matrices beyond the registered ones are committed here.
 */
export async function proveArgument(
  device: Device,
  argument: Argument,
  transcript: Transcript,
  matrices: readonly ProverMatrix[],
  randomness: Randomness,
  protocol: (ctx: ProtocolContext) => Promise<void>,
  hooks: ProverHooks = {},
): Promise<ProofBody> {
  const pads = drawPads(argument, randomness);
  hooks.pads?.(pads);
  const rows = padRows(device, argument, pads, randomness);
  const state: ProverState = { device, argument, matrices, pads, rows, randomness };
  const points = await commitRows(state);
  absorbRows(transcript, points);

  const scalars: ProofScalars = { messages: [], last: [], delta: 0n, z: [], zRho: 0n, zQ: [], zRhoQ: 0n };
  const ctx = new ProtocolContext(transcript, channel(pads, scalars.messages, hooks));
  await protocol(ctx);
  let combined: readonly FrVector[] = [];
  const held = new Held(device);
  const claim = await openingArgument(ctx, argument.matrices, argument.opening, {
    channel: channel(pads, scalars.last, hooks),
    async prover(statement) {
      combined = await combine(matrices, statement.openings);
      return columnProver(state, statement, combined, held);
    },
  }).finally(() => held.releaseAll());
  await respond(state, combined, transcript, claim, points, scalars);
  const body = { points, scalars };
  hooks.body?.(body);
  return body;
}

/** The combination of rows of each opening. */
async function combine(
  matrices: readonly ProverMatrix[],
  openings: readonly MergedOpening[],
): Promise<readonly FrVector[]> {
  const out: FrVector[] = [];
  for (const [m, matrix] of matrices.entries()) {
    const own = [...openings.keys()].filter((k) => openings[k].matrix === m);
    const combined = await matrix.combine(own.map((k) => weightedRows(openings[k])));
    for (const [i, k] of own.entries()) out[k] = combined[i];
  }
  return out;
}

function channel(pads: ProverPads, sent: bigint[], hooks: ProverHooks): Channel {
  return {
    masked(label, p, v) {
      if (v === undefined) throw new Error(`internal error: the prover has no value for "${label}"`);
      const used = hooks.message ? hooks.message(label, sent.length, v) : v;
      const m = Fr.add(Fr.reduce(used), pads[padKind(p)][padIndex(p)]);
      sent.push(m);
      return m;
    },
    clear(label, v) {
      if (v === undefined) throw new Error(`internal error: the prover has no value for "${label}"`);
      const used = Fr.reduce(hooks.message ? hooks.message(label, sent.length, v) : v);
      sent.push(used);
      return used;
    },
  };
}
