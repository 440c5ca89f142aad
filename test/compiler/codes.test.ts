/** The table of codes: each has an example that is wrong in just this way, and right once mended. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codes, entryOf, type Code } from '../../grammar/codes/index.ts';
import { explain } from '../../compiler/explain.ts';
import { root, sources } from '../architecture/modules.ts';

const all = Object.keys(codes) as Code[];

describe('every code', () => {
  test.each(all)('%s', (code) => {
    const { mend = [], example } = entryOf(code);
    const { example: wrong, mended } = explain(code);
    const told = wrong.diagnostics.map((d) => `${d.severity} ${d.code}`);
    expect(told).toEqual([`${code.startsWith('ZKL6') ? 'warning' : 'error'} ${code}`]);
    expect(mended.diagnostics.map((d) => `${d.code} ${d.title}: ${d.label}`)).toEqual([]);
    for (const [from] of mend) expect(example.split(from), from).toHaveLength(2);
  });

  test('is one problem: no two have one title', () => {
    const titles = all.map((code) => entryOf(code).title);
    expect(titles.filter((title, k) => titles.indexOf(title) !== k)).toEqual([]);
  });

  test('is reported somewhere', () => {
    const text = [...sources('grammar'), ...sources('compiler')]
      .filter((file) => !file.startsWith('grammar/codes/'))
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    const reported = new Set([...text.matchAll(/code: '(ZKL\d{3})'/g)].map(([, code]) => code));
    expect(all.filter((code) => !reported.has(code))).toEqual([]);
    expect([...reported].filter((code) => !all.includes(code as Code))).toEqual([]);
  });
});
