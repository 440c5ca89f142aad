import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../apps/command/parse/commands.ts';
import { projectRoot, testWorkplace } from './run.ts';

describe('arguments', () => {
  test('--version is that of the package', () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    expect(testWorkplace().zkl(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('--help lists every command, and each command has a help of its own', () => {
    const place = testWorkplace();
    const general = place.zkl(['--help']);
    expect(general.status).toBe(0);
    for (const c of commands) expect(general.stdout).toContain(`  ${c.name}`);
    const prove = place.zkl(['prove', '--help']);
    expect(prove.status).toBe(0);
    for (const o of commands.find((c) => c.name === 'prove')?.options ?? [])
      expect(prove.stdout).toContain(`--${o.name}`);
  });

  test('without a command the help goes to stderr', () => {
    const { status, stdout, stderr } = testWorkplace().zkl([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('usage: zkl COMMAND');
  });

  test.each([
    [['chekc', 'x.zkl'], 'there is no command "chekc"', 'did you mean check?'],
    [['--jsno'], 'there is no option --jsno before a command', 'zkl --help'],
    [['check', 'x.zkl', '--jsno'], 'check has no option --jsno', 'did you mean --json?'],
    [['check'], 'FILE is missing', 'zkl check'],
    [['check', 'a.zkl', 'b.zkl'], '"b.zkl" is one argument too many', 'zkl check --help'],
    [['compile', 'a.zkl'], '-o FILE is missing', 'zkl compile adapter.zkl'],
    [['compile', 'a.zkl', '-o', '--json'], '-o needs a value', 'write -o FILE'],
    [['compile', 'a.zkl', '-o', 'a', '-o', 'b'], '--output is given twice', 'give it once'],
    [['check', 'a.zkl', '--json=yes'], '--json takes no value', 'leave "=yes" out'],
    [['import', 'adapter', '--rows', 'many', '-o', 'a.zkl'], '--rows is "many"', 'a whole number'],
    [['import', 'adapter', '--rows', '0', '-o', 'a.zkl'], '--rows is "0"', 'a whole number from 1'],
  ])('%j', (args, message, remedy) => {
    const { status, stdout, stderr } = testWorkplace().zkl(args);
    expect(status).toBe(2);
    expect(stderr + stdout).toContain(message.replaceAll('"', args.includes('--json') ? '\\"' : '"'));
    expect(stderr + stdout).toContain(remedy);
  });

  test('a fault of zkl itself ends with 2, asks for a report, and shows its trace on demand only', () => {
    const place = testWorkplace();
    const NODE_OPTIONS = `--import=data:text/javascript,setTimeout(()=>{throw%20new%20Error('a%20hole')})`;
    const { status, stdout, stderr } = place.zkl(['--version'], { NODE_OPTIONS });
    expect(status).toBe(2);
    expect(stderr).toBe(
      'zkl: internal error: a hole\n  this is a fault of zkl, not of your files: please report it with the command and what ZKL_DEBUG=1 adds\n',
    );
    expect(stdout).not.toContain('hole');
    expect(place.zkl(['--version'], { NODE_OPTIONS, ZKL_DEBUG: '1' }).stderr).toMatch(/\n {4}at /);
  });

  test('with --json a failure is one object on stdout', () => {
    const { status, stdout, stderr } = testWorkplace().zkl(['inspect', 'none.zkb', '--json']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { internal: false, remedy: 'check the path' } });
  });
});
