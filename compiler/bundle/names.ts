/** Names are shown to people: what could hide, move or erase what a terminal shows beside them is none. */

/** UTF-8 bytes of the longest name. */
const longest = 4096;

/** Control characters (C0, DEL, C1), line and paragraph separators, and those that change the direction of text. */
const hidden = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** What is wrong with a name, or undefined. */
export function badName(name: string): string | undefined {
  const found = hidden.exec(name.slice(0, longest));
  if (found) return `has the character U+${found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  // A character is at most three bytes for each of its units.
  const bytes = 3 * name.length <= longest ? 0 : new TextEncoder().encode(name).length;
  return bytes > longest ? `has ${bytes} bytes, at most ${longest} are allowed` : undefined;
}
