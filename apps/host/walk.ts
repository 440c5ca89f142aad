/** What is below a directory. Hidden folders and `node_modules` are left out; the order is that of names, code unit by code unit. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemFailure } from './errors.ts';

/** Directories that are looked into for a hint: a folder of data may be large. */
const MOST = 200;

const isLeftOut = (name: string): boolean => name.startsWith('.') || name === 'node_modules';

/**
 * All files below a directory with names that end in `ending`, as paths that begin with it. Links to directories are not
 * followed.
 * @throws HostError for a directory that cannot be read
 */
export function filesBelow(directory: string, ending: string): string[] {
  return entriesOf(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (isLeftOut(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(path, ending);
    return entry.name.endsWith(ending) && (entry.isFile() || isFile(path)) ? [path] : [];
  });
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const entriesOf = (directory: string) => {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw systemFailure(error, 'read the directory', directory);
  }
};

/** Directories one or two levels below `directory`, relative to it, of which `wanted` holds. The nearer ones only. */
export function foldersBelow(directory: string, wanted: (path: string) => boolean): string[] {
  let level = [''];
  for (let depth = 0, seen = 0; depth < 2 && seen < MOST; depth++) {
    const below = level.flatMap((parent) => {
      if (seen++ >= MOST) return [];
      try {
        return entriesOf(join(directory, parent))
          .filter((entry) => entry.isDirectory() && !isLeftOut(entry.name))
          .map((entry) => join(parent, entry.name));
      } catch {
        return [];
      }
    });
    const found = below.filter((name) => wanted(join(directory, name)));
    if (found.length > 0) return found;
    level = below;
  }
  return [];
}
