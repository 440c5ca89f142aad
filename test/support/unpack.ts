/**
 * What the development package @sparticuz/chromium brings compressed (a browser, a software GPU driver), unpacked once
 * for each version of it into `.cache` of this checkout.
 */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-fs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = join(root, 'node_modules', '@sparticuz', 'chromium');
const cache = join(root, '.cache', 'chromium');

/** Whether this machine can run what is in the package. */
export const runsHere = process.platform === 'linux' && process.arch === 'x64';

/**
 * The folder with what is in some of the package's archives: the files of a `.tar.br`, and the one program of a `.br`. Whole or
 * not there: any number of processes may ask at once.
 *
 * @param name of the folder: one name, one list of archives
 * @throws Error if the package is not installed or there is no space for it
 */
export async function unpacked(name: string, archives: readonly string[], folder = cache): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  const target = join(folder, version, name);
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const fresh = await mkdtemp(`${target}-`);
  try {
    for (const archive of archives) await unpack(join(home, 'bin', archive), fresh);
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster: a folder that is not empty cannot be replaced.
    if (!existsSync(target)) throw error;
  }
  return target;
}

async function unpack(archive: string, folder: string): Promise<void> {
  const source = createReadStream(archive, { highWaterMark: 2 ** 20 });
  const decompressor = createBrotliDecompress({ chunkSize: 2 ** 20 });
  if (archive.endsWith('.tar.br')) return pipeline(source, decompressor, extract(folder, { chown: false }));
  const program = await open(join(folder, basename(archive, '.br')), 'wx', 0o755);
  await pipeline(source, decompressor, program.createWriteStream());
}
