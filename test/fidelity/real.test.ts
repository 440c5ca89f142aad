/**
 * Published models, calibrated with the defaults and measured on texts that calibration never saw. The folders are made by the scripts beside
 * their references; ZKL_MODELS says where they are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeWorkplace, type Workplace } from '../apps/command/run.ts';

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
const models = process.env['ZKL_MODELS'] ?? `${shared}/models`;

interface Case {
  readonly name: string;
  readonly adapter?: string;
  readonly tokens: readonly number[];
  /** At least, of all positions. */
  readonly agreement: number;
}

const cases: readonly Case[] = [
  { name: 'smollm2-135m', adapter: 'smollm2-pirate', tokens: [16, 32], agreement: 0.99 },
  { name: 'mgm-gpt2', tokens: [64], agreement: 0.995 },
];

interface Compared {
  readonly positions: number;
  readonly agreement: number;
  readonly clearAgreement: number;
  readonly lastAgreement: number;
  readonly crossEntropy: number;
  readonly floatCrossEntropy: number;
  readonly meanDifference: number;
  readonly overflows: readonly unknown[];
}

describe.each(cases)('$name', ({ name, adapter, tokens, agreement }) => {
  const folder = `${models}/${name}`;
  const present = existsSync(`${folder}/model.safetensors`) && existsSync(`${shared}/models/${name}/reference.json`);
  if (!present) console.warn(`SKIPPED: there is no ${folder} to test with; its make.py makes it`);

  describe.runIf(present).each(tokens)('%i tokens', (T) => {
    let place: Workplace;
    const weights = [
      ...['--weights', `base=${folder}`],
      ...(adapter === undefined ? [] : ['--weights', `adapter=${shared}/adapters/${adapter}`]),
    ];
    beforeAll(() => {
      place = makeWorkplace();
      const added = adapter === undefined ? [] : ['--adapter', `${shared}/adapters/${adapter}`];
      place.ok('import', folder, ...added, '--tokens', String(T), '-o', 'm.zkl');
      place.ok('calibrate', 'm.zkl', ...weights, '--samples', `${shared}/models/${name}/samples.json`);
      const text = readFileSync(`${shared}/models/${name}/reference.json`, 'utf8');
      const { unseen } = JSON.parse(text) as { readonly unseen: readonly { readonly tokens: readonly number[] }[] };
      place.write('unseen.json', JSON.stringify({ tokens: unseen.map((sample) => sample.tokens) }));
    });
    afterAll(() => place.remove());

    test('says what float64 says', () => {
      const json = place.ok('compare', 'm.zkl', ...weights, '--samples', 'unseen.json', '--json').stdout;
      const found = JSON.parse(json) as Compared;
      console.log(
        `${name}, ${T} tokens: ${found.agreement} of ${found.positions} positions, ${found.clearAgreement} without ties, ` +
          `${found.lastAgreement} of last ones, loss ${found.crossEntropy / found.floatCrossEntropy - 1}, ${found.meanDifference} apart`,
      );
      expect(found.overflows).toEqual([]);
      expect(found.agreement).toBeGreaterThanOrEqual(agreement);
      expect(found.lastAgreement).toBe(1);
      expect(Math.abs(found.crossEntropy / found.floatCrossEntropy - 1)).toBeLessThan(0.005);
      expect(found.meanDifference).toBeLessThan(0.02);
    });
  });
});
