/** What earlier starts compiled is taken from the first module on: where nobody else could have put it. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot, testWorkplace } from './run.ts';

test('a start compiles nothing that an earlier one has compiled, and takes nothing that others could have written', () => {
  const place = testWorkplace();
  place.write('m.zkl', 'model m {\n  dim N = 3\n  public x[N]: fixed<8, 4>\n  public y[i] = x[i]\n}\n');
  // What strips types is loaded where there is something to strip.
  place.write(
    'told.cjs',
    "process.on('exit', () => process.stderr.write(process.moduleLoadList.some((m) => m.includes('amaro')) ? 'compiles' : 'takes'));",
  );
  const check = (...more: string[]): string => {
    const args = ['--require', place.file('told.cjs'), join(projectRoot, 'cli', 'main.ts'), 'check', 'm.zkl', ...more];
    const { status, stderr } = place.run(process.execPath, args, { NODE_COMPILE_CACHE: '' });
    expect(status).toBe(0);
    return stderr;
  };
  // The first makes the directory, the second compiles what comes before that.
  expect([check(), check(), check()]).toEqual(['compiles', 'compiles', 'takes']);
  const cache = place.file('home/.cache/zkl');
  for (const shared of [`${cache}/compiled`, cache, place.file('home')]) {
    chmodSync(shared, 0o777);
    expect(check()).toBe('compiles');
    chmodSync(shared, 0o700);
    expect(check()).toBe('takes');
  }
});
