/** The standard library, as imports find it: in Node, in a page and in any bundle, without reading files. */
import { standardFile, type ResolveImport } from '../check/names/files.ts';
import { standardTexts } from './texts.ts';

/**
 * The file that `import { ... } from "std"` or `"std/NAME"` means, and nothing for other names. What `check` and `compile`
 * use where they are given no `resolveImport`.
 *
 * @example
 * compile({ text, resolveImport: (name) => resolveStandard(name) ?? mine(name) });
 */
export const resolveStandard: ResolveImport = (name) => {
  const file = standardFile(name);
  if (file === undefined || !Object.hasOwn(standardTexts, file)) return undefined;
  return { source: name, text: standardTexts[file] };
};
