/** Reading bundles, and finding a program's tensors in the files that are given for it. */
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { decodeBundle, type Bundle } from '../../../compiler/bundle/bundle.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { didYouMean } from '../../host/suggest.ts';
import { about, CliError } from '../errors.ts';
import { readInput } from '../../host/files/read.ts';
import { MAX_BUNDLE } from '../../host/limits.ts';

export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
}

export async function readBundle(path: string): Promise<BundleFile> {
  const bytes = await readInput(path, 'the bundle', MAX_BUNDLE);
  const bundle = await about(path, 'compile the program again: zkl compile FILE -o BUNDLE', [CodecError], () =>
    decodeBundle(bytes),
  );
  return { path, bytes, bundle };
}

/**
 * Of values given as `[SOURCE=]PATH` the one for a source: by name, or the only one if the program has only this source.
 * A path may hold "=" itself: what stands before it counts only if it is a source's name.
 */
export function perSource(
  option: string,
  given: readonly string[],
  sources: readonly CommittedSource[],
): ReadonlyMap<string, string> {
  const names = sources.map((s) => s.name);
  const found = new Map<string, string>();
  for (const text of given) {
    const at = text.indexOf('=');
    const named = at >= 0 && names.includes(text.slice(0, at));
    if (!named && names.length !== 1) {
      const remedy =
        (at >= 0 ? didYouMean(text.slice(0, at), names) : undefined) ??
        `write --${option} SOURCE=${text}, with a source of ${names.join(', ')}`;
      throw new CliError(
        `--${option} ${text} does not say which of the program's ${names.length} sources it is for`,
        remedy,
      );
    }
    const name = named ? text.slice(0, at) : names[0];
    if (found.has(name)) throw new CliError(`--${option} is given twice for the source "${name}"`, 'give it once');
    found.set(name, named ? text.slice(at + 1) : text);
  }
  return found;
}

/** As `perSource`, for sources that all must be there. */
export function forSource(option: string, found: ReadonlyMap<string, string>, source: CommittedSource): string {
  const path = found.get(source.name);
  if (path === undefined)
    throw new CliError(
      `there is no --${option} for the source "${source.name}"`,
      `add --${option} ${source.name}=PATH`,
    );
  return path;
}
