/** JSON as files from outside have it: strict, and without names that occur twice. */
import { requireText } from '../../compiler/ir/arguments.ts';
import { FormatError, quote } from './errors.ts';
import { decode } from './utf8.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws FormatError if the text is not JSON, or if one object has a name twice (where readers would disagree) */
export function parseJson(file: string, what: string, text: string, remedy: string): unknown {
  requireText('text', text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Not what stands there: inputs may be secret.
    const [, position] = /position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = position === undefined ? 'it ends early' : `at character ${Number(position) + 1}`;
    throw new FormatError(file, `${what} is not JSON (${where})`, remedy);
  }
  const twice = repeatedName(text);
  if (twice !== undefined)
    throw new FormatError(file, `${what} has the name ${quote(twice)} twice in one object`, remedy);
  return value;
}

/** @throws FormatError if the bytes are not UTF-8, with the place of the first that is none */
export function decodeUtf8(file: string, what: string, bytes: Uint8Array, remedy: string): string {
  const text = decode(bytes);
  if (typeof text === 'string') return text;
  const { offset, byte, line, column } = text;
  const hex = `0x${byte.toString(16).padStart(2, '0')}`;
  throw new FormatError(
    file,
    `${what} is not UTF-8 text: line ${line}, column ${column} is the byte ${hex}, at offset ${offset}`,
    remedy,
  );
}

/** Without the byte order mark that some editors begin files with. */
export const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** The first name that an object of valid JSON has twice. By hand: strings may have megabytes, too many for a pattern. */
function repeatedName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '{') open.push(new Set());
    else if (c === '[') open.push(undefined);
    else if (c === '}' || c === ']') open.pop();
    else if (c === '"') {
      const end = stringEnd(text, at);
      const names = open.at(-1);
      if (names && isFollowedByColon(text, end)) {
        const name = JSON.parse(text.slice(at, end)) as string;
        if (names.has(name)) return name;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The position after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++)
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
}

function isFollowedByColon(text: string, at: number): boolean {
  while (' \t\n\r'.includes(text[at])) at++;
  return text[at] === ':';
}
