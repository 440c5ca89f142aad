import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { inDirectory, writeOutputs } from '../../../apps/host/files/write.ts';
import { checkOutput, kinds } from '../../../apps/host/outputs.ts';
import { mainFile, projectRoot, testWorkplace } from './run.ts';

const program = 'model m {\n  dim T = 3\n  public x[T]: fixed<16, 8>\n  public y[t] = x[t] * x[t]\n}\n';

describe('outputs', () => {
  test('replace a file whole, with the mode asked for', async () => {
    const place = testWorkplace();
    const path = place.file(place.write('out', 'before'));
    await writeOutputs([{ path, bytes: 'after', mode: 0o600 }]);
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(place.path).sort()).toEqual(['home', 'out']);
  });

  test('follow a symbolic link instead of replacing it', async () => {
    const place = testWorkplace();
    place.write('real', 'before');
    symlinkSync('real', place.file('link'));
    await writeOutputs([{ path: place.file('link'), bytes: 'after' }]);
    expect(lstatSync(place.file('link')).isSymbolicLink()).toBe(true);
    expect(place.read('real').toString()).toBe('after');
  });

  test('go where a symbolic link leads, whether anything is there or not', async () => {
    const place = testWorkplace();
    mkdirSync(place.file('far/away'), { recursive: true });
    symlinkSync('away/target', place.file('far/near'));
    symlinkSync('far/near', place.file('link'));
    await writeOutputs([{ path: place.file('link'), bytes: 'new' }]);
    for (const link of ['link', 'far/near']) expect(lstatSync(place.file(link)).isSymbolicLink()).toBe(true);
    expect(lstatSync(place.file('far/away/target')).isFile()).toBe(true);
    expect(place.read('link').toString()).toBe('new');
    symlinkSync('round', place.file('about'));
    symlinkSync('about', place.file('round'));
    await expect(writeOutputs([{ path: place.file('round'), bytes: 'x' }])).rejects.toThrow(/too many symbolic links/);
    symlinkSync('none/x', place.file('lost'));
    const nowhere = checkOutput(place.file('lost'), kinds.proof, []);
    await expect(nowhere).rejects.toThrow(/the directory .*none does not exist/);
  });

  test('of a file that stays the same one are seen under all of its names', async () => {
    const place = testWorkplace();
    place.write('one', 'what was there before');
    linkSync(place.file('one'), place.file('two'));
    await writeOutputs([{ path: place.file('one'), bytes: 'shorter', inPlace: true }]);
    expect(place.read('two').toString()).toBe('shorter');
    expect(readdirSync(place.path).sort()).toEqual(['home', 'one', 'two']);
  });

  test('replace no read-only file', async () => {
    const place = testWorkplace();
    place.write('p.zkp', 'ZKLp');
    await checkOutput(place.file('p.zkp'), kinds.proof, []);
    chmodSync(place.file('p.zkp'), 0o444);
    await expect(checkOutput(place.file('p.zkp'), kinds.proof, [])).rejects.toThrow(/p\.zkp: it is read-only/);
  });

  test('appear together or not at all', async () => {
    const place = testWorkplace();
    place.write('kept', 'mine');
    const outputs = [
      { path: place.file('new'), bytes: 'a' },
      { path: place.file('kept'), bytes: 'b', exclusive: true },
    ];
    await expect(writeOutputs(outputs)).rejects.toThrow(/kept exists/);
    await expect(writeOutputs([outputs[0], { path: place.file('none/x'), bytes: 'c' }])).rejects.toThrow(
      /cannot write .*none\/x/,
    );
    expect(readdirSync(place.path).sort()).toEqual(['home', 'kept']);
    expect(place.read('kept').toString()).toBe('mine');
  });

  test('in a directory that is made for them: it goes again if they do not come', async () => {
    const place = testWorkplace();
    mkdirSync(place.file('mine'));
    const failing = (path: string): Promise<void> =>
      inDirectory(place.file(path), () => Promise.reject(new Error(`none in ${path}`)));
    for (const path of ['mine', 'mine/a/b', 'new/c']) await expect(failing(path)).rejects.toThrow(`none in ${path}`);
    expect(readdirSync(place.path, { recursive: true }).sort()).toEqual(['home', 'mine']);
  });

  // The second output is a pipe that nobody reads: the process waits there, the first one being written but not in place.
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    '%s in the middle leaves no output',
    async (signal) => {
      const place = testWorkplace();
      execFileSync('mkfifo', [place.file('pipe')]);
      const script = `
      import { writeOutputs } from ${JSON.stringify(`${projectRoot}/apps/host/files/write.ts`)};
      await writeOutputs([{ path: 'out', bytes: new Uint8Array(1e6) }, { path: 'pipe', bytes: 'x' }]);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        cwd: place.path,
        stdio: 'ignore',
      });
      const temporary = (): string[] =>
        readdirSync(place.path).filter((name) => name.endsWith('.tmp') && statSync(place.file(name)).size === 1e6);
      while (temporary().length === 0) await sleep(10);
      child.kill(signal);
      const [, by] = (await once(child, 'exit')) as [number | null, string | null];
      expect(by).toBe(signal);
      expect(existsSync(place.file('out'))).toBe(false);
      // What cannot be caught leaves the temporary file, but nothing under the output's name.
      expect(readdirSync(place.path).filter((name) => name.endsWith('.tmp'))).toHaveLength(
        signal === 'SIGKILL' ? 1 : 0,
      );
    },
  );

  test('a killed command leaves the output whole or absent', async () => {
    const place = testWorkplace();
    place.write('p.zkl', program);
    place.ok('compile', 'p.zkl', '-o', 'whole.zkb');
    const whole = place.read('whole.zkb');
    for (const delay of [100, 200, 300, 400]) {
      const child = spawn(process.execPath, [mainFile, 'compile', 'p.zkl', '-o', 'killed.zkb'], {
        cwd: place.path,
        stdio: 'ignore',
      });
      const exit = once(child, 'exit');
      await sleep(delay);
      child.kill('SIGKILL');
      await exit;
      if (existsSync(place.file('killed.zkb'))) expect(place.read('killed.zkb')).toEqual(whole);
    }
    expect(
      readdirSync(place.path)
        .filter((name) => name.startsWith('killed'))
        .every((name) => name === 'killed.zkb'),
    ).toBe(true);
  });
});
