/** A real model in 16 bits: the same tokens as in floating point, and the same cross-entropy. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fileURLToPath } from 'node:url';
import { makeWorkplace, type Workplace } from '../apps/command/run.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const present = existsSync(`${folder}/model.safetensors`);
if (!present) console.warn('SKIPPED: there is no ../shared/models/stories260k to test with');

describe.skipIf(!present)('stories260k, imported and calibrated', () => {
  let place: Workplace;
  const reference = `${folder}/reference.json`;
  const base = ['--weights', `base=${folder}`];

  beforeAll(() => {
    place = makeWorkplace();
    place.ok('import', folder, '--tokens', '64', '-o', 'm.zkl');
  });
  afterAll(() => place.remove());

  /** Calibrated on the first four sequences, compared on two others. */
  function compare(...options: string[]): Record<string, number> {
    place.ok('calibrate', 'm.zkl', ...base, '--samples', reference, '--limit', '4', ...options);
    const { sequences } = JSON.parse(readFileSync(reference, 'utf8')) as { sequences: number[][] };
    place.write('others.json', JSON.stringify({ tokens: sequences.slice(4, 6) }));
    return JSON.parse(place.ok('compare', 'm.zkl', ...base, '--samples', 'others.json', '--json').stdout) as Record<
      string,
      number
    >;
  }

  test('by default: at least 99.5 % of tokens of eight other sequences, cross-entropy within 0.5 %', () => {
    const { sequences } = JSON.parse(readFileSync(reference, 'utf8')) as { sequences: number[][] };
    place.write('others.json', JSON.stringify({ tokens: sequences.slice(8) }));
    place.ok('calibrate', 'm.zkl', ...base, '--samples', reference, '--limit', '8');
    const json = place.ok(
      'compare',
      'm.zkl',
      ...base,
      '--samples',
      'others.json',
      '--at-least',
      '99.5',
      '--json',
    ).stdout;
    const { agreement, lastAgreement, crossEntropy, floatCrossEntropy } = JSON.parse(json) as Record<string, number>;
    expect(agreement).toBeGreaterThanOrEqual(0.995);
    expect(lastAgreement).toBe(1);
    expect(Math.abs(crossEntropy / floatCrossEntropy - 1)).toBeLessThan(0.005);
  });

  test('12 bits: cross-entropy within 2 %', () => {
    const { agreement, crossEntropy, floatCrossEntropy } = compare('--bits', '12');
    expect(agreement).toBeGreaterThan(0.9);
    expect(Math.abs(crossEntropy / floatCrossEntropy - 1)).toBeLessThan(0.02);
  });

  test('float64 is that of other software, to the rounding of constants', () => {
    place.ok('calibrate', 'm.zkl', ...base, '--samples', reference, '--limit', '1');
    const args = [
      'compare',
      'm.zkl',
      ...base,
      '--samples',
      reference,
      '--reference',
      reference,
      '--limit',
      '1',
      '--json',
    ];
    const json = JSON.parse(place.ok(...args).stdout) as Record<string, number>;
    expect(json['referenceError']).toBeLessThan(0.02);
    expect(json['referenceAgreement']).toBeGreaterThanOrEqual(0.98);
    expect(Math.abs(json['floatCrossEntropy'] / json['referenceCrossEntropy'] - 1)).toBeLessThan(1e-3);
  });
});
