/** Outputs never cost a file; `-` and pipes stand wherever a file is read or one is written. */
import { linkSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mainFile, makeProof, makeWorkplace, small, type Result, type Workplace } from './run.ts';

let place: Workplace;
beforeAll(() => {
  place = makeWorkplace();
  makeProof(place);
  place.write('x.json', JSON.stringify({ x: [0, 1].map(() => [0, 1].map(() => [1, 2, 3, 4, 5, 6])) }));
});
afterAll(() => place.remove());

const proveTo = (output: string, inputs = 'x.json'): string[] => [
  'prove',
  'p.zkb',
  '--weights',
  'adapter',
  '--opening',
  'keys/opening.zko',
  '--inputs',
  inputs,
  '-o',
  output,
  ...small,
];

describe('an output', () => {
  const kept = (file: string, args: readonly string[], message: RegExp): void => {
    const before = place.read(file);
    const { status, stderr } = place.zkl(args);
    expect({ args, status }).toEqual({ args, status: 2 });
    expect(stderr).toMatch(message);
    expect(place.read(file)).toEqual(before);
  };

  test('never replaces what its command reads, whatever name it goes by', () => {
    const lost = /is an input of this command|is a file of .*, which this command reads/;
    kept('p.zkl', ['compile', 'p.zkl', '-o', 'p.zkl'], lost);
    for (const file of [
      'p.zkb',
      'keys/opening.zko',
      'x.json',
      'adapter/adapter_model.safetensors',
      'adapter/adapter_config.json',
    ])
      kept(file, proveTo(file), lost);
    kept(
      'adapter/adapter_config.json',
      ['import', 'adapter', '--rows', '2', '--force', '-o', 'adapter/adapter_config.json'],
      lost,
    );
    linkSync(place.file('p.zkb'), place.file('hard.zkb'));
    symlinkSync('p.zkb', place.file('soft.zkb'));
    for (const name of ['hard.zkb', 'soft.zkb', './p.zkb', '../' + place.path.replace(/^.*\//, '') + '/p.zkb'])
      kept('p.zkb', proveTo(name), lost);
  });

  test('never replaces a file of another kind, with or without --force', () => {
    const other = /exists and is not an? .*: it would be lost/;
    place.write('mine.txt', 'a letter');
    place.write('other.zkl', place.read('p.zkl'));
    kept('other.zkl', ['compile', 'p.zkl', '-o', 'other.zkl'], other);
    kept('mine.txt', ['compile', 'p.zkl', '-o', 'mine.txt'], other);
    kept('mine.txt', ['import', 'adapter', '--rows', '2', '-o', 'mine.txt', '--force'], other);
    place.write('kept.zkb', place.read('p.zkb'));
    kept('kept.zkb', proveTo('kept.zkb'), other);
    kept('p.zkb', ['import', 'adapter', '--rows', '2', '-o', 'p.zkb', '--force'], other);
    kept('p.zkp', ['calibrate', 'p.zkl', '--samples', 'random:1', '-o', 'p.zkp'], other);
    place.zkl(['commit', 'p.zkb', '--weights', 'adapter', '-o', 'more', ...small]);
    place.write('more/opening.zko', 'my only diary');
    kept('more/opening.zko', ['commit', 'p.zkb', '--weights', 'adapter', '-o', 'more', '--force', ...small], other);
    place.run('rm', ['more/opening.zko']);
    kept(
      'more/commitment.zkc',
      ['commit', 'p.zkb', '--weights', 'adapter', '-o', 'more', ...small],
      /exists, and proofs/,
    );
  });

  test('replaces a file of its own kind, and an empty one', () => {
    place.write('empty.zkp', '');
    for (const name of ['empty.zkp', 'p.zkp']) expect(place.zkl(proveTo(name)).status).toBe(0);
  });
});

describe('streams', () => {
  const shell = (script: string): Result =>
    place.run('bash', ['-c', `set -o pipefail; zkl() { "${process.execPath}" "${mainFile}" "$@"; }; ${script}`]);
  const verify = 'zkl verify p.zkb s.zkp --commitment keys/commitment.zkc --threads 1';

  test('inputs and public tensors come from pipes and from stdin, and products go to stdout', () => {
    const to = (output: string, inputs: string): string => `zkl ${proveTo(output, inputs).join(' ')}`;
    expect(shell(`${to('s.zkp', '<(cat x.json)')} && ${verify} --public <(cat x.json)`)).toMatchObject({ status: 0 });
    const piped = shell(
      `cat x.json | ${to('-', '-')} > t.zkp && cmp <(head -c 4 t.zkp) <(printf ZKLp) && cat x.json | ${verify} --public -`,
    );
    expect(piped).toMatchObject({ status: 0, stdout: expect.stringContaining('equal to -: x') as string });
    expect(piped.stderr).toContain('of proof');
    expect(
      shell(`cat t.zkp | zkl verify <(cat p.zkb) - --commitment <(cat keys/commitment.zkc) --threads 1`).status,
    ).toBe(0);
    const both = shell(`cat p.zkb | zkl verify - - --commitment keys/commitment.zkc`);
    expect(both).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"-" is given for a file and for a file') as string,
    });
  });

  test('programs, too', () => {
    const { status, stdout } = shell(
      'zkl import adapter --rows 2 -o - | zkl check - && cat p.zkl | zkl compile - -o - | cmp - p.zkb',
    );
    expect(stdout).toContain('no errors');
    // The bundle carries the name of its source.
    expect(status).toBe(1);
    expect(shell('cat p.zkl | zkl compile - -o - | zkl inspect - > /dev/null').status).toBe(0);
    expect(shell('cat p.zkl | zkl fmt - | cmp - p.zkl && cat p.zkl | zkl fmt --check -')).toMatchObject({ status: 0 });
  });
});
