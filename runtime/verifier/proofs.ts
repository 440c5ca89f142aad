/** Proofs of a program as files, about commitments that were validated: one by itself, or several of which each is about what the one before it made. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { ProofFile } from '../codec/files.ts';
import type { PointVector, VerifierDevice } from '../device/device.ts';
import type { Argument } from '../protocol/argument.ts';
import { outputDigests, outputPoints } from '../protocol/program.ts';
import { commitmentDigest } from '../protocol/statement/statement.ts';
import { Batch } from './batch.ts';
import { pointsAs, verifiedOutput } from './outputs.ts';
import { programEquation, verifyProgram, type ProofToVerify } from './program.ts';
import {
  toHex,
  type Accepted,
  type Basis,
  type expectations,
  type ProofVerdict,
  type Rejected,
  type RestsOn,
  type Unverified,
} from './verdict.ts';

/** What proofs are held against. */
export interface KnownProgram {
  readonly program: GadgetProgram;
  readonly digest: Uint8Array;
  readonly argument: Argument;
  /** Of the commitments to its sources. */
  readonly expected: ReturnType<typeof expectations>;
  readonly basis: Accepted['programBasis'];
}

/** A source's commitment by its digest, and how it came to be believed where no expectation says that. */
interface NamedCommitment {
  readonly digest: Uint8Array;
  readonly basis?: Basis;
}

/** A commitment whose points and range proof were validated. */
export interface ValidCommitment extends NamedCommitment {
  readonly rows: PointVector;
}

export interface ProofInContext {
  readonly proof: ProofFile;
  /** The one that is expected. */
  readonly context: Uint8Array;
}

export const rejectedProof = (reason: string): Rejected => ({ ok: false, verdict: 'rejected', reason });

/** @param valid one for each source of the program */
export async function judge(
  device: VerifierDevice,
  known: KnownProgram,
  valid: readonly ValidCommitment[],
  given: ProofInContext,
): Promise<ProofVerdict> {
  const refused = refusal(known, valid, given);
  if (refused !== undefined) return refused;
  const verdict = await verifyProgram(device, { ...statement(known, valid, given), commitments: valid });
  return verdict.ok ? acceptance(known, valid, given) : rejectedProof(verdict.reason);
}

/**
 * As `judge` of each, what the output of one puts out being the commitment of the source that the next is about. Until the end that is so for the
 * sake of argument only: all are accepted, or none.
 * @param link positions; whether a commitment of that digest may be the source's
 */
export const acceptedTogether = (
  device: VerifierDevice,
  known: KnownProgram,
  valid: readonly ValidCommitment[],
  link: { readonly source: number; readonly output: number; isExpected(digest: Uint8Array): boolean },
  proofs: readonly ProofInContext[],
): Promise<readonly Accepted[] | undefined> =>
  device.scope(async () => {
    const { program } = known;
    const { outputs = [] } = program;
    const batch = new Batch(device);
    const commitments: NamedCommitment[] = [...valid];
    const rows: (PointVector | number)[] = valid.map((c) => c.rows);
    // Of the output's rows among the points of its proof.
    const position = outputs.slice(0, link.output).reduce((n, o) => n + o.rows, program.witnessRows);
    const accepted: Accepted[] = [];
    for (const given of proofs) {
      const before = accepted.at(-1)?.outputs.get(outputs[link.output].name);
      if (before !== undefined) {
        const points = pointsAs(program.sources[link.source], before);
        if (typeof points === 'string') return undefined;
        const digest = commitmentDigest(program.sources[link.source], points);
        if (!link.isExpected(digest)) return undefined;
        commitments[link.source] = { digest, basis: 'adopted' };
      }
      if (refusal(known, commitments, given) !== undefined) return undefined;
      const asked = await programEquation(device, statement(known, commitments, given));
      if (typeof asked === 'string') return undefined;
      const verdict = acceptance(known, commitments, given);
      if (!verdict.ok) return undefined;
      rows[link.source] = batch.add(asked.equation, asked.points, rows) + position;
      accepted.push(verdict);
    }
    return (await batch.holds()) ? accepted : undefined;
  });

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** What a proof is refused for before anything is computed. */
function refusal(
  { program, digest, expected }: KnownProgram,
  commitments: readonly NamedCommitment[],
  { proof, context }: ProofInContext,
): Rejected | Unverified | undefined {
  if (!sameBytes(proof.program, digest)) return rejectedProof('the proof is for another program');
  const named = proof.commitments;
  if (named.length !== commitments.length || !named.every((d, i) => sameBytes(d, commitments[i].digest)))
    return rejectedProof('the proof is for another commitment');
  if (!sameBytes(proof.context, context)) return rejectedProof('the proof is for another context');
  const unchecked = program.sources.flatMap((s, i) => (s.open && expected[i] === undefined ? [s.name] : []));
  return unchecked.length > 0 ? unverified(unchecked) : undefined;
}

const statement = (
  { program, digest, argument }: KnownProgram,
  commitments: readonly NamedCommitment[],
  { proof, context }: ProofInContext,
): ProofToVerify => ({
  ...{ program, argument, context, commitments },
  programDigest: digest,
  publics: proof.publics,
  body: proof.body,
});

/** What is said of a proof that holds, unless its file says otherwise. */
function acceptance(
  { program, digest, expected, basis }: KnownProgram,
  commitments: readonly NamedCommitment[],
  { proof, context }: ProofInContext,
): Accepted | Rejected {
  const digests = outputDigests(program, proof.body);
  if (!proof.outputs.every((d, i) => sameBytes(d, digests[i])))
    return rejectedProof('the proof names other commitments than those that it makes');
  const points = outputPoints(program, proof.body);
  return {
    ok: true,
    verdict: 'accepted',
    program: toHex(digest),
    programBasis: basis,
    context: context.length > 0 ? 'bound' : 'none',
    restsOn: program.sources.map((s, i): RestsOn => {
      const visibility = s.open ? 'open' : 'secret';
      return {
        source: s.name,
        visibility,
        digest: toHex(commitments[i].digest),
        basis: expected[i]?.basis ?? commitments[i].basis ?? 'given',
      };
    }),
    publics: new Map([...proof.publics].map(([id, v]) => [program.tensors[id].name, v] as const)),
    outputs: new Map(
      (program.outputs ?? []).map((o, i) => [o.name, verifiedOutput(o, points[i], toHex(digests[i]))] as const),
    ),
  };
}

const unverified = (sources: readonly string[]): Unverified => ({
  ok: false,
  verdict: 'unverified',
  reason: `nobody has checked the commitment to the open weights ${sources.map((s) => `"${s}"`).join(', ')}: a proof over other weights is as valid`,
  remedy:
    'compare the weights with checkOpenCommitment, expect the digest of a commitment that was checked, or trust it explicitly',
  sources,
});
