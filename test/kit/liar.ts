/**
 * A prover that lies about its statement: it claims other public tensors than its witness gives, or leaves relations of
 * the protocol out. Everything else is the real prover.
 */
import type { Device, PointVector, VerifierDevice } from '../../runtime/device/device.ts';
import { encodeBody } from '../../runtime/protocol/argument.ts';
import type { ProtocolContext } from '../../runtime/protocol/context.ts';
import { padKind, type Value } from '../../runtime/protocol/form.ts';
import type { IntegerArray } from '../../runtime/integers/arrays.ts';
import { programProtocol, publicDigests } from '../../runtime/protocol/program.ts';
import { verifierRole } from '../../runtime/protocol/statement/publics.ts';
import { programTranscript, statementDigest } from '../../runtime/protocol/statement/statement.ts';
import { proveArgument, type ProverHooks } from '../../runtime/prover/argument.ts';
import { Held } from '../../runtime/prover/held.ts';
import { committedInputs, proverMatrices, proverRole, type OpenedSource } from '../../runtime/prover/program.ts';
import { openOutputs } from '../../runtime/prover/commitment/output.ts';
import { lookUp } from '../../runtime/prover/lookup/tensor-lookups.ts';
import { Randomness } from '../../runtime/prover/randomness.ts';
import { matrixDigest } from '../../runtime/prover/commitment/source-matrix.ts';
import { evaluateProgram } from '../../runtime/evaluate/witness/witness.ts';
import { ownEntries } from '../../runtime/prover/commitment/witness-matrix.ts';
import { verifyArgument, type Verdict } from '../../runtime/verifier/argument.ts';
import { entropyOf } from './draw.ts';
import type { Statement } from './statement.ts';
import type { Subject } from './subject.ts';

export interface Lie {
  /** What is claimed of the public tensors, given what they are. */
  readonly publics?: (honest: Map<number, IntegerArray>) => void;
  /** Which relations are left to the opening argument. */
  readonly keep?: (relation: Value) => boolean;
  /** The witness is that of another program with the same messages. */
  readonly pretend?: Subject;
  readonly sources?: readonly OpenedSource[];
  readonly hooks?: ProverHooks;
  readonly seed?: number;
}

export interface Lied {
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
}

/** Removes relations from a protocol once it has run: what a verifier that forgot to state them would check. */
export function keepOnly(ctx: ProtocolContext, keep: (relation: Value) => boolean): void {
  const kept = ctx.relations.filter(keep);
  ctx.relations.splice(0, ctx.relations.length, ...kept);
}

/** Whether a relation says that two pads are equal, and nothing else. */
export const isCopy = ({ form, openings }: Value): boolean =>
  openings.length === 0 &&
  form.constant === 0n &&
  form.pads.size === 2 &&
  [...form.pads.keys()].some((p) => padKind(p) === 'A' || padKind(p) === 'B') &&
  [...form.pads.values()].some((c) => c === 1n);

export async function proveLie(device: Device, s: Statement, lie: Lie): Promise<Lied> {
  const { subject } = s;
  const program = (lie.pretend ?? subject).gadgets;
  const sources = lie.sources ?? s.sources;
  return device.scope(async () => {
    await device.prepareGenerators(subject.argument.columns + 1);
    const inputs = new Map(s.inputs);
    for (const [id, values] of committedInputs(program, sources)) inputs.set(id, values);
    const witness = await evaluateProgram(device, program, inputs);
    const publics = new Map(program.publics.map((id) => [id, witness.entries(id).slice() as IntegerArray] as const));
    lie.publics?.(publics);
    const statement = {
      program: subject.digest,
      context: s.context,
      commitments: sources.map((c) => c.digest),
      publics: publicDigests(subject.gadgets, publics),
    };
    const looked = lookUp(program, witness);
    const own = ownEntries(program, witness, looked);
    const outputs = await openOutputs(device, program, witness, new Map(), entropyOf(lie.seed ?? 2));
    const randomness = new Randomness(
      'proof',
      entropyOf(lie.seed ?? 2),
      statementDigest(statement),
      ...own.map(matrixDigest),
    );
    const matrices = proverMatrices(device, program, sources, own, randomness, outputs);
    const held = new Held(device);
    const role = proverRole(device, program, witness, looked, held);
    const protocol = async (ctx: ProtocolContext): Promise<void> => {
      await programProtocol(ctx, program, role);
      if (lie.keep) keepOnly(ctx, lie.keep);
    };
    const body = await proveArgument(
      device,
      subject.argument,
      programTranscript(statement),
      matrices,
      randomness,
      protocol,
      lie.hooks,
    ).finally(() => held.releaseAll());
    return { publics, body: encodeBody(subject.argument, body) };
  });
}

/** A verifier that forgot some relations: only those that `keep` keeps are checked. */
export async function verifyForgetful(
  device: VerifierDevice,
  s: Statement,
  { publics, body }: Lied,
  keep: (relation: Value) => boolean,
): Promise<Verdict> {
  const { gadgets, argument, digest } = s.subject;
  return device.scope(async () => {
    const rows: PointVector[] = [];
    for (const c of s.sources) {
      const decoded = await device.decodePoints(c.points);
      if ('bad' in decoded) throw new Error(`row ${decoded.bad} is no point`);
      rows.push(decoded);
    }
    const transcript = programTranscript({
      program: digest,
      context: s.context,
      commitments: s.sources.map((c) => c.digest),
      publics: publicDigests(gadgets, publics),
    });
    const role = verifierRole(device, gadgets, publics);
    return verifyArgument(device, argument, transcript, rows, body, async (ctx) => {
      await programProtocol(ctx, gadgets, role);
      keepOnly(ctx, keep);
    });
  });
}
