/** Names are shown to people: what could hide, move or erase what a terminal shows beside them is none. */

/** UTF-8 bytes of the longest name. */
const LONGEST = 512;

/** Control and format characters (C0, DEL, C1, direction, joiners), separators of lines and paragraphs, halves of characters. */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** All blanks but the space, and letters that are shown as one. */
const blank = /[\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]/u;

/** What is wrong with a name, or undefined. Whether it may be empty is its owner's to say. */
export function badName(name: string): string | undefined {
  const start = name.slice(0, LONGEST);
  const found = hidden.exec(start) ?? blank.exec(start);
  if (found) return `has the character U+${found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  if (start.includes('  ')) return 'has two blanks in a row';
  // A character is at most three bytes for each of its units.
  const bytes = 3 * name.length <= LONGEST ? 0 : new TextEncoder().encode(name).length;
  return bytes > LONGEST ? `has ${bytes} bytes, at most ${LONGEST} are allowed` : undefined;
}
