/** Example programs compile with what stands beside them, are laid out as `zkl fmt` does it, and are proved as gadgets are tested. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { format } from '../../grammar/format.ts';
import { readCalibration } from '../../models/calibrate/file.ts';
import { resolveImport } from '../compiler/standard.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
const device = await testDevice();

describe.each(readdirSync(folder).filter((name) => name.endsWith('.zkl')))('%s', (name) => {
  const text = readFileSync(folder + name, 'utf8');

  test('is formatted', async () => {
    expect((await format(text)).text).toBe(text);
  });

  test('is proved, and no single change of it is accepted', async () => {
    const beside = `${folder}${name.replace(/\.zkl$/, '')}.calibration.json`;
    const { weights, values } = existsSync(beside)
      ? readCalibration(readFileSync(beside, 'utf8'), beside)
      : { weights: [], values: [] };
    const calibration = Object.fromEntries([...weights, ...values]);
    const report = await assertGadget(text, {
      devices: [device],
      resolveImport,
      calibration,
      statements: 1,
      samples: 1,
    });
    expect(report.ok).toBe(true);
  });
});
