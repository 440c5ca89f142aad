/** The page's server: what it serves, to whom, and nothing else. */
import { mkdirSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servePage, type PageServer } from '../../../apps/command/page/server.ts';
import { buildPage } from '../../../apps/command/page/build.ts';
import { pageFiles } from '../../../apps/command/page/files.ts';
import { testWorkplace } from './run.ts';

const files = new Map([
  ['index.html', Buffer.from('<!doctype html>')],
  ['demo/a.bin', Buffer.from([1, 2, 3])],
]);

describe("the page's server", () => {
  let server: PageServer;
  beforeAll(async () => {
    server = await servePage(files, { port: 0 });
  });
  afterAll(() => server.close());

  /** As it is written: `fetch` would tidy paths up. */
  const get = (path: string, options: { readonly method?: string; readonly host?: string } = {}) =>
    new Promise<{ status: number | undefined; type: string | undefined; body: string }>((resolve, reject) => {
      const { port } = new URL(server.url);
      const headers = { host: options.host ?? `localhost:${port}` };
      const sent = request({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers }, (response) => {
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (text: string) => (body += text));
        response.on('end', () =>
          resolve({ status: response.statusCode, type: response.headers['content-type'], body }),
        );
      });
      sent.on('error', reject);
      sent.end();
    });

  test('serves its files, and the headers that threads need', async () => {
    expect(await get('/')).toEqual({ status: 200, type: 'text/html; charset=utf-8', body: '<!doctype html>' });
    expect(await get('/demo/a.bin?x=1')).toMatchObject({
      status: 200,
      type: 'application/octet-stream',
      body: '\x01\x02\x03',
    });
    const { headers } = await fetch(server.url);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test.each(['/../package.json', '/%2e%2e/package.json', '//etc/passwd', '/demo', '/nothing', '/demo/../index.html'])(
    '%s is not there',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  test('answers for localhost only, and to GET and HEAD only', async () => {
    expect((await get('/', { host: 'evil.example' })).status).toBe(403);
    expect((await get('/', { method: 'POST' })).status).toBe(405);
    expect(await get('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  test('a port that is taken is named, with a way out', async () => {
    const port = Number(new URL(server.url).port);
    await expect(servePage(files, { port })).rejects.toMatchObject({
      message: `port ${port} is in use`,
      remedy: expect.stringContaining('--port 0') as string,
    });
  });

  test('a page that is not built, or half, is built first', async () => {
    const place = testWorkplace();
    const folder = place.file('dist/page');
    mkdirSync(folder, { recursive: true });
    place.write('dist/page/main.js', 'half');
    const [one, two] = await Promise.all([pageFiles(folder), pageFiles(folder)]);
    for (const name of ['index.html', 'main.js', 'engine.js', 'worker.js', 'given.json', 'demo/adapter_config.json'])
      expect(one.get(name)?.length).toBeGreaterThan(2);
    expect([...one.keys()].sort()).toEqual([...two.keys()].sort());
    expect(readdirSync(place.file('dist'))).toEqual(['page']);
  });

  test('a package that lost its page, and a checkout without what builds it, are said with the remedy', async () => {
    const place = testWorkplace();
    const attempt = (root: string): Promise<void> => buildPage(place.file('page-of-it'), root);
    await expect(attempt(place.path)).rejects.toMatchObject({
      message: expect.stringContaining(place.file('page-of-it')) as string,
      remedy: expect.stringContaining('install zkl again') as string,
    });
    mkdirSync(place.file('apps/page'), { recursive: true });
    place.write('apps/page/build.ts', "import { build } from 'esbuild-that-is-not-there';\nvoid build;\n");
    await expect(attempt(place.path)).rejects.toMatchObject({ remedy: expect.stringContaining('npm ci') as string });
  });
});

test.each([
  [['--bundle', 'p.zkb'], 'the page cannot verify without --proof'],
  [['--commitment', 'p.zkc', '--proof', 'p.zkp'], 'the page cannot verify without --bundle'],
  [['--port', '70000'], '--port is "70000"'],
])('zkl page %j is refused', (args, message) => {
  const { status, stderr } = testWorkplace().zkl(['page', ...args]);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});
