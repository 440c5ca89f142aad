/**
 * What reaches a terminal. Names and texts come from files of strangers: a control character in one could move the cursor, erase a verdict
 * or hide it, and a mark of direction could turn its letters around.
 */
import type { Json } from '../parse/command.ts';

/** All that is no visible character: controls (a tab and the ends of lines among them), marks of direction and of format, halves of pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (c: string): string => {
  const code = c.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

/** Blanks that are none of ours: several in a row, or of another width, push what follows to the start of the next line. */
const BLANKS = / {2,}|[\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]/gu;

/** A string of a file, on one line. */
export const shown = (text: string): string => text.replace(INVISIBLE, escaped);

/** A name of a file from elsewhere, inside a sentence. */
export const shownName = (name: string): string =>
  shown(name.length > 80 ? `${name.slice(0, 80)}…` : name).replace(BLANKS, (blanks) =>
    Array.from(blanks, escaped).join(''),
  );

/** Several lines: ends of lines are kept, all else that is invisible is not. */
export const shownLines = (text: string): string => text.replace(INVISIBLE, (c) => (c === '\n' ? c : escaped(c)));

/** JSON on one line, in which programs find everything and terminals nothing to act on. */
export const shownJson = (value: Json): string =>
  JSON.stringify(value).replace(INVISIBLE, (c) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
