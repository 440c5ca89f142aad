/** The standard library, as imports find it: in Node, in a page and in any bundle, without reading files. */
import { standardTexts } from './texts.ts';

/** The file under `stdlib/` that an import of the standard library means: `std` or `std/name`. */
export function standardFile(name: string): string | undefined {
  const match = /^std(?:\/([a-z]\w*))?$/.exec(name);
  return match === null ? undefined : `${match[1] ?? 'std'}.zkl`;
}

/**
 * The file that `import { ... } from "std"` or `"std/NAME"` means, and nothing for other names. What `check` and `compile`
 * use where they are given no `resolveImport`.
 *
 * @example
 * compile({ text, resolveImport: (name) => resolveStandard(name) ?? mine(name) });
 */
export function resolveStandard(name: string): { readonly source: string; readonly text: string } | undefined {
  const file = standardFile(name);
  if (file === undefined || !Object.hasOwn(standardTexts, file)) return undefined;
  return { source: name, text: standardTexts[file] };
}
