/**
 * The verifier: everything that checks commitments and proofs, and nothing of the prover or the compiler. Runs in Node
 * and in a browser tab, needs no GPU and no threads.
 *
 * @example
 * const expect = { program, sources: { base: baseDigest, adapter: adapterDigest } }; // digests that you know from elsewhere
 * const verifier = await createVerifier(bundle, { device, expect });
 * await verifier.register(commitment);          // once per commitment
 * const verdict = await verifier.verify(proof); // milliseconds
 *
 * Any number of calls may be made at once: those on one device run one after the other, in the order of the calls.
 *
 * @module
 */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import { CodecError } from '../../compiler/bundle/canonical.ts';
import { decodeCommitment, decodeProof, proofSize, type CommitmentFile, type SizeBounds } from '../codec/files.ts';
import { bodySize, pointCount } from '../protocol/argument.ts';
import type { VerifierDevice } from '../device/device.ts';
import { commitmentDigest, layoutDigest, sha256 } from '../protocol/statement/statement.ts';
import { requireBytes } from '../../compiler/ir/arguments.ts';
import { rejected, type Verdict } from './argument.ts';
import { checkTogether, checkVerifier, checkVerify } from './options.ts';
import { planWithin } from './budget.ts';
import { decodeRows, verifyRangeProof } from './commitment/range-proof.ts';
import type { Budget } from './limit.ts';
import { knownMatrix, knownPoints } from './commitment/known.ts';
import { pointsAs, type VerifiedOutput } from './outputs.ts';
import {
  acceptedTogether,
  judge,
  rejectedProof,
  sameBytes,
  type KnownProgram,
  type ProofInContext,
  type ValidCommitment,
} from './proofs.ts';
import {
  digestText,
  expectations,
  toHex,
  type Accepted,
  type Basis,
  type Expected,
  type ProofVerdict,
  type Unverified,
} from './verdict.ts';

export type { Verdict } from './argument.ts';
export type {
  Accepted,
  Basis,
  Digest,
  Expectation,
  Expected,
  ProofVerdict,
  Rejected,
  RestsOn,
  Unverified,
} from './verdict.ts';
export type { VerifiedOutput } from './outputs.ts';
export type { VerifierDevice } from '../device/device.ts';
export { ArgumentError, CodecError, ZklError } from '../../compiler/ir/errors.ts';
export { planWithin, type Estimate } from './budget.ts';
export { BudgetError, defaultLimit, parseLimit, printLimit, type Budget } from './limit.ts';

/**
 * Remembers which commitment files were validated, by digest: validation is the slow part of a first verification. It is
 * asked while a registration has its turn on the device: it must not wait for other calls on that device.
 */
export interface ValidationCache {
  has(digest: string): boolean | Promise<boolean>;
  add(digest: string): void | Promise<void>;
}

export interface VerifierOptions {
  readonly device: VerifierDevice;
  readonly cache?: ValidationCache | undefined;
  /**
   * What program and commitments have to be. A source of open weights needs an entry: nothing is proved of its commitment, so a proof over
   * other weights is as valid, and only the digest tells. Without one `verify` says `unverified`. A secret source without one is `given`.
   */
  readonly expect?: Expected | undefined;
  /** What the bundle may ask for, at most. Default 3 seconds of one thread and 1 GB, as counted in `budget.ts`. */
  readonly limit?: Budget | undefined;
}

export interface Verifier {
  readonly bundle: Bundle;
  /** Bytes of a proof's file, which follow from the program: for whoever compares before a file is read. */
  readonly proofSize: SizeBounds;
  /** What validating its commitments and verifying a proof takes, about. */
  readonly estimate: Budget;
  /**
   * Validates a commitment's points and range proof, and compares its digest with the one that is expected. One commitment per source; a
   * later one replaces it. A commitment to open tensors proves nothing by itself: whoever has the weights checks it with
   * `checkOpenCommitment`, and everybody else expects the digest of one that was checked.
   */
  register(commitment: Uint8Array): Promise<Verdict>;
  /**
   * Takes what an accepted proof made, of this program or another, as the commitment of a source: in the place of `register`, whose range
   * proof is part of that proof. Its tensors have to be the source's, laid out as they are (`source state`); its name may be another, under which
   * it has another digest.
   */
  adopt(source: string, output: VerifiedOutput): Promise<Verdict>;
  /**
   * Commits to numbers that everybody knows, without blindings, as the commitment of a secret source: in the place of `register`, as whoever has
   * the numbers sees that they are in their types.
   * @param tensors floats by name, row-major @throws ValueError for tensors that are not the source's
   */
  registerKnown(source: string, tensors: ReadonlyMap<string, ArrayLike<number>>): Promise<Verdict>;
  /** The digest of the commitment that is registered for a source, as it stands in the statement. */
  commitment(source: string): Uint8Array | undefined;
  /** Never throws on bytes. `context` is what the application expects the proof to be bound to; default empty. */
  verify(proof: Uint8Array, options?: { readonly context?: Uint8Array }): Promise<ProofVerdict>;
  /**
   * Verifies proofs each of which is about what the one before it puts out: as `verify` of each does, and `adopt` of its `output` as the commitment
   * of `source` before the next. What they ask of the group is decided at once, and nothing is accepted before. What is registered stays as it is.
   * @returns undefined unless all are accepted: one by one, they say which is not, and why
   */
  verifyTogether(
    link: { readonly source: string; readonly output: string },
    proofs: readonly { readonly proof: Uint8Array; readonly context?: Uint8Array }[],
  ): Promise<readonly Accepted[] | undefined>;
  /** How many proofs `verifyTogether` takes best, as they are held in memory. */
  readonly together: number;
  /** Frees the registered commitments, when the calls before it are done. */
  close(): void;
}

