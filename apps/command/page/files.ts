/** What the page's server serves: the page as it was built, and files that the page is to verify. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { PACKAGE_ROOT } from '../../host/place.ts';
import { buildPage, isBuilt } from './build.ts';
import type { PageFiles } from './server.ts';

/** The built page; what is not built yet is built first. @throws CliError if that cannot be */
export async function pageFiles(
  folder = join(PACKAGE_ROOT, 'dist', 'page'),
  build = (): Promise<void> => buildPage(folder),
): Promise<PageFiles> {
  if (!isBuilt(folder)) await build();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      entries.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(folder, path).split(sep).join('/'), new Uint8Array(await readFile(path))] as const;
      }),
    ),
  );
}

export interface ToVerify {
  readonly bundle: Given;
  readonly commitments: readonly Given[];
  readonly proof: Given;
  readonly context: string;
  /** What commitments have to be: lines of `apps/page/worker/expected.ts`. */
  readonly expected: readonly string[];
}

export interface Given {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files for the page to verify when it opens, under `given/`, each with its own name. */
export function filesToVerify({ bundle, commitments, proof, context, expected }: ToVerify): PageFiles {
  const all = [bundle, proof, ...commitments];
  const names = all.map(({ path }, i) => `given/${i}/${encodeURIComponent(basename(path))}`);
  const given = { bundle: names[0], proof: names[1], commitments: names.slice(2), context, expected };
  return new Map<string, Uint8Array>([
    ...all.map(({ bytes }, i) => [names[i], bytes] as const),
    ['given.json', Buffer.from(JSON.stringify(given))],
  ]);
}
