/** What the compiler writes is what readers of bundles read, however large; what they would not, it refuses itself. */
import { describe, expect, test } from 'vitest';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import { importModel } from '../../../models/import/model.ts';
import { BudgetError, createVerifier, defaultLimit, parseLimit, planWithin } from '../../../runtime/verifier/index.ts';
import { resolveImport } from '../../compiler/standard.ts';
import { testDevice } from '../../kit/devices.ts';
import { calibrationOf } from '../../stdlib/blocks.ts';
import { llama7b } from '../../support/llama7b.ts';

describe('the widths of LLaMA-7B', () => {
  // Eight of its 32 layers: more rows and slots than a machine has memory for, and it takes a quarter of the time to compile.
  test('are compiled, read, priced, and verified under a limit that allows it', { timeout: 60_000 }, async () => {
    const { text } = await importModel(await llama7b(8), [], 8);
    const calibration = calibrationOf(text, { bits: 16, frac: 10 });
    const { bundle, diagnostics } = compile({ text, source: 'model.zkl', resolveImport, calibration });
    expect(diagnostics).toEqual([]);
    const { gadgets } = decodeBundle(bundle!);
    expect(gadgets.sources[0].rows).toBeGreaterThan(2 ** 17);
    expect(gadgets.sources[0].rows * gadgets.columns).toBeGreaterThan(2 ** 30);
    const device = await testDevice();
    const refused: unknown = await createVerifier(bundle!, { device }).catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(BudgetError);
    const limit = parseLimit('100s,1G');
    const { milliseconds, bytes } = await planWithin(gadgets, limit);
    expect(milliseconds).toBeGreaterThan(defaultLimit.milliseconds);
    const verifier = await createVerifier(bundle!, { device, limit });
    expect(verifier.estimate).toEqual({ milliseconds, bytes });
  });
});

test('a program that no reader would read is refused by the compiler', () => {
  const text = `model m {
    public x[65536]: fixed<8, 4>
    secret w[32768, 65536]: fixed<8, 4> from adapter "w"
    public y[i] = sum(j) w[i, j] * x[j]
  }`;
  const { bundle, diagnostics } = compile({ text, source: 'm.zkl', resolveImport: () => undefined });
  expect(bundle).toBeUndefined();
  expect(diagnostics.map((d) => `${d.code} ${d.label}`)).toEqual(['ZKL509 a source is too large']);
});
