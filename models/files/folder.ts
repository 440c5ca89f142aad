/** A directory of files that belong together: a model, an adapter. */
import { FormatError } from './errors.ts';
import { decodeUtf8, isObject, parseJson, withoutMark, type JsonObject } from './json.ts';
import type { ByteSource } from './source.ts';

/** The files of a directory. */
export interface Folder {
  /** For messages. */
  readonly name: string;
  /** A file by its name, undefined if there is none. */
  open(file: string): Promise<ByteSource | undefined>;
  /** The names of its files. Where this is missing, only files of well-known names are found. */
  files?(): Promise<readonly string[]>;
}

const REMEDY = 'download it again';

/** Bytes of a file of settings or of an index. */
const LONGEST = 2 ** 26;

/** The text of a file, undefined if there is none. @throws FormatError if it is not UTF-8 */
export async function readFolderText(folder: Folder, file: string): Promise<string | undefined> {
  const source = await folder.open(file);
  if (source && source.size > LONGEST)
    throw new FormatError(
      source.name,
      `it has ${source.size} bytes, no configuration has more than ${LONGEST}`,
      'is it the right file?',
    );
  return source && withoutMark(decodeUtf8(source.name, 'the file', await source.read(0, source.size), REMEDY));
}

/** A file of one JSON object, undefined if there is none. @throws FormatError */
export async function readFolderObject(folder: Folder, file: string): Promise<JsonObject | undefined> {
  const text = await readFolderText(folder, file);
  if (text === undefined) return undefined;
  const name = `${folder.name}/${file}`;
  const value = parseJson(name, 'the file', text, REMEDY);
  if (isObject(value)) return value;
  throw new FormatError(name, 'it is no JSON object', REMEDY);
}
