/** The example model with its adapter, in 16 bits, against what its training saw in float64. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeWorkplace, type Workplace } from '../apps/command/run.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = fileURLToPath(new URL('../../examples/harbour', import.meta.url));

interface Scores {
  readonly cross_entropy: readonly number[];
  readonly logits: Readonly<Record<string, readonly (readonly number[])[]>>;
}
const reference = JSON.parse(readFileSync(`${folder}/reference.json`, 'utf8')) as {
  readonly sequences: readonly (readonly number[])[];
  readonly base: Scores;
  readonly adapted: Scores;
};

describe('the harbour model, imported and calibrated', () => {
  let place: Workplace;
  const base = ['--weights', `base=${folder}/model`];
  const adapter = ['--weights', `adapter=${folder}/adapter`];

  beforeAll(() => {
    place = makeWorkplace();
    place.ok('import', `${folder}/model`, '--adapter', `${folder}/adapter`, '--tokens', '32', '-o', 'm.zkl');
    place.write('samples.json', JSON.stringify({ tokens: reference.sequences }));
    place.ok('calibrate', 'm.zkl', ...base, ...adapter, '--samples', 'samples.json');
  });
  afterAll(() => place.remove());

  /** All sequences against a reference; logits are those of the first. */
  function compare(scores: Scores, weights: readonly string[], samples = 'samples.json'): Record<string, number> {
    const { cross_entropy, logits } = scores;
    place.write('reference.json', JSON.stringify({ cross_entropy, logits: logits['0'] }));
    const args = ['compare', 'm.zkl', ...weights, '--samples', samples, '--reference', 'reference.json', '--json'];
    return JSON.parse(place.ok(...args).stdout) as Record<string, number>;
  }

  test.each([
    ['with the adapter', 'adapted', [...base, ...adapter]],
    ['without it', 'base', base],
  ] as const)('%s', (_, which, weights) => {
    const found = compare(reference[which], weights);
    // Float64 itself is off by the rounding of constants: cosines, sines and 1 / sqrt(K).
    expect(found['referenceError']).toBeLessThan(0.02);
    expect(Math.abs(found['floatCrossEntropy'] / found['referenceCrossEntropy'] - 1)).toBeLessThan(2e-3);
    expect(found['referenceAgreement']).toBeGreaterThanOrEqual(31 / 32);
    expect(found['agreement']).toBeGreaterThanOrEqual(0.99);
    expect(Math.abs(found['crossEntropy'] / found['floatCrossEntropy'] - 1)).toBeLessThan(0.005);
  });

  test('the adapter is what makes the difference', () => {
    const [adapted, plain] = [compare(reference.adapted, [...base, ...adapter]), compare(reference.adapted, base)];
    expect(plain['referenceError']).toBeGreaterThan(10 * adapted['referenceError']);
  });
});
