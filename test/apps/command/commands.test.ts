import { existsSync, readdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeProof, makeWorkplace, small, withoutProgress, type Workplace } from './run.ts';

const verifyArgs = ['verify', 'p.zkb', '--commitment', 'keys/commitment.zkc', ...small];

describe('the commands, one after the other', () => {
  let place: Workplace;
  const json = (...args: string[]): Record<string, unknown> =>
    JSON.parse(place.zkl([...args, '--json']).stdout) as Record<string, unknown>;

  beforeAll(() => {
    place = makeWorkplace();
    makeProof(place);
  });
  afterAll(() => place.remove());

  test('say in a process that is kept what they say in one of their own', () => {
    for (const args of [
      [...verifyArgs, 'p.zkp'],
      [...verifyArgs, 'none.zkp'],
      ['verify', '--help'],
      ['check', 'p.zkl', '--json'],
      ['check', 'none.zkl', '--json'],
      ['inspect', 'p.zkb'],
      ['compile', 'p.zkl'],
    ]) {
      const [kept, own] = [place.zkl(args), place.process(args)].map((result) => ({
        ...result,
        stderr: withoutProgress(result.stderr),
        stdout: result.stdout.replaceAll(/[\d.]+ m?s/g, 'T').replace(/\S+ [kMG]B are available/, 'M are available'),
      }));
      expect(kept).toEqual(own);
    }
  });

  test('import names what it takes and what it leaves out, and spares edits', () => {
    expect(json('import', 'adapter', '--rows', '2', '-o', 'again.zkl')).toMatchObject({
      ok: true,
      modules: [
        { path: 'layers.0.q_proj', rank: 3, inputs: 6, outputs: 5 },
        { path: 'layers.1.q_proj', rank: 3 },
      ],
      leftOut: [],
    });
    expect(place.zkl(['import', 'adapter', '--rows', '2', '-o', 'again.zkl']).status).toBe(0);
    const edited = place.zkl(['import', 'adapter', '--rows', '2', '-o', 'p.zkl']);
    expect(edited.status).toBe(2);
    expect(edited.stderr).toMatch(/p\.zkl exists and may hold edits of yours\n {2}.*--force/);
  });

  test('check accepts the program, with other dims, too', () => {
    expect(place.zkl(['check', 'p.zkl'])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('no errors') as string,
    });
    expect(json('check', 'p.zkl', '--dim', 'T=5')).toMatchObject({ ok: true, diagnostics: [] });
    expect(place.zkl(['check', 'p.zkl', '--dim', 'T']).stderr).toContain('--dim T=15');
  });

  test('check and compile end with 1 for a program with errors, and say where', () => {
    place.write('wrong.zkl', 'model m {\n  public y = x\n}\n');
    const { status, stdout, stderr } = place.zkl(['check', 'wrong.zkl']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('wrong.zkl:2:');
    expect(json('check', 'wrong.zkl')).toMatchObject({
      ok: false,
      diagnostics: [{ severity: 'error', source: 'wrong.zkl', line: 2 }],
    });
    expect(place.zkl(['compile', 'wrong.zkl', '-o', 'wrong.zkb']).status).toBe(1);
    expect(existsSync(place.file('wrong.zkb'))).toBe(false);
  });

  test('fmt --check finds what fmt mends', () => {
    place.write('loose.zkl', 'model   m {\n dim T = 2\n public x[T]: fixed<16,8>\n public y[t] = x[t] * x[t]\n}\n');
    expect(place.zkl(['fmt', '--check', 'loose.zkl'])).toMatchObject({
      status: 1,
      stderr: 'loose.zkl is not formatted: zkl fmt loose.zkl\n',
    });
    expect(json('fmt', '--check', 'loose.zkl')).toMatchObject({ ok: false, unformatted: ['loose.zkl'] });
    expect(place.zkl(['fmt', 'loose.zkl']).stdout).toBe('formatted loose.zkl\n');
    expect(place.zkl(['fmt', '--check', 'loose.zkl'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(place.read('loose.zkl').toString()).toContain('model m {\n  dim T = 2\n');
  });

  test('fmt leaves a program with errors alone', () => {
    place.write('torn.zkl', 'model m {\n  public x[: fixed<16, 8>\n');
    const before = place.read('torn.zkl');
    const { status, stderr } = place.zkl(['fmt', 'torn.zkl']);
    expect(status).toBe(1);
    expect(stderr).toContain('torn.zkl:');
    expect(place.read('torn.zkl')).toEqual(before);
  });

  test('compile gives the same bytes again', () => {
    const { stdout: said } = place.ok('compile', 'p.zkl', '-o', 'again.zkb');
    expect(said).toMatch(/a proof takes about \d\S* m?s of one thread and \d\S* [MG]B of memory/);
    expect(place.read('again.zkb')).toEqual(place.read('p.zkb'));
  });

  test('inspect shows statement, rows, levels with their lines, sizes, and what is given away', () => {
    const { stdout } = place.zkl(['inspect', 'p.zkb']);
    const line =
      place
        .read('p.zkl')
        .toString()
        .split('\n')
        .findIndex((l) => l.includes('public delta')) + 1;
    expect(stdout).toContain(`p.zkl:${line}  public delta[`);
    expect(stdout).toMatch(/secret +A\[2, 3, 6\] +fixed<8, 7>/);
    expect(stdout).toMatch(/warning: delta is published with x.*After about 6 rows \(3 proofs\)/);
    const { proofBytes } = json('inspect', 'p.zkb').plan as { proofBytes: number };
    expect(stdout).toContain(`(${proofBytes.toLocaleString('en')} bytes)`);
    // The plan is kept: proofs have exactly this size.
    const secrets = ['--weights', 'adapter', '--opening', 'keys/opening.zko'];
    const made = place.ok('prove', 'p.zkb', ...secrets, '--inputs', 'random:2', '-o', 'q.zkp', '--json', ...small);
    expect(JSON.parse(made.stdout)).toMatchObject({ ok: true, proofBytes });
    // Who proves is told once what the outputs give away.
    const { disclosures } = json('inspect', 'p.zkb') as { disclosures: { text: string }[] };
    expect(disclosures).toMatchObject([{ kind: 'solvable', level: 'warning', rows: 6, proofs: 3, inputs: ['x'] }]);
    expect(made.stderr.split(`warning: ${disclosures[0].text}`)).toHaveLength(2);
  });

  test('commit keeps the opening for its owner, and never replaces it unasked', () => {
    expect(statSync(place.file('keys/opening.zko')).mode & 0o777).toBe(0o600);
    const before = place.read('keys/opening.zko');
    const { status, stderr } = place.zkl(['commit', 'p.zkb', '--weights', 'adapter', '-o', 'keys', ...small]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/keys\/opening\.zko exists.*\n {2}.*--force/);
    expect(place.read('keys/opening.zko')).toEqual(before);
    expect(readdirSync(place.file('keys')).sort()).toEqual(['commitment.zkc', 'opening.zko']);
  });

  test('verify accepts, summarises the public tensors, and remembers the commitment', () => {
    const { status, stdout } = place.zkl([...verifyArgs, 'p.zkp']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^accepted: /);
    expect(stdout).toMatch(/public input +x\[2, 2, 6\] +from -?\d/);
    expect(stdout).toMatch(/public output +delta\[2, 2, 5\] +from -?\d/);
    const cached = readdirSync(place.file('home/.cache/zkl'));
    expect(cached.filter((name) => name.startsWith('valid-'))).toHaveLength(1);
    expect(json(...verifyArgs, 'p.zkp')).toMatchObject({
      ok: true,
      publics: [
        { name: 'x', kind: 'input' },
        { name: 'delta', kind: 'output' },
      ],
    });
  });

  test('verify rejects with the reason and ends with 1', () => {
    const other = place.zkl([...verifyArgs, 'p.zkp', '--context', 'another']);
    expect(other).toMatchObject({ status: 1, stdout: 'rejected: the proof is for another context\n' });
    const bytes = place.read('p.zkp');
    bytes[bytes.length - 40] ^= 1;
    place.write('flipped.zkp', bytes);
    expect(place.zkl([...verifyArgs, 'flipped.zkp'])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^rejected: /) as string,
    });
    place.write('short.zkp', bytes.subarray(0, 100));
    expect(json(...verifyArgs, 'short.zkp')).toMatchObject({ ok: false, reason: expect.any(String) as string });
  });

  test('verify --public compares with a file and names the first difference', () => {
    // The seed's inputs, as anybody can make them: multiples of 2^-8.
    place.write(
      'x.json',
      JSON.stringify({ x: [0, 1].map((l) => [0, 1].map((t) => [0, 1, 2, 3, 4, 5].map((i) => (l + t - i) / 4))) }),
    );
    place.ok(
      'prove',
      'p.zkb',
      '--weights',
      'adapter',
      '--opening',
      'keys/opening.zko',
      '--inputs',
      'x.json',
      '-o',
      'x.zkp',
      ...small,
    );
    expect(place.zkl([...verifyArgs, 'x.zkp', '--public', 'x.json'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('equal to x.json: x') as string,
    });
    place.write('y.json', place.read('x.json').toString().replace('-0.25', '-0.24609375'));
    const differs = place.zkl([...verifyArgs, 'x.zkp', '--public', 'y.json']);
    expect(differs.status).toBe(1);
    expect(differs.stdout).toContain('x[0, 0, 1] is -0.24609375 in the file, -0.25 in the proof');
    expect(place.zkl([...verifyArgs, 'x.zkp', '--public', 'y.json', '--tolerance', '0.01']).status).toBe(0);
    place.write('z.json', '{"z": [1]}');
    expect(place.zkl([...verifyArgs, 'x.zkp', '--public', 'z.json'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no public tensor "z"') as string,
    });
  });

  test('everything works without a place for the cache', () => {
    const { status } = place.zkl([...verifyArgs, 'p.zkp'], { HOME: '/dev/null', XDG_CACHE_HOME: '' });
    expect(status).toBe(0);
  });
});
