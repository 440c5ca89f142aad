/**
 * The page in a real browser: Chromium, WebGPU in software. It proves and verifies, also what Node made, and says what it has to do
 * without. A picture of it is left in .cache/page.png.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { filesToVerify, pageFiles } from '../../../apps/command/page/files.ts';
import { servePage, type PageFiles, type PageServer } from '../../../apps/command/page/server.ts';
import { commit, createProver, createVerifier, createWasmDevice } from '../../../index.ts';
import { buildPage, buildVerifier } from '../../../apps/page/build.ts';
import { startBrowser } from '../../support/chromium.ts';
import { inputs, smallBundle, weights } from '../../support/small.ts';

const picture = fileURLToPath(new URL('../../../.cache/page.png', import.meta.url));
const [plain, gpu] = [await startBrowser({ webgpu: false }), await startBrowser({ webgpu: true })];
afterAll(async () => {
  await Promise.all([plain?.close(), gpu?.close()]);
});

const folder = mkdtempSync(join(tmpdir(), 'zkl-page-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Node made: a bundle, a commitment, and a proof that is bound to a context. */
async function makeFiles() {
  const device = await createWasmDevice({ threads: 1 });
  const bundle = smallBundle();
  const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
  const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
  const { proof } = await prover.prove(inputs, { context: new TextEncoder().encode('tea') });
  await device.close();
  return { bundle, commitment, proof };
}

