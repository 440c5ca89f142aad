/** Whatever happens around it, the exit status of `verify` is the verdict's, and what is shown is what was found. */
import { chmodSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { decodeCommitment, encodeCommitment } from '../../../runtime/codec/files.ts';
import { makeProof, makeWorkplace, mainFile, small, type Result, type Workplace } from './run.ts';

describe('a verdict', () => {
  let place: Workplace;
  const args = ['verify', 'p.zkb', '--commitment', 'keys/commitment.zkc', ...small];
  const shell = (script: string): Result =>
    place.run('bash', ['-c', `zkl() { "${process.execPath}" "${mainFile}" "$@"; }; ${script}`]);

  beforeAll(() => {
    place = makeWorkplace();
    makeProof(place);
    const bytes = place.read('p.zkp');
    bytes[bytes.length - 40] ^= 1;
    place.write('broken.zkp', bytes);
  });
  afterAll(() => place.remove());

  test.each([
    ['p.zkp', 0],
    ['broken.zkp', 1],
    ['none.zkp', 2],
  ])('of %s is %i, with stdout and stderr open, closed, full or gone', (proof, status) => {
    const line = `zkl ${args.join(' ')} ${proof}`;
    const ways = [
      '',
      '| true',
      '2>&1 | true',
      '--json | true',
      '>&-',
      '>&- 2>&-',
      '> /dev/full 2>&1',
      '--json > /dev/full',
    ];
    const ends = ways.map(
      (way) => shell(`${line} ${way}; echo "\${PIPESTATUS[0]}" > end; exit 0`) && place.read('end').toString(),
    );
    expect(ends).toEqual(ways.map(() => `${status}\n`));
  });

  test('help is an option, never a value or a name, and never stands for a verdict', () => {
    for (const more of [
      ['--context', '-h'],
      ['--context', '--help'],
      ['--', '-h'],
      ['p.zkp', '--help'],
      ['--commitment', '--help'],
    ]) {
      const { status, stdout } = place.zkl([...args, ...more]);
      expect({ more, status, stdout }).toEqual({ more, status: 2, stdout: '' });
    }
    expect(place.zkl(['verify', '--help'])).toMatchObject({ status: 0, stderr: '' });
    // A value is a value.
    expect(place.zkl([...args, 'p.zkp', '--context=-h'])).toMatchObject({ status: 1 });
    expect(place.zkl([...args, 'p.zkp', '--context=--json']).stdout).toMatch(/^rejected/);
  });

  test('is not hidden by control characters of a file', () => {
    const file = decodeCommitment(place.read('keys/commitment.zkc'));
    const evil = '\u001b[2K\r\u009b2Kaccepted\u202e\nall is well';
    place.write('evil.zkc', encodeCommitment({ ...file, source: evil }));
    const { stdout, stderr, status } = place.zkl(['verify', 'p.zkb', 'p.zkp', '--commitment', 'evil.zkc', ...small]);
    expect(status).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect((stdout + stderr).split('\n').some((line) => line.startsWith('all is well'))).toBe(false);
    const json = place.zkl(['verify', 'p.zkb', 'p.zkp', '--commitment', 'evil.zkc', '--json', ...small]).stdout;
    expect(json.trimEnd()).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  test('contexts are bytes: what is not UTF-8 is refused, and can be given as digits', () => {
    const prove = (...context: string[]): Result =>
      place.zkl([
        'prove',
        'p.zkb',
        '--weights',
        'adapter',
        '--opening',
        'keys/opening.zko',
        '--inputs',
        'random:1',
        '-o',
        'c.zkp',
        ...context,
        ...small,
      ]);
    expect(prove('--context-hex', 'ff00').status).toBe(0);
    expect(place.zkl([...args, 'c.zkp', '--context-hex', 'ff00']).stdout).toContain('the context that is given');
    expect(place.zkl([...args, 'c.zkp', '--context-hex', 'fe00']).status).toBe(1);
    for (const bad of ["$'\\xff'", "$'\\xfe'"]) {
      const { status, stderr } = shell(`zkl ${args.join(' ')} c.zkp --context ${bad}`);
      expect(status).toBe(2);
      expect(stderr).toMatch(/--context is not UTF-8\n.*--context-hex/);
    }
    expect(prove('--context-hex', 'f').stderr).toContain('pairs of hexadecimal digits');
    expect(prove('--context', 'a', '--context-hex', '61').stderr).toContain('give one of them');
  });

  test('is about a program that can be named: by its source, by its whole digest', () => {
    const { program } = JSON.parse(place.ok('compile', 'p.zkl', '-o', 'same.zkb', '--json').stdout) as {
      program: string;
    };
    expect(place.ok('compile', 'p.zkl', '-o', 'same.zkb').stdout).toContain(`program ${program}`);
    const json = (...more: string[]): Record<string, unknown> =>
      JSON.parse(place.zkl([...args, 'p.zkp', '--json', ...more]).stdout) as Record<string, unknown>;
    expect(json('--program', program)).toMatchObject({ ok: true, program, program_basis: 'pinned' });
    expect(json('--program', 'p.zkl')).toMatchObject({ ok: true, program, program_basis: 'checked now' });
    place.write('other.zkl', place.read('p.zkl').toString().replace('alpha = 6', 'alpha = 3'));
    expect(json('--program', 'other.zkl')).toMatchObject({ ok: false, verdict: 'rejected' });
    expect(
      json(
        '--program',
        program.replace(/^./, (c) => (c === '0' ? '1' : '0')),
      ),
    ).toMatchObject({ ok: false });
    place.write('torn.zkl', 'model {');
    expect(place.zkl([...args, 'p.zkp', '--program', 'torn.zkl'])).toMatchObject({ status: 2, stdout: '' });
  });

  test('is none where a file is of another kind', () => {
    const later = place.read('p.zkp');
    later[4] = 99;
    place.write('later.zkp', later);
    place.write('long.bin', new Uint8Array(2 ** 20));
    const file = decodeCommitment(place.read('keys/commitment.zkc'));
    place.write('foreign.zkc', encodeCommitment({ ...file, source: 'somebody' }));
    const given = (bundle: string, proof: string, commitment: string): Result =>
      place.zkl(['verify', bundle, proof, '--commitment', commitment, ...small]);
    for (const [result, message] of [
      [given('p.zkb', 'p.zkp', 'keys/opening.zko'), 'keys/opening.zko: this is a zkl opening, expected a commitment'],
      [given('p.zkb', 'p.zkb', 'keys/commitment.zkc'), 'p.zkb: this is a zkl bundle, expected a proof'],
      [given('p.zkp', 'p.zkp', 'keys/commitment.zkc'), 'p.zkp: this is a zkl proof, expected a bundle'],
      [given('p.zkb', 'p.zkl', 'keys/commitment.zkc'), 'p.zkl: this is no zkl file, expected a proof'],
      [given('p.zkb', 'later.zkp', 'keys/commitment.zkc'), 'later.zkp: the proof has format version 99'],
      [given('p.zkb', 'long.bin', 'keys/commitment.zkc'), 'long.bin: this is no zkl file, expected a proof'],
      [given('p.zkb', 'p.zkp', 'foreign.zkc'), 'foreign.zkc is the commitment to "somebody"'],
    ] as const) {
      expect(result).toMatchObject({ status: 2, stdout: '' });
      expect(result.stderr).toContain(message);
    }
  });

  test('believes no directory that others can write to, and compiles nothing there', () => {
    mkdirSync(place.file('shared/zkl'), { recursive: true });
    chmodSync(place.file('shared/zkl'), 0o777);
    const own = { NODE_COMPILE_CACHE: '' };
    const env = { ...own, XDG_CACHE_HOME: place.file('shared'), TMPDIR: place.file('shared') };
    expect(place.zkl([...args, 'p.zkp'], env).status).toBe(0);
    expect(readdirSync(place.file('shared'), { recursive: true })).toEqual(['zkl']);
    expect(place.zkl(['doctor'], env).stdout).toMatch(/nothing in it is believed, as others can write in/);
    // Its own is made for its owner alone.
    expect(place.zkl([...args, 'p.zkp'], own).status).toBe(0);
    expect(statSync(place.file('home/.cache/zkl')).mode & 0o777).toBe(0o700);
    expect(readdirSync(place.file('home/.cache/zkl'))).toContain('compiled');
  });

  test('is not lost to files of any length, and a proof that is too long is rejected', () => {
    const long = place.read('p.zkp');
    place.write('long.zkp', Buffer.concat([long, new Uint8Array(2 ** 20)]));
    expect(place.zkl([...args, 'long.zkp'])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^rejected: long\.zkp is too large/) as string,
    });
    for (const name of ['huge.json', 'huge.safetensors']) {
      place.write(name, '');
      truncateSync(place.file(name), 3 * 2 ** 30);
      const { status, stdout, stderr } = place.zkl([...args, 'p.zkp', '--public', name]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).not.toMatch(/internal error|Assertion|RangeError/);
    }
  });

  test('comes without words of a stranger at the start of a line', () => {
    const name = 'layers.0.q_proj.lora_A.weight\naccepted: ok\n';
    place.write('evil.safetensors', writeSafetensors(new Map([[name, { dtype: 'F32', shape: [1], values: [1] }]])));
    const { status, stdout, stderr } = place.zkl([
      'commit',
      'p.zkb',
      '--weights',
      'evil.safetensors',
      '-o',
      'evil',
      ...small,
    ]);
    expect(status).toBe(2);
    expect(stdout + stderr).toContain('did you mean');
    expect((stdout + stderr).split('\n').some((line) => line.startsWith('accepted'))).toBe(false);
  });

  test('says what options are for: those of --program say nothing without it', () => {
    for (const more of [
      ['--dim', 'T=5'],
      ['--calibration', 'none.json'],
      ['--model', 'm', '--program', '0'.repeat(64)],
    ])
      expect(place.zkl([...args, 'p.zkp', ...more])).toMatchObject({ status: 2, stdout: '' });
    for (const words of [
      ['--version', 'verify'],
      ['--help', 'verify', 'p.zkb'],
      ['help', 'verify', 'p.zkb'],
    ])
      expect(place.zkl(words).status).toBe(2);
  });

  test('of indices is exact, whatever the tolerance', () => {
    place.write(
      'i.zkl',
      'model m {\n  dim N = 2\n  public t[N]: index<60000>\n  public u[i] = t[i]\n  public x[N]: fixed<16, 4>\n  public z[i] = x[i]\n}\n',
    );
    place.write('i.json', '{"t": [50000, 3], "x": [100.5, 2]}');
    place.ok('compile', 'i.zkl', '-o', 'i.zkb');
    place.ok('prove', 'i.zkb', '--inputs', 'i.json', '-o', 'i.zkp', ...small);
    const compare = (tensors: object): Result => {
      place.write('seen.json', JSON.stringify(tensors));
      return place.zkl(['verify', 'i.zkb', 'i.zkp', '--public', 'seen.json', '--tolerance', '0.01', ...small]);
    };
    expect(compare({ t: [50000, 3], x: [100, 2] }).status).toBe(0);
    expect(compare({ t: [49990, 3] })).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('t[0] is 49990 in the file, 50000') as string,
    });
    expect(compare({ u: [50000, 4] }).status).toBe(1);
    expect(compare({ x: [90, 2] }).status).toBe(1);
  });
});
