import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeProof, small, projectRoot, Workplace } from './run.ts';

/**
 * The package as `npm pack` makes it, unpacked where `npm install` would put it, with the dependencies of this checkout:
 * nothing is downloaded. Built from a copy, so that the checkout stays as it is.
 */
describe('the package', () => {
  let root: string;
  let place: Workplace;
  let files: string[];

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'zkl-package-'));
    const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const checkout = join(root, 'checkout');
    cpSync(projectRoot, checkout, {
      recursive: true,
      filter: (path) => !['.git', '.cache', 'node_modules', 'dist', 'coverage'].includes(basename(path)),
    });
    symlinkSync(join(projectRoot, 'node_modules'), join(checkout, 'node_modules'));
    execFileSync('npm', ['pack', '--silent', '--pack-destination', root], {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const tarball = readdirSync(root).find((name) => name.endsWith('.tgz')) ?? '';
    const modules = join(root, 'node_modules');
    mkdirSync(join(modules, 'zkl'), { recursive: true });
    mkdirSync(join(modules, '.bin'));
    files = execFileSync('tar', ['-xzvf', join(root, tarball), '-C', join(modules, 'zkl'), '--strip-components=1'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''));
    for (const name of Object.keys(manifest['dependencies'])) {
      if (name.includes('/')) mkdirSync(join(modules, name, '..'), { recursive: true });
      symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
    }
    symlinkSync('../zkl/cli/bin.cjs', join(modules, '.bin', 'zkl'));
    place = new Workplace(root, [process.execPath, join(modules, '.bin', 'zkl')]);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('has the command, the library, the standard library and the licence, and nothing else', () => {
    for (const name of [
      'cli/bin.cjs',
      'dist/apps/command/main.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/page/index.html',
      'dist/browser/verifier.js',
      'stdlib/std.zkl',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ])
      expect(files).toContain(name);
    const folders = new Set(files.filter((name) => name.includes('/')).map((name) => name.split('/')[0]));
    expect([...folders].sort()).toEqual(['cli', 'dist', 'docs', 'grammar', 'stdlib'].filter((f) => folders.has(f)));
    expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([]);
  });

  test('runs every command', () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    expect(place.ok('--version').stdout).toBe(`${version}\n`);
    makeProof(place);
    place.ok('inspect', 'p.zkb');
    expect(place.ok('verify', 'p.zkb', '--commitment', 'keys/commitment.zkc', 'p.zkp', ...small).stdout).toMatch(
      /^accepted: /,
    );
    place.write(
      'std.zkl',
      'import { lora } from "std"\n\nmodel m {\n  dim T = 2\n  public x[T]: fixed<16, 8>\n  public y[t] = x[t] * x[t]\n}\n',
    );
    place.ok('check', 'std.zkl');
  });

  test('serves the page', async () => {
    const [node, zkl] = [process.execPath, join(root, 'node_modules', '.bin', 'zkl')];
    const child = spawn(node, [zkl, 'page', '--port', '0'], { cwd: place.path, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill());
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (text: Buffer) => {
        said += text.toString();
        const [found] = /http:\/\/\S+/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => reject(new Error(said)));
    });
    expect(await (await fetch(url)).text()).toContain('<title>zkl');
    for (const name of ['main.js', 'engine.js', 'worker.js', 'style.css', 'demo/adapter_config.json'])
      expect((await fetch(url + name)).status).toBe(200);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  test('finds the standard library for those who compile with it', () => {
    const text = 'import { silu } from "std"\nmodel m {\n  public x[3]: fixed<8, 4>\n  public y[i] = silu(x[i])\n}\n';
    const script = `import { compile } from 'zkl';
      const { bundle, diagnostics } = compile({ text: ${JSON.stringify(text)} });
      console.log(bundle !== undefined, diagnostics.map((d) => d.title).join());`;
    const { status, stdout, stderr } = place.run(process.execPath, ['--input-type=module', '-e', script]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true \n', stderr: '' });
  });

  test('says what to install where prettier or fast-check is needed and missing', () => {
    expect(place.zkl(['fmt', 'p.zkl'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/prettier, which is not installed\n {2}npm install prettier/) as string,
    });
    const { stderr } = place.run(process.execPath, ['--input-type=module', '-e', "await import('zkl/testing')"]);
    expect(stderr).toContain("Cannot find package 'fast-check'");
    // A program that is imported is whole all the same, if not as `fmt` lays it out.
    expect(place.ok('check', 'p.zkl').stdout).toContain('no errors');
  });

  test('is a library with the entry points that it declares', () => {
    for (const name of ['fast-check', 'prettier'])
      symlinkSync(join(projectRoot, 'node_modules', name), join(root, 'node_modules', name));
    place.ok('fmt', 'p.zkl');
    place.ok('fmt', '--check', 'p.zkl');
    const { exports } = JSON.parse(readFileSync(join(root, 'node_modules/zkl/package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const names = Object.keys(exports).filter((name) => name !== './package.json');
    const script = names
      .map((name) => `console.log(Object.keys(await import(${JSON.stringify(join('zkl', name))})).length > 0);`)
      .join('\n');
    const { status, stdout, stderr } = place.run(process.execPath, ['--input-type=module', '-e', script]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe('true\n'.repeat(names.length));
  });
});
