/** A real browser for tests: Chromium from a development package, with WebGPU on SwiftShader. No installation, no rights. */
import { chromium, type Browser } from 'playwright-core';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runsHere, unpacked } from './unpack.ts';

export interface BrowserOptions {
  /** Whether pages get a WebGPU adapter (in software); else `requestAdapter` gives none. */
  readonly webgpu: boolean;
}

/** `undefined` where it cannot start, and then a line on stderr says why. */
export async function startBrowser({ webgpu }: BrowserOptions): Promise<Browser | undefined> {
  if (!runsHere) return skipped(`there is no Chromium for ${process.platform} on ${process.arch}`);
  // The browser looks for GPU libraries beside itself.
  const folder = await unpacked('chromium', ['chromium.br', 'swiftshader.tar.br']);
  const fonts = await fontsFile(await unpacked('fonts', ['fonts.tar.br']));
  const launch = (libraries: string): Promise<Browser> =>
    chromium.launch({
      executablePath: join(folder, 'chromium'),
      args: webgpu ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : [],
      env: { ...process.env, FONTCONFIG_FILE: fonts, LD_LIBRARY_PATH: libraries },
    });
  try {
    return await launch('');
  } catch {
    // Some systems lack libraries of a desktop (nss, ...): the package has those, too.
    const libraries = join(await unpacked('al2023', ['al2023.tar.br']), 'lib');
    return launch(libraries).catch((error: unknown) => skipped(String(error).split('\n').slice(0, 8).join('\n')));
  }
}

/** Tells the browser where fonts are: those of the package, which every machine has, and the system's. */
async function fontsFile(folder: string): Promise<string> {
  const text = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/cache</cachedir>
</fontconfig>
`;
  const file = join(folder, 'zkl.conf');
  const staged = `${file}.${process.pid}`;
  await writeFile(staged, text);
  await rename(staged, file);
  return file;
}

function skipped(reason: string): undefined {
  console.warn(`SKIPPED: no browser to test the page with: ${reason}`);
  return undefined;
}
