/** Commitments, openings and proofs as files. Bundles are in `compiler/bundle`. */
import type { CommittedSource, GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { decodeIntegers, encodeIntegers, entryBytes } from '../integers/bytes.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { CodecError, decode, encode } from '../../compiler/bundle/canonical.ts';
import { packedSize, pack, unpack } from '../../compiler/bundle/container.ts';
import { badName } from '../../compiler/bundle/names.ts';
import { domainTag } from '../../compiler/bundle/version.ts';
import { sha256 } from '../protocol/statement/statement.ts';
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
  const source = stringOf(meta, 'source');
  const bad = badName(source);
  if (bad !== undefined) throw new CodecError(`the name of the source ${bad}`);
  return { source, layout: bytesOf(meta, 'layout', 32), points: s.ROWS, rangeProof: s.RNGE };
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
  /** Digests of the commitments that the proof makes, which follow from its body. */
  readonly outputs: readonly Uint8Array[];
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
  return pack('p', { HEAD: proofHead(program, p), PUBL: publics, BODY: p.body });
}

/** Of a program without outputs it says nothing of them. */
const proofHead = (program: GadgetProgram, p: Omit<ProofFile, 'publics' | 'body'>): Uint8Array =>
  encode({
    program: p.program,
    commitments: p.commitments,
    context: p.context,
    ...(program.outputs && { outputs: p.outputs }),
  });

/** What a proof says of itself: whatever its program is. @throws CodecError */
export function decodeProofHead(bytes: Uint8Array): Omit<ProofFile, 'publics' | 'body'> {
  const head = decode(unpack('p', ['HEAD', 'PUBL', 'BODY'], bytes).HEAD);
  const made = typeof head === 'object' && head !== null && 'outputs' in head;
  return {
    program: bytesOf(head, 'program', 32),
    commitments: digestsOf(head, 'commitments'),
    outputs: made ? digestsOf(head, 'outputs') : [],
    context: bytesOf(head, 'context'),
  };
}

/** @throws CodecError if the bytes cannot be a proof of this program, whose ranges the public tensors must keep. */
export function decodeProof(program: GadgetProgram, bytes: Uint8Array): ProofFile {
  const s = unpack('p', ['HEAD', 'PUBL', 'BODY'], bytes);
  const size = publicSize(program);
  if (s.PUBL.length !== size)
    throw new CodecError(`${s.PUBL.length} bytes of public tensors, this program's have ${size}`);
  const head = exactly(decode(s.HEAD), 'program', 'commitments', 'context', ...(program.outputs ? ['outputs'] : []));
  const publics = new Map<number, IntegerArray>();
  let at = 0;
  for (const id of program.publics) {
    const t = program.tensors[id];
    const length = t.shape.reduce((n, d) => n * d, 1);
    const values = decodeIntegers(t.range, length, s.PUBL.subarray(at, (at += length * entryBytes(t.range))));
    if (typeof values === 'string') throw new CodecError(`${t.name}: ${values}`);
    publics.set(id, values);
  }
  const outputs = program.outputs ? digestsOf(head, 'outputs') : [];
  const count = program.outputs?.length ?? 0;
  if (outputs.length !== count) throw new CodecError(`${outputs.length} outputs, this program has ${count}`);
  return {
    program: bytesOf(head, 'program', 32),
    commitments: digestsOf(head, 'commitments'),
    outputs,
    context: bytesOf(head, 'context'),
    publics,
    body: s.BODY,
  };
}

/** Bytes of the public tensors in a proof. */
const publicSize = ({ publics, tensors }: GadgetProgram): number =>
  publics.reduce((n, id) => n + tensors[id].shape.reduce((m, d) => m * d, 1) * entryBytes(tensors[id].range), 0);

/** The longest context that a proof is bound to, in bytes. */
export const LONGEST_CONTEXT = 2 ** 16;

export interface SizeBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * Bytes of a proof's file, which follow from its program but for the context: whoever has a file from a stranger compares before
 * it is read. `body`: `bodySize` of the program's argument.
 */
export function proofSize(program: GadgetProgram, body: number): SizeBounds {
  const digest = new Uint8Array(32);
  const head = (context: number): number =>
    proofHead(program, {
      program: digest,
      commitments: program.sources.map(() => digest),
      outputs: (program.outputs ?? []).map(() => digest),
      context: new Uint8Array(context),
    }).length;
  const file = (context: number): number => packedSize([head(context), publicSize(program), body]);
  return { least: file(0), most: file(LONGEST_CONTEXT) };
}

/** Bytes of a commitment's file. `rangeProof`: those of its range proof, 0 for an open source. */
export function commitmentSize(source: CommittedSource, rangeProof: number): number {
  const meta = encode({ source: source.name, layout: new Uint8Array(32) }).length;
  return packedSize([meta, 48 * source.rows, rangeProof]);
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

function digestsOf(value: unknown, name: string): Uint8Array[] {
  const list = field(value, name);
  if (!Array.isArray(list)) throw new CodecError(`"${name}" is no list`);
  return list.map((d: unknown) => bytesOf({ [name]: d }, name, 32));
}

function stringOf(value: unknown, name: string): string {
  const v = field(value, name);
  if (typeof v !== 'string') throw new CodecError(`"${name}" is no text`);
  return v;
}
