/** A Node that is too old for the code is told apart, and says what to do. */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { mainFile, projectRoot, testWorkplace } from './run.ts';

test('the entry can be read by a Node that knows nothing of types or modules, and cli/main.ts is the same', () => {
  const text = readFileSync(mainFile, 'utf8');
  expect(() => new Script(text)).not.toThrow();
  // Node asks for the extension of what a link leads to.
  expect(realpathSync(join(projectRoot, 'cli', 'main.ts'))).toBe(realpathSync(mainFile));
});

test('under an old Node the one that npm brings along takes over, and without it a sentence says what is needed', () => {
  const place = testWorkplace();
  place.write('old.cjs', "Object.defineProperty(process.versions, 'node', { value: '20.0.0' });");
  place.write('alone.cjs', "require('./old.cjs'); require('node:fs').existsSync = (path) => !/node-linux/.test(path);");
  const run = (preload: string, ...args: string[]) =>
    place.run(process.execPath, ['--require', place.file(preload), mainFile, ...args]);
  const { status, stdout, stderr } = run('alone.cjs', 'verify', '--help');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^zkl: needs Node 24 or newer, this is v.*\n {2}install a newer one/);
  // The package is there on x86-64 Linux alone.
  const brought = run('old.cjs', '--version');
  if (process.platform === 'linux' && process.arch === 'x64') expect(brought).toMatchObject({ status: 0, stderr: '' });
});
