/** Files in: whole, as text, or in parts; pipes and stdin to their end. */
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { decodeUtf8, withoutMark } from '../../../models/files/json.ts';
import { bytesSource, type ByteSource } from '../../../models/files/source.ts';
import { HostError, systemFailure } from '../errors.ts';
import { MAX_TEXT } from '../limits.ts';
import { startOf, STREAM } from '../outputs.ts';
import { bytes } from '../../../compiler/ir/words.ts';

/**
 * A whole file, or `-` for stdin; pipes are read to their end.
 *
 * @param what the file's part in the command, for messages: "the bundle"
 * @param most bytes that it may have
 * @throws HostError; TooLarge where there are more
 */
export async function readInput(path: string, what: string, most = Infinity): Promise<Uint8Array> {
  try {
    if (path !== STREAM) {
      const status = await stat(path);
      if (status.isFile() && status.size > most) throw new TooLarge(path, what, status.size, most, await startOf(path));
      // A pipe has no size: what is too much is not read on.
      if (status.isFile()) return plain(await readFile(path));
    }
    return await readStream(path === STREAM ? standardInput(what) : createReadStream(path), path, what, most);
  } catch (error) {
    throw systemFailure(error, `read ${what}`, path);
  }
}

/** A file that is larger than what it should be can ever be. */
export class TooLarge extends HostError {
  /** Its first bytes. */
  readonly start: Uint8Array;

  constructor(path: string, what: string, size: number | undefined, most: number, start: Uint8Array) {
    super(
      `${path} is too large for ${what}: ${size === undefined ? 'more than' : `${bytes(size)}, at most`} ${bytes(most)} are possible`,
      'check that it is the right file',
      { kind: 'large', path, most },
    );
    this.start = start;
  }
}

/** A Buffer's `slice` is a view, not the copy that a Uint8Array gives. */
const plain = ({ buffer, byteOffset, byteLength }: Buffer<ArrayBuffer>): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

async function readStream(
  stream: AsyncIterable<Buffer>,
  path: string,
  what: string,
  most: number,
): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > most) throw new TooLarge(path, what, undefined, most, parts[0] ?? part);
    parts.push(part);
  }
  return plain(Buffer.concat(parts));
}

let standardInputFor: string | undefined;

/** There is one stdin: the second that asks for it would find it empty. */
function standardInput(what: string): AsyncIterable<Buffer> {
  if (standardInputFor !== undefined)
    throw new HostError(`"-" is given for ${standardInputFor} and for ${what}`, 'read one of them from a file', {
      kind: 'stdin',
    });
  standardInputFor = what;
  return process.stdin;
}

/** @throws HostError, and FormatError with the place of the first byte that is no UTF-8 */
export const readText = async (path: string, what: string): Promise<string> =>
  textOf(await readInput(path, what, MAX_TEXT), path, what);

/** @throws FormatError with the place of the first byte that is no UTF-8 */
export const textOf = (data: Uint8Array, path: string, what: string): string =>
  withoutMark(decodeUtf8(path, what, data, 'save it as UTF-8: the encoding of the editor, or iconv -t UTF-8'));

/** Opens a file for reading parts of it, and closes it when `body` ends. */
export async function withSource<T>(path: string, what: string, body: (source: ByteSource) => Promise<T>): Promise<T> {
  const { source, close } = await openSource(path, what);
  try {
    return await body(source);
  } finally {
    await close();
  }
}

/** Opens a file for reading parts of it, until `close` is called. */
export async function openSource(
  path: string,
  what: string,
): Promise<{ readonly source: ByteSource; readonly close: () => Promise<void> }> {
  const failure = (error: unknown): unknown => systemFailure(error, `read ${what}`, path);
  if (!(await isSeekable(path))) {
    const whole = await readInput(path, what);
    return { source: bytesSource(path, whole), close: () => Promise.resolve() };
  }
  const file = await open(path).catch((error: unknown) => {
    throw failure(error);
  });
  const close = (): Promise<void> => file.close();
  try {
    const status = await file.stat();
    if (status.isDirectory())
      throw new HostError(`cannot read ${what} ${path}: it is a directory`, 'name a file', { kind: 'place', path });
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length);
      let at = 0;
      try {
        while (at < length) {
          const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MAX_AT_ONCE), offset + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
      } catch (error) {
        throw failure(error);
      }
      return bytes.subarray(0, at);
    };
    return { source: { name: path, size: status.size, read }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Bytes of one call: Node has no more than 31 bits for them. */
const MAX_AT_ONCE = 2 ** 30;

/** Of stdin and of pipes there are no parts. */
async function isSeekable(path: string): Promise<boolean> {
  if (path === STREAM) return false;
  const status = await stat(path).catch(() => undefined);
  return status === undefined || status.isFile() || status.isDirectory();
}
