/** Commitments, openings and proofs as files. Bundles are in `compiler/bundle`. */
import type { GadgetProgram } from '../../compiler/gadget/program.ts';
import { decodeIntegers, encodeIntegers, entryBytes, type IntegerArray } from '../protocol/integers.ts';
import { CodecError, decode, encode } from '../../compiler/bundle/canonical.ts';
import { pack, unpack } from '../../compiler/bundle/container.ts';
import { domainTag } from '../../compiler/bundle/version.ts';
import { sha256 } from '../protocol/statement.ts';
import { concatBytes } from '@noble/hashes/utils.js';

/** What a commitment is published as. */
export interface CommitmentFile {
  readonly source: string;
  /** Digest of the layout the points are rows of. */
  readonly layout: Uint8Array;
  readonly points: Uint8Array;
  readonly rangeProof: Uint8Array;
}

export const encodeCommitment = (c: CommitmentFile): Uint8Array =>
  pack('c', { META: encode({ source: c.source, layout: c.layout }), ROWS: c.points, RNGE: c.rangeProof });

/** @throws CodecError */
export function decodeCommitment(bytes: Uint8Array): CommitmentFile {
  const s = unpack('c', ['META', 'ROWS', 'RNGE'], bytes);
  const meta = exactly(decode(s.META), 'source', 'layout');
  return { source: stringOf(meta, 'source'), layout: bytesOf(meta, 'layout', 32), points: s.ROWS, rangeProof: s.RNGE };
}

/** What the owner of a commitment keeps to himself. */
export interface OpeningFile {
  /** `commitmentDigest` of what it opens. */
  readonly commitment: Uint8Array;
  /** Digest of the matrix that was committed. */
  readonly matrix: Uint8Array;
  /** The rows' blindings follow from it. */
  readonly seed: Uint8Array;
}

export function encodeOpening(o: OpeningFile): Uint8Array {
  const open = encode({ commitment: o.commitment, matrix: o.matrix, seed: o.seed });
  return pack('o', { OPEN: open, CHCK: checkSum(open) });
}

/** An opening with one wrong bit makes proofs that no verifier accepts: it has to be found before. */
const checkSum = (open: Uint8Array): Uint8Array => sha256(concatBytes(domainTag('opening\n'), open));

/** @throws CodecError */
export function decodeOpening(bytes: Uint8Array): OpeningFile {
  const s = unpack('o', ['OPEN', 'CHCK'], bytes);
  const sum = checkSum(s.OPEN);
  if (s.CHCK.length !== sum.length || !sum.every((b, i) => b === s.CHCK[i]))
    throw new CodecError('the opening is damaged: its check sum is another; take a copy of it, or commit again');
  const value = exactly(decode(s.OPEN), 'commitment', 'matrix', 'seed');
  return {
    commitment: bytesOf(value, 'commitment', 32),
    matrix: bytesOf(value, 'matrix', 32),
    seed: bytesOf(value, 'seed', 32),
  };
}

export interface ProofFile {
  /** What the proof was made for; the verifier computes both itself and only uses these to say what does not match. */
  readonly program: Uint8Array;
  readonly commitments: readonly Uint8Array[];
  readonly context: Uint8Array;
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
}

export function encodeProof(program: GadgetProgram, p: ProofFile): Uint8Array {
  const parts = program.publics.map((id) => encodeIntegers(program.tensors[id].range, p.publics.get(id) ?? []));
  const publics = new Uint8Array(parts.reduce((n, b) => n + b.length, 0));
  let at = 0;
  for (const b of parts) {
    publics.set(b, at);
    at += b.length;
  }
  const head = encode({ program: p.program, commitments: p.commitments, context: p.context });
  return pack('p', { HEAD: head, PUBL: publics, BODY: p.body });
}

/** @throws CodecError if the bytes cannot be a proof of this program, whose ranges the public tensors must keep. */
export function decodeProof(program: GadgetProgram, bytes: Uint8Array): ProofFile {
  const s = unpack('p', ['HEAD', 'PUBL', 'BODY'], bytes);
  const head = exactly(decode(s.HEAD), 'program', 'commitments', 'context');
  const publics = new Map<number, IntegerArray>();
  let at = 0;
  for (const id of program.publics) {
    const t = program.tensors[id];
    const length = t.shape.reduce((n, d) => n * d, 1);
    const size = length * entryBytes(t.range);
    if (size > s.PUBL.length - at) throw new CodecError(`the public tensors end before ${t.name} does`);
    const values = decodeIntegers(t.range, length, s.PUBL.subarray(at, (at += size)));
    if (typeof values === 'string') throw new CodecError(`${t.name}: ${values}`);
    publics.set(id, values);
  }
  if (at !== s.PUBL.length) throw new CodecError(`${s.PUBL.length - at} bytes after the public tensors`);
  const commitments = field(head, 'commitments');
  if (!Array.isArray(commitments)) throw new CodecError('"commitments" is no list');
  return {
    program: bytesOf(head, 'program', 32),
    commitments: commitments.map((c: unknown) => bytesOf({ c }, 'c', 32)),
    context: bytesOf(head, 'context'),
    publics,
    body: s.BODY,
  };
}

/** A record of exactly these entries: whatever else a file could say would be another file for the same thing. */
function exactly(value: unknown, ...names: readonly string[]): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length !== names.length)
    throw new CodecError(`a record of ${keys.length} entries, expected ${names.join(', ')}`);
  return value;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) throw new CodecError(`"${name}" is missing`);
  return (value as Record<string, unknown>)[name];
}

function bytesOf(value: unknown, name: string, length?: number): Uint8Array {
  const v = field(value, name);
  if (!(v instanceof Uint8Array) || (length !== undefined && v.length !== length))
    throw new CodecError(`"${name}" is not ${length ?? 'any'} bytes`);
  return v;
}

function stringOf(value: unknown, name: string): string {
  const v = field(value, name);
  if (typeof v !== 'string') throw new CodecError(`"${name}" is no text`);
  return v;
}
