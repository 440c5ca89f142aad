/**
 * What the transcript starts with, so that a proof is bound to its statement: protocol version, program digest, context,
 * commitments and public tensors. Everything of variable size enters as a digest.
 */
import { sha256 as sha256Portable } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { domainTag, RELEASE } from '../../../compiler/bundle/version.ts';
import { Transcript } from '../transcript.ts';

interface Hash {
  update(data: Uint8Array): Hash;
  digest(): Uint8Array;
}

interface NodeCrypto {
  createHash(name: 'sha256'): Hash;
}

const nodeCrypto = (
  globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
).process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;

/** SHA-256; the platform's where it is synchronous (public tensors are megabytes), else the portable one. */
export const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(startSha256().update(data).digest());

/** The same, of bytes that come in parts. */
export const startSha256 = (): Hash => nodeCrypto?.createHash('sha256') ?? sha256Portable.create();

/** A layout as text: names, shapes, types and positions, everything a commitment depends on. Two layouts never print alike: names are quoted. */
export const printSource = (s: CommittedSource): string =>
  [
    `${s.open ? 'open ' : ''}${JSON.stringify(s.name)} ${s.rows}x${s.columns}`,
    ...s.tensors.map(
      (t) =>
        `${JSON.stringify(t.name)} fixed<${t.bits}, ${t.frac}> [${t.axes.map((a) => `${a.length}:${a.columnBits}`).join(', ')}] rows ${t.firstRow}+${t.rows}${t.firstColumn === undefined ? '' : ` columns from ${t.firstColumn}`}`,
    ),
  ].join('\n');

/** Of a layout, as files of commitments have it. */
export const layoutDigest = (s: CommittedSource): Uint8Array => sha256(utf8ToBytes(printSource(s)));

/** Names a commitment: its layout and its points, not the range proof that goes with it. */
export const commitmentDigest = (source: CommittedSource, points: Uint8Array): Uint8Array =>
  sha256(concatBytes(domainTag('commitment\n'), layoutDigest(source), points));

export function rangeTranscript(digest: Uint8Array): Transcript {
  const t = new Transcript();
  t.absorb('range proof of commitment', digest);
  return t;
}

export interface ProgramStatement {
  readonly program: Uint8Array;
  /** Session, nonce, or whatever the application wants the proof bound to. */
  readonly context: Uint8Array;
  /** Digests of the registered commitments, in the program's order. */
  readonly commitments: readonly Uint8Array[];
  /** Digests of the public tensors' canonical bytes, in statement order. */
  readonly publics: readonly Uint8Array[];
}

export function programTranscript(s: ProgramStatement): Transcript {
  const t = new Transcript();
  t.absorb('program', s.program);
  t.absorb('context', s.context);
  for (const d of s.commitments) t.absorb('commitment', d);
  for (const d of s.publics) t.absorb('public', d);
  return t;
}

/**
 * A digest of the whole statement, for seeding the prover's randomness: of the format and the release, too, since with repeated entropy two releases
 * that send different messages must not mask them with the same pads.
 */
export const statementDigest = (s: ProgramStatement): Uint8Array =>
  sha256(concatBytes(releaseTag('statement'), s.program, sha256(s.context), ...s.commitments, ...s.publics));

/** Separates purposes, formats and releases. */
export const releaseTag = (purpose: string): Uint8Array => domainTag(`${purpose} of ${RELEASE}\n`);
