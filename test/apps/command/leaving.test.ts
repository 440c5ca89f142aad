/** A secret output at the command line: what is written beside its proof, and what a later proof does with it. */
import { statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { makeWorkplace, small, type Result, type Workplace } from './run.ts';

let place: Workplace;
const prove = (output: string, weights: string, opening: string): Result =>
  place.zkl([
    'prove',
    'step.zkb',
    '--weights',
    weights,
    '--opening',
    opening,
    '--inputs',
    'x.json',
    '-o',
    output,
    ...small,
  ]);
const json = ({ stdout }: Result): Record<string, Record<string, Record<string, string>>> =>
  JSON.parse(stdout) as Record<string, Record<string, Record<string, string>>>;

beforeAll(() => {
  place = makeWorkplace();
  place.write(
    'step.zkl',
    `model step {
  dim N = 4
  source state mean
  secret x[N]: fixed<6, 2>
  secret before[N]: fixed<8, 4> from mean "mean"
  secret mean[i] = round<8, 4>(before[i] * 3 / 4 + x[i] / 8)
  public total = sum(i) before[i]
}
`,
  );
  place.write('x.json', JSON.stringify({ x: [1, 2, 3, -4] }));
  const tensor = { dtype: 'F32', shape: [4], values: [1, -2, 3, 0.5] } as const;
  place.write('start.safetensors', writeSafetensors(new Map([['mean', tensor]])));
  expect(place.zkl(['compile', 'step.zkl', '-o', 'step.zkb']).status).toBe(0);
  expect(place.zkl(['commit', 'step.zkb', '--weights', 'start.safetensors', '-o', 'keys', ...small]).status).toBe(0);
  expect(prove('one.zkp', 'start.safetensors', 'keys/opening.zko').status).toBe(0);
});

describe('a secret output', () => {
  test('is written beside the proof, its opening and numbers for their owner alone, and verify says its digest', () => {
    for (const [name, mode] of [
      ['one.mean.zko', 0o600],
      ['one.mean.safetensors', 0o600],
    ] as const)
      expect(statSync(place.file(name)).mode & 0o777, name).toBe(mode);
    const verified = place.zkl(['verify', 'step.zkb', 'one.zkp', '--commitment', 'keys/commitment.zkc', ...small]);
    const digest = /secret output mean: commitment ([0-9a-f]{64})\n/.exec(verified.stdout)?.[1];
    expect(verified.status).toBe(0);
    const again = place.zkl([
      'verify',
      'step.zkb',
      'one.zkp',
      '--commitment',
      'keys/commitment.zkc',
      '--json',
      ...small,
    ]);
    expect(json(again).outputs).toEqual({ mean: digest });
  });

  test('is what the next proof begins with', () => {
    const two = prove('two.zkp', 'one.mean.safetensors', 'one.mean.zko');
    expect(two.status).toBe(0);
    // 3/4 of 1 - 2 + 3 + 1/2, and an eighth of 1 + 2 + 3 - 4, each rounded to sixteenths.
    expect(two.stdout).toContain('total[]  2.125');
    // Nothing says here that the first proof was accepted.
    const alone = place.zkl(['verify', 'step.zkb', 'two.zkp', '--commitment', 'one.mean.zkc', ...small]);
    expect(alone.status).toBe(1);
    expect(alone.stdout).toContain('it is what a proof puts out, and is adopted from that proof once it is accepted');
  });

  test('is never written over, and has no place beside stdout', () => {
    const again = prove('one.zkp', 'start.safetensors', 'keys/opening.zko');
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('one.mean.zkc exists, and whoever takes the output that it belongs to needs it');
    const out = prove('-', 'start.safetensors', 'keys/opening.zko');
    expect(out.status).toBe(2);
    expect(out.stderr).toContain('name a file for the proof: -o FILE');
  });

  test('is shown by inspect', () => {
    const { stdout } = place.zkl(['inspect', 'step.zkb']);
    expect(stdout).toMatch(/secret output {2}mean\[4\] +fixed<8, 4> +1 = 2\^-4 +in mean, step.zkl:6/);
    expect(stdout).toContain('Put out, in rows of the proof\n  mean: 1 row of 32 columns');
  });
});
