/**
 * What browsers load, as files for any static server: `dist/page`, which `zkl page` serves, and `dist/browser`, the verifier in
 * one module for pages without a bundler. `npm run build` runs it.
 */
import { build } from 'esbuild';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles modules side by side into one folder: the WASM device looks for its `worker.js` beside the module it is in. */
async function bundle(folder: string, entries: readonly string[]): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...entries, 'runtime/device/wasm/worker.ts'],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    sourcemap: false,
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

/** The page into `folder`, which is made anew. */
export async function buildPage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'demo'), { recursive: true });
  await bundle(folder, ['apps/page/main.ts', 'apps/page/worker/engine.ts']);
  for (const name of ['index.html', 'style.css']) await copyFile(join(ROOT, 'apps/page', name), join(folder, name));
  for (const name of ['adapter_config.json', 'adapter_model.safetensors'])
    await copyFile(join(ROOT, 'examples/demo/adapter', name), join(folder, 'demo', name));
  // Servers that have files to verify replace it.
  await writeFile(join(folder, 'given.json'), '{}\n');
}

/** `verifier.js` and its `worker.js`, into `folder`, which is made anew. */
export async function buildVerifier(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await bundle(folder, ['apps/page/verifier.ts']);
}

if (import.meta.main) {
  await buildPage(join(ROOT, 'dist/page'));
  await buildVerifier(join(ROOT, 'dist/browser'));
}
