/** UTF-8, and where bytes are none. */

/** The first byte that belongs to no character. */
export interface BadByte {
  /** From 0. */
  readonly offset: number;
  readonly byte: number;
  /** From 1; a character beyond 16 bits counts as two columns, as in editors and diagnostics. */
  readonly line: number;
  readonly column: number;
}

/** The text, a byte order mark included; or where it is none. */
export function decode(bytes: Uint8Array): string | BadByte {
  try {
    return decoder.decode(bytes);
  } catch {
    const offset = validUpTo(bytes);
    const start = bytes.lastIndexOf(NEWLINE, offset - 1) + 1;
    const begin = offset === 0 ? 0 : start;
    const before = bytes.subarray(0, begin).reduce((n, byte) => n + Number(byte === NEWLINE), 1);
    return {
      offset,
      byte: bytes[offset],
      line: before,
      column: decoder.decode(bytes.subarray(begin, offset)).length + 1,
    };
  }
}

const NEWLINE = 10;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Lead bytes: the last of each range, how many bytes follow, and the range of the first of them (Unicode 15, table 3-7). */
const LEADS: readonly (readonly [last: number, following: number, low: number, high: number])[] = [
  [0x7f, 0, 0, 0],
  [0xc1, -1, 0, 0],
  [0xdf, 1, 0x80, 0xbf],
  [0xe0, 2, 0xa0, 0xbf],
  [0xec, 2, 0x80, 0xbf],
  [0xed, 2, 0x80, 0x9f],
  [0xef, 2, 0x80, 0xbf],
  [0xf0, 3, 0x90, 0xbf],
  [0xf3, 3, 0x80, 0xbf],
  [0xf4, 3, 0x80, 0x8f],
  [0xff, -1, 0, 0],
];

/** How many bytes from the beginning are whole characters. */
function validUpTo(bytes: Uint8Array): number {
  for (let at = 0; ;) {
    if (at >= bytes.length) return at;
    const [, following, low, high] = LEADS.find(([last]) => bytes[at] <= last)!;
    if (following < 0) return at;
    for (let k = 1; k <= following; k++) {
      const [least, most] = k === 1 ? [low, high] : [0x80, 0xbf];
      if (!(bytes[at + k] >= least && bytes[at + k] <= most)) return at;
    }
    at += following + 1;
  }
}
