/** Bytes that are read where they are needed: a file, a blob, memory. */
import { requireBytes, requireText } from '../../compiler/ir/arguments.ts';

export interface ByteSource {
  /** For messages, usually a path. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from `offset`, `length` of them: fewer only if the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes in memory. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  requireText('name', name);
  requireBytes('bytes', bytes);
  return { name, size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}
