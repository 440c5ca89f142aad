/** One statement about a subject: committed weights and public inputs, proved and verified piece by piece. */
import type { OpeningFile } from '../../runtime/codec/files.ts';
import type { Device, PointVector, VerifierDevice } from '../../runtime/device/device.ts';
import { fromBigints, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { commitmentDigest, printSource, sha256 } from '../../runtime/protocol/statement/statement.ts';
import type { ProverHooks } from '../../runtime/prover/argument.ts';
import { proveProgram, type OpenedSource, type ProvedProgram } from '../../runtime/prover/program.ts';
import { commitOpen, commitSource } from '../../runtime/prover/commitment/source.ts';
import { blindingSeed, matrixDigest, rowBlindings } from '../../runtime/prover/commitment/source-matrix.ts';
import { layMatrix, type MatrixEntries } from '../../runtime/protocol/commitment/matrix.ts';
import { decodeRows, verifyRangeProof } from '../../runtime/verifier/commitment/range-proof.ts';
import type { Verdict } from '../../runtime/verifier/argument.ts';
import { verifyProgram } from '../../runtime/verifier/program.ts';
import { entropyOf } from './draw.ts';
import type { Subject, Values } from './subject.ts';

/** A committed source: what its owner keeps and what is published. */
export interface Committed extends OpenedSource {
  /** The matrix of the tensors. */
  readonly entries: MatrixEntries;
  readonly points: Uint8Array;
  readonly rangeProof: Uint8Array;
}

export interface Statement {
  readonly subject: Subject;
  readonly sources: readonly Committed[];
  readonly inputs: ReadonlyMap<number, IntegerArray>;
  readonly context: Uint8Array;
}

export interface StatementOptions {
  readonly context?: Uint8Array;
  /** Of the commitments. */
  readonly seed?: number;
}

/** Commits to the inputs among `values` that come from sources. */
export async function createStatement(
  device: Device,
  subject: Subject,
  values: Values,
  options: StatementOptions = {},
): Promise<Statement> {
  const { gadgets } = subject;
  const sources: Committed[] = [];
  for (const [s] of gadgets.sources.entries())
    sources.push(await commitTo(device, subject, s, sourceTensors(subject, s, values), options.seed ?? 0));
  const inputs = new Map(
    [...gadgets.publics.filter((id) => gadgets.tensors[id].class.kind === 'input'), ...gadgets.secrets].map(
      (id) => [id, fromBigints(gadgets.tensors[id].range, given(values, id))] as const,
    ),
  );
  return { subject, sources, inputs, context: options.context ?? new Uint8Array(0) };
}

/** Commits to one source, given its tensors in the order of its layout. */
export async function commitTo(
  device: Device,
  { gadgets }: Subject,
  index: number,
  tensors: readonly IntegerArray[],
  seed: number,
): Promise<Committed> {
  const source = gadgets.sources[index];
  const entries = layMatrix(source, tensors);
  if (source.open) {
    const points = await commitOpen(device, source, entries);
    const blindings = Array.from({ length: source.rows }, () => 0n);
    const digest = commitmentDigest(source, points);
    return {
      tensors,
      entries,
      matrix: matrixDigest(entries),
      blindings,
      digest,
      points,
      rangeProof: new Uint8Array(0),
    };
  }
  const layout = sha256(new TextEncoder().encode(printSource(source)));
  const blindings = rowBlindings(source, blindingSeed(entropyOf(seed), layout, entries));
  const { points, rangeProof } = await commitSource(device, source, entries, blindings, entropyOf(seed));
  return {
    tensors,
    entries,
    matrix: matrixDigest(entries),
    blindings,
    digest: commitmentDigest(source, points),
    points,
    rangeProof,
  };
}

const given = (values: Values, id: number): readonly bigint[] => {
  const v = values.get(id);
  if (!v) throw new Error(`no values for tensor ${id}`);
  return v;
};

/** The file tensors of a source, cut out of the declared tensors that stack them. */
export function sourceTensors({ gadgets }: Subject, source: number, values: Values): IntegerArray[] {
  const layout = gadgets.sources[source].tensors;
  const out: IntegerArray[] = layout.map(() => []);
  for (const [id, t] of gadgets.tensors.entries()) {
    if (t.class.kind !== 'committed' || t.class.source !== source) continue;
    const all = given(values, id);
    const size = all.length / t.class.files.length;
    for (const [k, file] of t.class.files.entries()) {
      const half = 2n ** BigInt(layout[file].bits - 1);
      out[file] = fromBigints({ lo: -half, hi: half - 1n }, all.slice(k * size, (k + 1) * size));
    }
  }
  return out;
}

export interface ProveOptions {
  readonly seed?: number;
  readonly hooks?: ProverHooks;
  /** Proves with these instead of what was committed to. */
  readonly sources?: readonly OpenedSource[];
  readonly treeMemory?: number;
  /** Openings of outputs, by name; fresh ones of the others. */
  readonly outputs?: ReadonlyMap<string, OpeningFile>;
}

export const prove = (device: Device, s: Statement, options: ProveOptions = {}): Promise<ProvedProgram> =>
  proveProgram(device, {
    program: s.subject.gadgets,
    programDigest: s.subject.digest,
    argument: s.subject.argument,
    context: s.context,
    sources: options.sources ?? s.sources,
    inputs: s.inputs,
    entropy: entropyOf(options.seed ?? 1),
    hooks: options.hooks,
    treeMemory: options.treeMemory,
    outputs: options.outputs,
  });

/** What a verifier is told; whatever is left out is the statement's. */
export interface Claim {
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
  readonly context?: Uint8Array;
  readonly digest?: Uint8Array;
  readonly commitments?: readonly Pick<Committed, 'points' | 'digest'>[];
}

/** Verifies as `zkl verify` does once the commitments are validated. */
export async function verify(device: VerifierDevice, s: Statement, claim: Claim): Promise<Verdict> {
  const { gadgets, argument, digest } = s.subject;
  return device.scope(async () => {
    const commitments: { digest: Uint8Array; rows: PointVector }[] = [];
    for (const [i, c] of (claim.commitments ?? s.sources).entries()) {
      const rows = await decodeRows(device, gadgets.sources[i], c.points);
      if ('ok' in rows) return rows;
      commitments.push({ digest: c.digest, rows });
    }
    const { publics, body } = claim;
    return verifyProgram(device, {
      program: gadgets,
      programDigest: claim.digest ?? digest,
      argument,
      context: claim.context ?? s.context,
      commitments,
      publics,
      body,
    });
  });
}

/** Validates the commitment to a source, range proof included. */
export async function validate(
  device: VerifierDevice,
  { gadgets }: Subject,
  source: number,
  c: Pick<Committed, 'points' | 'rangeProof'>,
): Promise<Verdict> {
  return device.scope(async () => {
    const rows = await decodeRows(device, gadgets.sources[source], c.points);
    if ('ok' in rows) return rows;
    if (gadgets.sources[source].open) return { ok: true };
    return verifyRangeProof(device, gadgets.sources[source], c.points, rows, c.rangeProof);
  });
}