describe.skipIf(!plain || !gpu)('the page', () => {
  let files: PageFiles;
  let made: Awaited<ReturnType<typeof makeFiles>>;
  let isolated: PageServer;
  let troubles: string[] = [];

  beforeAll(async () => {
    await buildPage(join(folder, 'page'));
    files = await pageFiles(join(folder, 'page'));
    made = await makeFiles();
    isolated = await servePage(files, { port: 0 });
  });
  afterAll(() => isolated.close());

  async function open(browser: Browser, url: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page> {
    const context: BrowserContext = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    // Shaders compile on the processor, which other tests share.
    page.setDefaultTimeout(240_000);
    troubles = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    await page.goto(url);
    await page.getByRole('button', { name: 'Prove the demo' }).and(page.locator(':enabled')).waitFor();
    return page;
  }

  /** As the WASM device names itself in an isolated page. */
  async function threads(page: Page): Promise<string> {
    const n = Math.min(16, await page.evaluate(() => navigator.hardwareConcurrency));
    return n === 1 ? '1 thread' : `${n} threads`;
  }

  const note = (page: Page, of: string): Promise<string> => page.locator(`#${of}-note`).innerText();
  const verdict = (page: Page, section: 'demo' | 'verify') => page.locator(`#${section}-output .verdict`).innerText();
  const steps = (page: Page, section: 'demo' | 'verify'): Promise<string[]> =>
    page.locator(`#${section}-output li`).allInnerTexts();

  async function proveOn(page: Page, device: 'The processor' | 'The GPU'): Promise<string> {
    await page.getByRole('radio', { name: device }).check();
    await page.getByRole('button', { name: 'Prove the demo' }).press('Enter');
    return verdict(page, 'demo');
  }

  const upload = (name: string, bytes: Uint8Array) => ({
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(bytes),
  });

  async function verifyUploads(page: Page, proof: Uint8Array, context: string, bundle = made.bundle): Promise<string> {
    await page.getByLabel('Bundle').setInputFiles(upload('p.zkb', bundle));
    await page.getByLabel('Commitments').setInputFiles(upload('p.zkc', made.commitment));
    await page.getByLabel('Proof', { exact: true }).setInputFiles(upload('p.zkp', proof));
    await page.getByLabel('Context').fill(context);
    await page.getByRole('button', { name: 'Verify the proof' }).click();
    return verdict(page, 'verify');
  }

  test('proves and verifies the demo with threads, and Node accepts what it made', async () => {
    const page = await open(gpu!, isolated.url);
    expect(await note(page, 'wasm')).toBe(`WebAssembly, ${await threads(page)}`);
    expect(await proveOn(page, 'The processor')).toContain(`Proved and verified on wasm (${await threads(page)}).`);
    expect((await steps(page, 'demo')).at(-1)).toMatch(/one bit changed\n.*\nrejected: /);
    const download = async (name: string): Promise<Uint8Array> => {
      const started = page.waitForEvent('download');
      await page.getByRole('link', { name }).click();
      return new Uint8Array(readFileSync(await (await started).path()));
    };
    const bundle = await download('adapter.zkb');
    const commitment = await download('commitment.zkc');
    const proof = await download('proof.zkp');
    const device = await createWasmDevice({ threads: 1 });
    onTestFinished(() => device.close());
    const verifier = await createVerifier(bundle, { device });
    expect(await verifier.register(commitment)).toEqual({ ok: true });
    expect(await verifier.verify(proof)).toMatchObject({ ok: true });
    expect(troubles).toEqual([]);
  });

  test('proves and verifies the demo on a GPU', async () => {
    const page = await open(gpu!, isolated.url);
    expect(await note(page, 'webgpu')).toMatch(/^WebGPU, .*swiftshader \(software\)$/);
    expect(await proveOn(page, 'The GPU')).toMatch(/^Proved and verified on webgpu \(.*swiftshader/);
    expect((await steps(page, 'demo')).at(-1)).toMatch(/one bit changed\n.*\nrejected: /);
    await page.screenshot({ path: picture, fullPage: true });
    expect(troubles).toEqual([]);
  });

  test('verifies what Node made, and rejects what was changed', async () => {
    const page = await open(plain!, isolated.url);
    expect(await verifyUploads(page, made.proof, 'tea')).toContain(
      `Accepted, on wasm (${await threads(page)}). It rests on the program `,
    );
    expect(await page.locator('#verify-output tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^x\tinput\t2 × 5\t/),
      expect.stringMatching(/^y\toutput\t2 × 3\t/),
    ]);
    const changed = made.proof.slice();
    changed[changed.length - 100] ^= 1;
    expect(await verifyUploads(page, changed, 'tea')).toMatch(/^Rejected: /);
    expect(await verifyUploads(page, made.proof, 'coffee')).toBe('Rejected: the proof is for another context.');
    expect(await verifyUploads(page, made.proof, 'tea', made.proof)).toMatch(
      /^It could not be done: this is a zkl proof, expected a bundle.*zkl compile/,
    );
    expect(troubles).toEqual([]);
  });

  test('verifies the files it is served with when it opens', async () => {
    const given = filesToVerify({
      bundle: { path: 'some where/a b.zkb', bytes: made.bundle },
      commitments: [{ path: 'keys/ü.zkc', bytes: made.commitment }],
      proof: { path: 'p.zkp', bytes: made.proof },
      context: 'tea',
      expected: [],
    });
    const server = await servePage(new Map([...files, ...given]), { port: 0 });
    onTestFinished(() => server.close());
    const page = await open(plain!, server.url);
    expect(await verdict(page, 'verify')).toMatch(/^Accepted/);
    expect(await steps(page, 'verify')).toContainEqual(expect.stringMatching(/^Validate ü\.zkc\n/));
  });

  test('says what it does without: no GPU, no shared memory', async () => {
    const server = await servePage(files, { port: 0, isolated: false });
    onTestFinished(() => server.close());
    const page = await open(plain!, server.url);
    expect(await note(page, 'wasm')).toMatch(
      /^WebAssembly, 1 thread: this page is not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/,
    );
    expect(await note(page, 'webgpu')).toMatch(/^not available: .*\. The processor is used instead$/);
    expect(await page.getByRole('radio', { name: 'The GPU' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Prove the demo' }).click();
    expect(await verdict(page, 'demo')).toMatch(/^Proved and verified on wasm \(1 thread\)\./);
  });

  test('can be used without a mouse and without seeing it', async () => {
    const page = await open(plain!, isolated.url, { colorScheme: 'dark' });
    const spoken = await page.locator('main').ariaSnapshot();
    expect(spoken.replace(await threads(page), 'N threads')).toMatchInlineSnapshot(`
      "- main:
        - region "This browser":
          - heading "This browser" [level=2]
          - group "Compute on":
            - text: Compute on
            - radio "The processor" [checked]
            - text: The processor WebAssembly, N threads
            - radio "The GPU" [disabled]
            - text: "The GPU not available: this browser has WebGPU, but no GPU that it may use. The processor is used instead"
        - region "Prove and verify a demo":
          - heading "Prove and verify a demo" [level=2]
          - paragraph: "A small adapter, two attention projections of rank 3 with made-up weights, through every step: a program is written for it and compiled, its weights are committed to, its outputs for random activations are proved, and the proof is verified, once as it is and once with one bit changed."
          - button "Prove the demo"
          - status
        - region "Verify a proof made elsewhere":
          - heading "Verify a proof made elsewhere" [level=2]
          - paragraph:
            - text: What
            - code: zkl compile
            - text: ","
            - code: zkl commit
            - text: and
            - code: zkl prove
            - text: wrote. Files are read here and sent nowhere.
          - text: Bundle
          - button "Bundle"
          - text: Commitments
          - button "Commitments"
          - text: Proof
          - button "Proof"
          - text: Context, if it is bound to one
          - textbox "Context, if it is bound to one"
          - text: "Digests that you expect, a line each: SOURCE=DIGEST, or SOURCE=trusted for open weights that nobody checked"
          - 'textbox "Digests that you expect, a line each: SOURCE=DIGEST, or SOURCE=trusted for open weights that nobody checked"'
          - button "Verify the proof"
          - status"
    `);
    await page.keyboard.press('Tab');
    expect(await page.getByRole('radio', { name: 'The processor' }).evaluate((e) => e.matches(':focus-visible'))).toBe(
      true,
    );
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await verdict(page, 'demo')).toMatch(/^Proved/);
  });

  test('a GPU that is lost in the middle of a proof ends it with a message, and the processor goes on', async () => {
    const page = await open(gpu!, isolated.url);
    await page.getByRole('radio', { name: 'The GPU' }).check();
    await page.getByRole('button', { name: 'Prove the demo' }).click();
    await page.locator('#demo-output li').first().waitFor();
    const session = await gpu!.newBrowserCDPSession();
    await session.send('Browser.crashGpuProcess');
    expect(await verdict(page, 'demo')).toMatch(/^It could not be done: the GPU device was lost.*choose the processor/);
    expect(await proveOn(page, 'The processor')).toMatch(/^Proved and verified on wasm/);
  });

  test('is told where its server lacks a part', async () => {
    const server = await servePage(new Map([...files].filter(([name]) => name !== 'engine.js')), { port: 0 });
    onTestFinished(() => server.close());
    const page = await open(plain!, server.url);
    expect(await note(page, 'wasm')).toMatch(/^not available: the page's engine does not run/);
  });

  test('the verifier in one module runs in a page without a bundler', async () => {
    await buildVerifier(join(folder, 'verifier'));
    const script = `
      import { createVerifier, createWasmDevice } from './verifier.js';
      const read = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
      const device = await createWasmDevice();
      const verifier = await createVerifier(await read('p.zkb'), { device });
      const registered = await verifier.register(await read('p.zkc'));
      const verdict = await verifier.verify(await read('p.zkp'), { context: new TextEncoder().encode('tea') });
      document.title = JSON.stringify([device.name, registered.ok, verdict.ok]);`;
    const page: PageFiles = new Map([
      // It is no page, and has nothing to be built.
      ...(await pageFiles(join(folder, 'verifier'), () => Promise.resolve())),
      ['index.html', Buffer.from('<!doctype html><script type="module" src="own.js"></script>')],
      ['own.js', Buffer.from(script)],
      ['p.zkb', made.bundle],
      ['p.zkc', made.commitment],
      ['p.zkp', made.proof],
    ]);
    const server = await servePage(page, { port: 0 });
    onTestFinished(() => server.close());
    const tab = await plain!.newPage();
    onTestFinished(() => tab.close());
    await tab.goto(server.url);
    await expect.poll(() => tab.title(), { timeout: 60_000 }).not.toBe('');
    expect(JSON.parse(await tab.title())).toEqual([`wasm (${await threads(tab)})`, true, true]);
  });
});
