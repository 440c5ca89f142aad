/** Building the page where a checkout has it only as source: after `npm ci`, before any `npm run build`. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSystemError, systemFailure } from '../../host/errors.ts';
import { CliError } from '../errors.ts';
import { PACKAGE_ROOT } from '../../host/place.ts';

/** Written last: a folder without it is a build that was cut short. */
const LAST = 'given.json';

export const isBuilt = (folder: string): boolean => existsSync(join(folder, LAST));

/**
 * Builds the page into `folder`, which appears whole or not at all, however many do so at once.
 * @throws CliError where there is nothing to build it from, or nothing to build it with
 */
export async function buildPage(folder: string, root = PACKAGE_ROOT): Promise<void> {
  const script = join(root, 'apps', 'page', 'build.ts');
  if (!existsSync(script))
    throw new CliError(`the page is missing: there is no ${folder}`, 'install zkl again: the package brings it along');
  const build = await loadBuild(script, root);
  const made = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await build(made);
    if (!isBuilt(folder)) await rm(folder, { recursive: true, force: true });
    await rename(made, folder);
  } catch (error) {
    // Another one was faster.
    if (!isBuilt(folder)) throw systemFailure(error, 'write the page to', folder);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function loadBuild(script: string, root: string): Promise<(folder: string) => Promise<void>> {
  try {
    // By its path: it is no part of the package, and of nothing that is compiled.
    const { buildPage } = (await import(pathToFileURL(script).href)) as {
      readonly buildPage: (folder: string) => Promise<void>;
    };
    return buildPage;
  } catch (error) {
    if (isSystemError(error) && error.code === 'ERR_MODULE_NOT_FOUND')
      throw new CliError(
        'the page is not built, and what builds it is not installed',
        `cd ${root} && npm ci, without --omit=dev`,
      );
    throw error;
  }
}
