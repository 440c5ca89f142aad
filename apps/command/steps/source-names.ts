/** What programs call the adapters of a command. */
import { basename, resolve } from 'node:path';
import { KEYWORDS } from '../../../grammar/parse/tokens.ts';

const RESERVED: ReadonlySet<string> = new Set(KEYWORDS);

/**
 * A source for each adapter's directory, all different. One adapter is called `adapter`, several are called after their
 * directories: characters that names cannot have become `_`, and a word of the language, or what does not begin as a name
 * does, gets `adapter_` before it. Sources share no names with tensors, blocks, dimensions and constants.
 */
export function sourceNames(directories: readonly string[]): string[] {
  if (directories.length < 2) return directories.map(() => 'adapter');
  const taken = new Set(['base', 'adapter']);
  return directories.map((directory) => {
    const letters = basename(resolve(directory)).replace(/\W/g, '_');
    const word = RESERVED.has(letters) || !/^[A-Za-z_]/.test(letters) ? `adapter_${letters}` : letters;
    let name = word;
    for (let n = 2; taken.has(name); n++) name = `${word}_${n}`;
    taken.add(name);
    return name;
  });
}
