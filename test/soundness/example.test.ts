import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { createWasmDevice, createReferenceDevice } from '../../index.ts';
import { assertGadget, checkGadget } from '../kit/index.ts';

/** The example of docs/testing.md, run as it stands there. */
const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
const code = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

describe('docs/testing.md', () => {
  const body = code
    .replace(/^import .*\n/gm, '')
    .replace('(n: number, coefficient: number): string', '(n, coefficient)');

  test('has an example of two tests', () => {
    expect(code.match(/^import .*;$/gm)).toEqual([
      "import { test } from 'vitest';",
      "import fc from 'fast-check';",
      "import { createWasmDevice, createReferenceDevice } from 'zkl';",
      "import { assertGadget } from 'zkl/testing';",
    ]);
    expect(body.match(/^test\(/gm)).toHaveLength(2);
  });

  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page's own code, from this repository
  const run = new Function('test', 'fc', 'createWasmDevice', 'createReferenceDevice', 'assertGadget', body) as (
    ...args: unknown[]
  ) => void;
  run(test, fc, createWasmDevice, createReferenceDevice, assertGadget);
});

describe('a report', () => {
  test('counts what was checked and says what was not caught', async () => {
    const device = await createWasmDevice({ threads: 1 });
    const text =
      'model m { public x[3]: fixed<4, 0>\n secret s[3]: fixed<4, 0> from a "s"\n public y[i] = x[i] * s[i] }'.replace(
        'model m {',
        'model m {\n source a\n',
      );
    const report = await checkGadget(text, { devices: [device], samples: 3, statements: 1 });
    expect(report.text).toMatch(/all hold$/);
    expect(report.ok).toBe(true);

    // A device whose sums of points are always infinity accepts what it should not.
    const blind = {
      ...device,
      msm: (): Promise<Uint8Array> => Promise.resolve(Uint8Array.from({ length: 48 }, (_, i) => (i === 0 ? 0xc0 : 0))),
    };
    const bad = await checkGadget(text, { devices: [blind], samples: 3, statements: 1 });
    expect(bad.ok).toBe(false);
    expect(bad.failures.map((f) => f.property)).toContain('witness');
    expect(bad.text).toMatch(/do not hold\n {2}/);
    expect(bad.text).toMatch(/was accepted/);
  });

  test('text that does not compile is an error that says why', async () => {
    await expect(checkGadget('model m { public y[i: 3] = z[i] }')).rejects.toThrow(/ZKL\d+/);
  });
});
