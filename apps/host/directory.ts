/**
 * The directory for what zkl keeps between runs. What it says is believed (which commitments were validated, which code was compiled), so it
 * counts only if nobody else can write there: made for its owner alone, and every directory above it the owner's or root's. Else there is no cache.
 */
import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** $XDG_CACHE_HOME/zkl or ~/.cache/zkl, whether it is there or not; undefined without a home. */
export function cacheDirectory(): string | undefined {
  const xdg = process.env['XDG_CACHE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'zkl');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'zkl') : undefined;
  } catch {
    return undefined;
  }
}

/** Why a directory is not this user's alone, or undefined where it is. Systems without users in this sense have nothing to ask. */
export function sharedBy(directory: string): string | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  const own = statusOf(directory);
  if (!own?.isDirectory()) return `${directory} is no directory`;
  if (own.uid !== me) return `${directory} belongs to another user`;
  if ((own.mode & 0o022) !== 0) return `others can write in ${directory}`;
  for (let path = dirname(directory); ; path = dirname(path)) {
    const above = statusOf(path);
    if (!above || (above.uid !== me && above.uid !== 0)) return `${path} belongs to another user`;
    // In a sticky directory, as /tmp is, nobody moves what is another's.
    if ((above.mode & 0o022) !== 0 && (above.mode & 0o1000) === 0) return `others can write in ${path}`;
    if (path === dirname(path)) return undefined;
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** The directory, made if need be, if what stands in it can be believed. */
export const believedDirectory = (directory = cacheDirectory()): string | undefined =>
  directory === undefined ? undefined : prepared(directory);

function prepared(directory: string): string | undefined {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // A link may lead to another disk: what counts is where.
    const real = realpathSync(directory);
    return sharedBy(real) === undefined ? real : undefined;
  } catch {
    return undefined;
  }
}
