/**
 * The bundle: what `zkl compile` writes and every later step reads. One deterministic file; the same source and
 * dimensions give the same bytes.
 *
 *   GADG  the gadget program: all that a verifier needs; the program digest is its hash
 *   SPAN  where in the source each tensor and equation stands, and the calibration keys of tensors
 *   TENS  the tensor program as text, for people and tools
 *   KERN  the summands as text; nothing reads it (`kernels-section.ts`)
 *   SRCE  the source files
 *
 * Spans are kept apart so that moving a comment does not change what is proved.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Span } from '../../grammar/span.ts';
import type { GadgetProgram } from '../ir/gadget/program.ts';
import { CodecError, decode, encode, type Plain } from './canonical.ts';
import { requireBytes } from '../ir/arguments.ts';
import { pack, unpack } from './container.ts';
import { reading } from '../ir/errors.ts';
import { badName } from './names.ts';
import { readGadgetProgram } from './read.ts';
import { domainTag } from './version.ts';

export interface Bundle {
  readonly gadgets: GadgetProgram;
  /** Names the program: SHA-256 of the section GADG under a domain tag. */
  readonly digest: Uint8Array;
  /** The tensor program, printed. */
  readonly tensors: string;
  /** Whatever the section KERN says; `printKernels` says what `gadgets` does. */
  readonly kernels: string;
  readonly sources: readonly { readonly name: string; readonly text: string }[];
}

const nowhere: Span = { source: '', start: 0, end: 0 };

export function encodeBundle(b: Omit<Bundle, 'digest'>): Uint8Array {
  const { gadgets } = b;
  const bare = {
    ...gadgets,
    tensors: gadgets.tensors.map((t) => ({ ...t, span: undefined, key: undefined })),
    equations: gadgets.equations.map((e) => ({ ...e, span: undefined })),
  };
  const place = ({ source, start, end }: Span): Plain[] => [source, start, end];
  const spans = [
    ...gadgets.tensors.map(({ span, key }) => [...place(span), ...(key === undefined ? [] : [key])]),
    ...gadgets.equations.map(({ span }) => place(span)),
  ];
  return pack('b', {
    GADG: encode(bare as unknown as Plain),
    SPAN: encode(spans),
    TENS: utf8ToBytes(b.tensors),
    KERN: utf8ToBytes(b.kernels),
    SRCE: encode(b.sources.map(({ name, text }) => ({ name, text }))),
  });
}

export const programDigest = (section: Uint8Array): Uint8Array =>
  sha256(concatBytes(domainTag('program\n'), sha256(section)));

/** @throws CodecError for bytes that are no bundle. */
export function decodeBundle(bytes: Uint8Array): Bundle {
  requireBytes('bundle', bytes);
  return reading('bundle', () => readBundle(bytes));
}

function readBundle(bytes: Uint8Array): Bundle {
  const s = unpack('b', ['GADG', 'SPAN', 'TENS', 'KERN', 'SRCE'], bytes);
  const bare = readGadgetProgram(decode(s.GADG));
  const places = decode(s.SPAN);
  const spans = readSpans(places);
  const at = (i: number): Span => spans[i] ?? nowhere;
  const text = (data: Uint8Array): string => new TextDecoder().decode(data);
  return {
    gadgets: {
      ...bare,
      tensors: bare.tensors.map((t, i) => ({ ...t, span: at(i), ...keyOf(places, i) })),
      equations: bare.equations.map((e, i) => ({ ...e, span: at(bare.tensors.length + i) })),
    },
    digest: programDigest(s.GADG),
    tensors: text(s.TENS),
    kernels: text(s.KERN),
    sources: readSources(decode(s.SRCE)),
  };
}

/** Sources are for messages only: whatever is none is left out. */
function readSources(value: unknown): { name: string; text: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((v: unknown) => {
    const { name, text } = (v ?? {}) as { name?: unknown; text?: unknown };
    if (typeof name !== 'string' || typeof text !== 'string') return [];
    const bad = badName(name);
    if (bad !== undefined) throw new CodecError(`the name of a source ${bad}`);
    return [{ name, text }];
  });
}

/** The calibration key that stands beside a tensor's span, if there is one. */
function keyOf(places: unknown, i: number): { readonly key?: string } {
  const key: unknown = Array.isArray(places) && Array.isArray(places[i]) ? (places[i] as unknown[])[3] : undefined;
  return typeof key === 'string' ? { key } : {};
}

/** Spans are for messages only: whatever is no span becomes nowhere. */
function readSpans(value: unknown): Span[] {
  if (!Array.isArray(value)) return [];
  return value.map((v: unknown) => {
    if (!Array.isArray(v)) return nowhere;
    const [source, start, end] = v as unknown[];
    return typeof source === 'string' &&
      badName(source) === undefined &&
      typeof start === 'number' &&
      typeof end === 'number'
      ? { source, start, end }
      : nowhere;
  });
}