/** Proofs that are decided together, at most: with more, what they share is next to nothing. */
const TOGETHER = 16;
/** Points that are decided together, at most: each takes kilobytes of the device's memory. */
const POINTS_TOGETHER = 2 ** 14;

type Registered = ValidCommitment & { release(): void };

/** @throws CodecError if the bundle is none; BudgetError if it asks for more than the limit; ArgumentError for expectations of what the program has not. */
export async function createVerifier(bundleBytes: Uint8Array, options: VerifierOptions): Promise<Verifier> {
  const { device, cache, limit, expect = {} } = checkVerifier(bundleBytes, options);
  const bundle = decodeBundle(bundleBytes);
  const program = bundle.gadgets;
  const programDigest = toHex(bundle.digest);
  const expectedProgram = expect.program === undefined ? undefined : digestText(expect.program, 'the program');
  const expected = expectations(program.sources, expect);
  const { argument, milliseconds, bytes } = await planWithin(program, limit);
  const known: KnownProgram = {
    ...{ program, digest: bundle.digest, argument, expected },
    basis: expectedProgram === undefined ? 'given' : 'pinned',
  };
  const registered = new Map<number, Registered>();

  /** Why a source's commitment may not have this digest, if it may not. */
  const unexpected = (source: number, digest: string): string | undefined => {
    const wanted = expected[source];
    return wanted?.digest === undefined || wanted.digest === digest
      ? undefined
      : `the commitment to "${program.sources[source].name}" has the digest ${digest}, ${wanted.digest} is expected (${wanted.basis})`;
  };

  const register = async (given: Uint8Array): Promise<Verdict> => {
    requireBytes('commitment', given);
    // A call waits for its turn: what it is about must not change meanwhile, whatever the caller does with its bytes.
    const bytes = new Uint8Array(given);
    const file = orReason(() => decodeCommitment(bytes));
    if (typeof file === 'string') return rejected(file);
    const source = program.sources.findIndex((s) => s.name === file.source);
    if (source < 0) return rejected(`the commitment is for "${file.source}", which this program does not use`);
    const layout = program.sources[source];
    if (!sameBytes(file.layout, layoutDigest(layout)))
      return rejected('the commitment is for tensors of other names, shapes or types than this program uses');
    const digest = toHex(commitmentDigest(layout, file.points));
    const other = unexpected(source, digest);
    if (other !== undefined) return rejected(other);
    const key = toHex(sha256(bytes));
    return device.exclusive(() => validate(source, file, key));
  };

  const validate = async (source: number, file: CommitmentFile, key: string): Promise<Verdict> => {
    const layout = program.sources[source];
    const kept = await device.keep(async () => decodeRows(device, layout, file.points));
    const rows = kept.value;
    if ('ok' in rows) {
      kept.release();
      return rows;
    }
    if (layout.open) {
      if (file.rangeProof.length > 0) {
        kept.release();
        return rejected('the commitment is to open tensors, and has a range proof');
      }
    } else if (file.rangeProof.length === 0) {
      kept.release();
      return rejected(
        'the commitment has no range proof: it is what a proof puts out, and is adopted from that proof once it is accepted',
      );
    } else if (!(await cache?.has(key))) {
      const verdict = await device.scope(() => verifyRangeProof(device, layout, file.points, rows, file.rangeProof));
      if (!verdict.ok) {
        kept.release();
        return rejected(`the commitment's range proof: ${verdict.reason}`);
      }
      await cache?.add(key);
    }
    keep(source, { digest: commitmentDigest(layout, file.points), rows, release: () => kept.release() });
    return { ok: true };
  };

  const keep = (source: number, commitment: Registered): void => {
    registered.get(source)?.release();
    registered.set(source, commitment);
  };

  /** Points that need no range proof. */
  const keepPoints = async (source: number, points: Uint8Array, basis: Basis): Promise<Verdict> => {
    const layout = program.sources[source];
    const digest = commitmentDigest(layout, points);
    const other = unexpected(source, toHex(digest));
    if (other !== undefined) return rejected(other);
    const kept = await device.keep(async () => decodeRows(device, layout, points));
    const rows = kept.value;
    if ('ok' in rows) {
      kept.release();
      return rows;
    }
    keep(source, { digest, rows, basis, release: () => kept.release() });
    return { ok: true };
  };

  const secretNamed = (name: string): number | Verdict => {
    const source = program.sources.findIndex((s) => s.name === name);
    if (source < 0) return rejected(`this program uses no source "${name}"`);
    return program.sources[source].open ? rejected(`"${name}" is open: its commitment is registered`) : source;
  };

  const adopt = async (name: string, output: VerifiedOutput): Promise<Verdict> => {
    const source = secretNamed(name);
    if (typeof source !== 'number') return source;
    const points = pointsAs(program.sources[source], output);
    return typeof points === 'string'
      ? rejected(points)
      : device.exclusive(() => keepPoints(source, points, 'adopted'));
  };

  const registerKnown = async (name: string, tensors: ReadonlyMap<string, ArrayLike<number>>): Promise<Verdict> => {
    const source = secretNamed(name);
    if (typeof source !== 'number') return source;
    const entries = knownMatrix(program.sources[source], tensors);
    return device.exclusive(async () =>
      keepPoints(source, await knownPoints(device, program.sources[source], entries), 'checked now'),
    );
  };

  const verify = async (given: Uint8Array, options: { readonly context?: Uint8Array } = {}): Promise<ProofVerdict> => {
    checkVerify(given, options);
    const bytes = new Uint8Array(given);
    if (expectedProgram !== undefined && expectedProgram !== programDigest)
      return rejectedProof(`the bundle is the program ${programDigest}, ${expectedProgram} is expected`);
    const proof = orReason(() => decodeProof(program, bytes));
    if (typeof proof === 'string') return rejectedProof(proof);
    const context = new Uint8Array(options.context ?? []);
    return device.exclusive(async () => {
      const valid = allRegistered();
      return 'verdict' in valid ? valid : judge(device, known, valid, { proof, context });
    });
  };

  /** Commitments are looked up when it is a proof's turn: those that were registered before it count, whether they were waited for or not. */
  const allRegistered = (): readonly Registered[] | Unverified => {
    const commitments = program.sources.map((_, i) => registered.get(i));
    const missing = commitments.indexOf(undefined);
    if (missing < 0) return commitments.filter((c) => c !== undefined);
    return {
      ok: false,
      verdict: 'unverified',
      reason: `no valid commitment for "${program.sources[missing].name}" is registered`,
      remedy: 'register one first',
      sources: [program.sources[missing].name],
    };
  };

  const verifyTogether: Verifier['verifyTogether'] = async (link, given) => {
    checkTogether(link, given);
    const { source, output } = link;
    const into = secretNamed(source);
    const from = (program.outputs ?? []).findIndex((o) => o.name === output);
    if (expectedProgram !== undefined && expectedProgram !== programDigest) return undefined;
    if (typeof into !== 'number' || from < 0) return undefined;
    const proofs: ProofInContext[] = [];
    for (const { proof, context } of given) {
      const file = orReason(() => decodeProof(program, new Uint8Array(proof)));
      if (typeof file === 'string') return undefined;
      proofs.push({ proof: file, context: new Uint8Array(context ?? []) });
    }
    return device.exclusive(async () => {
      const valid = allRegistered();
      if ('verdict' in valid) return undefined;
      const isExpected = (digest: Uint8Array): boolean => unexpected(into, toHex(digest)) === undefined;
      return acceptedTogether(device, known, valid, { source: into, output: from, isExpected }, proofs);
    });
  };

  return {
    bundle,
    proofSize: proofSize(program, bodySize(argument)),
    estimate: { milliseconds, bytes },
    register,
    adopt,
    registerKnown,
    commitment: (source) => registered.get(program.sources.findIndex((s) => s.name === source))?.digest,
    verify,
    verifyTogether,
    together: Math.max(1, Math.min(TOGETHER, Math.floor(POINTS_TOGETHER / pointCount(argument)))),
    close() {
      const release = (): void => {
        for (const c of registered.values()) c.release();
        registered.clear();
      };
      // Calls before it may still need them; those on a closed device do not.
      device.exclusive(async () => release()).catch(release);
    },
  };
}

function orReason<T>(read: () => T): T | string {
  try {
    return read();
  } catch (e) {
    if (e instanceof CodecError) return e.message;
    throw e;
  }
}
