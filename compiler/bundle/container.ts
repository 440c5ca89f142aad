/**
 * The outer form of all of zkl's files: "ZKL", a letter for the kind, a version, and named sections whose lengths add up
 * to the file's exactly.
 */
import { CodecError } from './canonical.ts';
import { FORMAT_VERSION } from './version.ts';

/** b: bundle, c: commitment, o: opening, p: proof. */
export type FileKind = 'b' | 'c' | 'o' | 'p';

const kinds: Readonly<Record<FileKind, string>> = { b: 'bundle', c: 'commitment', o: 'opening', p: 'proof' };
const HEADER_BYTES = 6;
const SECTION_HEADER = 12;

export type Sections = Readonly<Record<string, Uint8Array>>;

/** Bytes of a file of sections of these sizes. */
export const packedSize = (sections: readonly number[]): number =>
  HEADER_BYTES + sections.reduce((n, length) => n + SECTION_HEADER + length, 0);

/** Section names are four letters; they are written in the order given. */
export function pack(kind: FileKind, sections: Sections): Uint8Array {
  const entries = Object.entries(sections);
  const out = new Uint8Array(packedSize(entries.map(([, data]) => data.length)));
  out.set(new TextEncoder().encode(`ZKL${kind}`));
  out[4] = FORMAT_VERSION;
  out[5] = entries.length;
  const view = new DataView(out.buffer);
  let at = HEADER_BYTES;
  for (const [name, data] of entries) {
    out.set(new TextEncoder().encode(name), at);
    view.setBigUint64(at + 4, BigInt(data.length), true);
    out.set(data, at + SECTION_HEADER);
    at += SECTION_HEADER + data.length;
  }
  return out;
}

/** @throws CodecError unless the bytes begin as a file of this kind and of this format's version */
export function checkHeader(kind: FileKind, start: Uint8Array): void {
  const magic = new TextDecoder('latin1').decode(start.subarray(0, 4));
  if (magic !== `ZKL${kind}`) {
    const other = magic.startsWith('ZKL') && Object.hasOwn(kinds, magic[3] ?? '') ? (magic[3] as FileKind) : undefined;
    throw new CodecError(
      `this is ${other ? `a zkl ${kinds[other]}` : 'no zkl file'}, expected ${kind === 'o' ? 'an' : 'a'} ${kinds[kind]}`,
    );
  }
  if (start.length < HEADER_BYTES) throw new CodecError(`the ${kinds[kind]} ends early`);
  if (start[4] !== FORMAT_VERSION)
    throw new CodecError(
      `the ${kinds[kind]} has format version ${start[4]}, and this zkl reads version ${FORMAT_VERSION}: make it again, or use the zkl that made it`,
    );
}

/** @throws CodecError unless the bytes are a file of this kind with exactly these sections in this order. */
export function unpack<Name extends string>(
  kind: FileKind,
  names: readonly Name[],
  file: Uint8Array,
): Record<Name, Uint8Array> {
  // A plain array: subclasses such as Node's Buffer have a `slice` that does not copy.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  checkHeader(kind, bytes);
  if (bytes[5] !== names.length) throw new CodecError(`${bytes[5]} sections, expected ${names.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = {} as Record<Name, Uint8Array>;
  let at = HEADER_BYTES;
  for (const name of names) {
    if (bytes.length - at < SECTION_HEADER) throw new CodecError(`the ${kinds[kind]} ends early`);
    if (new TextDecoder('latin1').decode(bytes.subarray(at, at + 4)) !== name)
      throw new CodecError(`section "${name}" is missing`);
    const length = view.getBigUint64(at + 4, true);
    at += SECTION_HEADER;
    if (length > BigInt(bytes.length - at)) throw new CodecError(`the ${kinds[kind]} ends early`);
    out[name] = bytes.subarray(at, (at += Number(length)));
  }
  if (at !== bytes.length) throw new CodecError(`${bytes.length - at} bytes after the end of the ${kinds[kind]}`);
  return out;
}
