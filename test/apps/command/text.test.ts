/** Files that are no UTF-8 are refused with the place, and changed by nothing; `fmt` of directories. */
import { chmodSync, linkSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLlama, modelFiles } from '../../support/model.ts';
import { mainFile, makeWorkplace, type Workplace } from './run.ts';

const PROGRAM = 'model   m {\n  dim T = 2\n  public x[T]: fixed<8, 4>\n  public y[t] = x[t]\n}\n';
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

let place: Workplace;
beforeAll(() => {
  place = makeWorkplace();
});
afterAll(() => place.remove());

describe('bytes that are no UTF-8', () => {
  const refused = (args: readonly string[], message: string): void => {
    const { status, stdout, stderr } = place.zkl(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(args[0] === 'import' ? 'again' : 'save it as UTF-8');
  };

  test('in a program, in a comment and in a string', () => {
    const comment = latin1(`// gr\xfc\xdfe\n${PROGRAM}`);
    const string = latin1(
      PROGRAM.replace('public x[T]: fixed<8, 4>', 'secret x[T]: fixed<8, 4> from adapter "gr\xfcn"'),
    );
    place.write('comment.zkl', comment);
    place.write('string.zkl', string);
    for (const args of [['check'], ['fmt'], ['fmt', '--check'], ['compile', '-o', 'x.zkb']]) {
      refused(
        [...args, 'comment.zkl'],
        'comment.zkl: the program is not UTF-8 text: line 1, column 6 is the byte 0xfc, at offset 5',
      );
      refused([...args, 'string.zkl'], 'string.zkl: the program is not UTF-8 text: line 3, column 44 is the byte 0xfc');
    }
    expect(place.read('comment.zkl')).toEqual(comment);
    expect(place.read('string.zkl')).toEqual(string);
  });

  test('in a program that is imported', () => {
    place.write('part.zkl', latin1('// gr\xfcn\nblock f(x[T]) -> y[T] { y[t] = x[t] }\n'));
    place.write('whole.zkl', `import { f } from "part"\n${PROGRAM}`);
    for (const args of [['check'], ['compile', '-o', 'x.zkb']])
      refused([...args, 'whole.zkl'], 'part.zkl: the imported program is not UTF-8 text: line 1, column 6');
  });

  test('in samples and scales', () => {
    place.write('good.zkl', PROGRAM);
    place.write('bad.json', latin1('{\n  "x": "\xfc" }'));
    const bad = 'is not UTF-8 text: line 2, column 9 is the byte 0xfc, at offset 10';
    refused(['calibrate', 'good.zkl', '--samples', 'bad.json', '-o', 'x.json'], `bad.json: the samples ${bad}`);
    refused(['check', 'good.zkl', '--calibration', 'bad.json'], `bad.json: the calibration ${bad}`);
  });

  test('in configurations of models and adapters', () => {
    for (const folder of ['model', 'adapter']) mkdirSync(place.file(folder));
    for (const [file, content] of modelFiles(makeLlama())) place.write(`model/${file}`, content);
    place.write('model/config.json', latin1('{"\xfc": 1}'));
    place.write('adapter/adapter_config.json', latin1('{"\xfc": 1}'));
    const bad = 'the file is not UTF-8 text: line 1, column 3 is the byte 0xfc, at offset 2';
    refused(['import', 'model', '--tokens', '4', '-o', 'x.zkl'], `model/config.json: ${bad}`);
    refused(['import', 'adapter', '--rows', '4', '-o', 'x.zkl'], `adapter/adapter_config.json: ${bad}`);
  });

  test('a byte order mark is none of them', () => {
    place.write('mark.zkl', `\ufeff${PROGRAM}`);
    expect(place.zkl(['check', 'mark.zkl']).status).toBe(0);
    expect(place.zkl(['fmt', 'mark.zkl']).stdout).toBe('formatted mark.zkl\n');
    expect(place.read('mark.zkl').toString().startsWith('model m {')).toBe(true);
  });
});

test('fmt takes directories: all programs below, in one order, each once', () => {
  const loose = ['a.zkl', 'b/c.zkl', 'b/d/e.zkl', 'b2/f.zkl', 'B.zkl'];
  const others = ['.hidden/g.zkl', 'node_modules/h.zkl', 'b/node_modules/i.zkl', '.j.zkl', 'k.txt', 'l.zkl.bak'];
  for (const folder of ['b/d', 'b2', '.hidden', 'node_modules', 'b/node_modules', 'none'])
    mkdirSync(place.file(`tree/${folder}`), { recursive: true });
  for (const name of [...loose, ...others]) place.write(`tree/${name}`, PROGRAM);
  symlinkSync(place.file('tree'), place.file('tree/b/loop'));
  const found = ['tree/B.zkl', 'tree/a.zkl', 'tree/b/c.zkl', 'tree/b/d/e.zkl', 'tree/b2/f.zkl'];
  const check = place.zkl(['fmt', '--check', '--json', 'tree', 'tree/a.zkl']);
  expect(check.status).toBe(1);
  expect(JSON.parse(check.stdout)).toMatchObject({ unformatted: found });
  // What is named is taken, wherever it lies.
  expect(place.ok('fmt', 'tree/b/../a.zkl', 'tree', 'tree/.hidden').stdout).toBe(
    ['tree/b/../a.zkl', ...found.filter((name) => name !== 'tree/a.zkl'), 'tree/.hidden/g.zkl']
      .map((name) => `formatted ${name}\n`)
      .join(''),
  );
  expect(place.zkl(['fmt', '--check', 'tree'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
  for (const name of others.slice(1)) expect(place.read(`tree/${name}`).toString()).toBe(PROGRAM);
  const none = place.zkl(['fmt', 'tree/none']);
  expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('tree/none: there is no .zkl file below it')]);
});

test('fmt leaves a file what it was: its mode, its names, and read-only', () => {
  place.write('shared.zkl', PROGRAM);
  chmodSync(place.file('shared.zkl'), 0o666);
  place.write('first.zkl', PROGRAM);
  linkSync(place.file('first.zkl'), place.file('second.zkl'));
  place.ok('fmt', 'shared.zkl', 'first.zkl');
  expect(statSync(place.file('shared.zkl')).mode & 0o777).toBe(0o666);
  expect(statSync(place.file('first.zkl')).ino).toBe(statSync(place.file('second.zkl')).ino);
  for (const name of ['shared.zkl', 'second.zkl']) expect(place.read(name).toString()).toMatch(/^model m \{/);

  for (const name of ['kept.zkl', 'loose.zkl']) place.write(name, PROGRAM);
  chmodSync(place.file('kept.zkl'), 0o444);
  expect(place.zkl(['fmt', 'loose.zkl', 'kept.zkl'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'zkl fmt: cannot write kept.zkl: it is read-only\n  allow it: chmod u+w kept.zkl\n',
  });
  for (const name of ['kept.zkl', 'loose.zkl']) expect(place.read(name).toString()).toBe(PROGRAM);
  // What is written to a pipe that is read from would be lost.
  const { status, stderr } = place.run('bash', ['-c', `"${process.execPath}" "${mainFile}" fmt <(cat kept.zkl)`]);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/it is no regular file\n {2}.*zkl fmt - </)]);
});
