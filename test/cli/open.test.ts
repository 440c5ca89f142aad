import { expect, test } from 'vitest';
import { writeSafetensors } from '../../runtime/formats/safetensors-writer.ts';
import { small, testWorkplace } from './run.ts';

test('verify says which open weights an accepted proof is about', () => {
  const place = testWorkplace();
  place.write(
    'm.zkl',
    `model m {
  dim N = 3
  public x[N]: fixed<8, 4>
  open W[N]: fixed<8, 4> from base "W"
  public y = sum(i) W[i] * x[i]
}
`,
  );
  const file = (values: number[]): Uint8Array =>
    writeSafetensors(new Map([['W', { dtype: 'F32', shape: [3], values }]]));
  place.write('base.safetensors', file([1, 2, -3]));
  place.write('other.safetensors', file([1, 2, 3]));
  place.ok('compile', 'm.zkl', '-o', 'm.zkb');
  const json = (...args: string[]): Record<string, unknown> =>
    JSON.parse(place.ok(...args, ...small, '--json').stdout) as Record<string, unknown>;
  const { digest } = json('commit', 'm.zkb', '--weights', 'base.safetensors', '-o', 'base');
  const inputs = ['--opening', 'base/opening.zko', '--inputs', 'random:1'];
  place.ok('prove', 'm.zkb', '--weights', 'base.safetensors', ...inputs, '-o', 'm.zkp', ...small);
  const verify = ['verify', 'm.zkb', 'm.zkp', '--commitment', 'base/commitment.zkc'];
  expect(json(...verify)).toMatchObject({ ok: true, open: { base: digest } });
  expect(place.ok(...verify, ...small).stdout).toContain(`the open weights "base" of commitment ${String(digest)}`);

  expect(place.ok(...verify, '--weights', 'base.safetensors', ...small).stdout).toContain(
    `the open weights of base.safetensors, commitment ${String(digest)}`,
  );
  const wrong = place.zkl([...verify, '--weights', 'base=other.safetensors', ...small]);
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toContain('the commitment to "base" is not to the weights of other.safetensors');
});
