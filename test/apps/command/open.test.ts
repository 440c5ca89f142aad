/** Nothing is proved of a commitment to open weights: what `verify` wants to know of it, and says. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { makeWorkplace, small, type Result, type Workplace } from './run.ts';

const verify = [
  'verify',
  'm.zkb',
  'm.zkp',
  '--commitment',
  'base/commitment.zkc',
  '--commitment',
  'keys/commitment.zkc',
];

describe('what a verdict rests on', () => {
  let place: Workplace;
  let base = '';
  let adapter = '';
  const json = ({ stdout }: Result): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;
  const run = (...args: string[]): Result => place.zkl([...verify, ...small, ...args]);

  beforeAll(() => {
    place = makeWorkplace();
    place.write(
      'm.zkl',
      `model m {
  dim N = 3
  public x[N]: fixed<8, 4>
  open W[N]: fixed<8, 4> from base "W"
  secret A[N]: fixed<8, 4> from adapter "A"
  public y = sum(i) W[i] * x[i] + sum(i) A[i] * x[i]
}
`,
    );
    const file = (name: string, values: number[]): Uint8Array =>
      writeSafetensors(new Map([[name, { dtype: 'F32', shape: [3], values }]]));
    place.write('base.safetensors', file('W', [1, 2, -3]));
    place.write('other.safetensors', file('W', [1, 2, 3]));
    place.write('adapter.safetensors', file('A', [1, 0, -1]));
    place.ok('compile', 'm.zkl', '-o', 'm.zkb');
    const commit = (source: string, directory: string): string =>
      json(
        place.ok(
          'commit',
          'm.zkb',
          '--source',
          source,
          '--weights',
          `${source}=${source}.safetensors`,
          '-o',
          directory,
          '--no-cache',
          '--json',
          ...small,
        ),
      )['digest'] as string;
    base = commit('base', 'base');
    adapter = commit('adapter', 'keys');
    place.ok(
      'prove',
      'm.zkb',
      '--weights',
      'base=base.safetensors',
      '--weights',
      'adapter=adapter.safetensors',
      '--opening',
      'base=base/opening.zko',
      '--opening',
      'adapter=keys/opening.zko',
      '--inputs',
      'random:1',
      '-o',
      'm.zkp',
      ...small,
    );
  });
  afterAll(() => place.remove());

  test('nothing: it could not be verified, with the three ways out', () => {
    const { status, stdout, stderr } = run('--no-cache');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('could not verify: nobody has checked the commitment to the open weights "base"');
    expect(stderr).toMatch(/--weights base=DIR .*--pin base=HEX .*--trust base .*its digest is [0-9a-f]{64}/);
    const told = run('--no-cache', '--json');
    expect(told.status).toBe(2);
    expect(json(told)).toMatchObject({ ok: false, verdict: 'unverified', sources: ['base'] });
  });

  test('trust, a pin, the weights: named as such, by person and by program', () => {
    const given = { basis: 'given', visibility: 'secret', commitment: adapter };
    const rests = (basis: string): unknown => ({
      adapter: given,
      base: { basis, visibility: 'open', commitment: base },
    });
    expect(json(run('--no-cache', '--trust', 'base', '--json'))).toMatchObject({
      ok: true,
      verdict: 'accepted',
      program_basis: 'given',
      context: 'none',
      rests_on: rests('trusted'),
    });
    expect(json(run('--no-cache', '--pin', `base=${base}`, '--json'))).toMatchObject({
      ok: true,
      rests_on: rests('pinned'),
    });
    const both = json(run('--no-cache', '--trust', 'base', '--pin', `adapter=${adapter.toUpperCase()}`, '--json'));
    expect(both).toMatchObject({ ok: true, rests_on: { adapter: { basis: 'pinned' }, base: { basis: 'trusted' } } });
    const { status, stdout } = run('--no-cache', '--weights', 'base.safetensors');
    expect(status).toBe(0);
    expect(stdout).toContain(
      `open weights "base", commitment ${base}\n    checked now: compared with the weights of base.safetensors`,
    );
    expect(stdout).toContain(`secret weights "adapter", commitment ${adapter}\n    given: taken as it came`);
    expect(stdout).toMatch(/program [0-9a-f]{64}\n {4}given: whatever the bundle holds/);
    expect(stdout).toContain('no context: the proof can be shown again');
  });

  test('other weights, another digest: rejected', () => {
    const wrong = run('--weights', 'base=other.safetensors');
    expect(wrong.status).toBe(1);
    expect(wrong.stdout).toContain('the commitment to "base" is not to the weights of other.safetensors');
    const pinned = run('--trust', 'base', '--pin', `adapter=${base}`);
    expect(pinned.status).toBe(1);
    expect(pinned.stdout).toContain(`has the digest ${adapter}, ${base} is expected (pinned)`);
  });

  test('what was checked once is remembered, where nobody else can write', () => {
    expect(run().status).toBe(2);
    expect(run('--weights', 'base.safetensors').status).toBe(0);
    const later = run('--json');
    expect(json(later)).toMatchObject({ ok: true, rests_on: { base: { basis: 'checked earlier' } } });
    expect(run().stdout).toMatch(/checked earlier: compared with the weights of \/.*\/base\.safetensors on \d{4}-/);
    place.run('chmod', ['o+w', 'home/.cache/zkl']);
    expect(run().status).toBe(2);
    place.run('chmod', ['o-w', 'home/.cache/zkl']);
    expect(run().status).toBe(0);
    // An entry that others could have written does not count.
    const entry = readdirSync(place.file('home/.cache/zkl')).find((f) => f.startsWith('checked-')) ?? '';
    place.run('chmod', ['o+w', `home/.cache/zkl/${entry}`]);
    expect(run().status).toBe(2);
    // Whoever makes the commitment from the weights has checked it.
    place.run('rm', ['-r', 'home/.cache']);
    place.ok('commit', 'm.zkb', '--source', 'base', '--weights', 'base=base.safetensors', '-o', 'again', ...small);
    expect(readdirSync(place.file('home/.cache/zkl')).filter((f) => f.startsWith('checked-'))).toHaveLength(1);
    expect(run().status).toBe(0);
  });

  test('words that fit nothing are refused', () => {
    for (const [args, message] of [
      [['--trust', 'adapter'], '"adapter" is secret'],
      [['--trust', 'bsae'], 'takes nothing from "bsae"'],
      [['--pin', 'base=abc'], 'is no digest'],
      [['--pin', `${base}`], 'does not say which'],
    ] as const) {
      const { status, stderr } = run(...args);
      expect(status).toBe(2);
      expect(stderr).toContain(message);
    }
  });
});
