/** The standard library as a whole: it checks, it is formatted, and "std" passes all of it on. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import { resolveStandard, standardFile } from '../../compiler/standard/index.ts';
import { resolveImport } from '../compiler/standard.ts';
import { generateTexts, textsFile } from './generate.ts';

test('every file checks, and everything in it can be imported from "std"', async () => {
  const folder = new URL('../../stdlib/', import.meta.url);
  const all = resolveImport('std')?.text ?? '';
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.zkl'))) {
    const name = file === 'std.zkl' ? 'std' : `std/${file.replace('.zkl', '')}`;
    expect(standardFile(name)).toBe(file);
    const { text = '', source = '' } = resolveImport(name) ?? {};
    const parsed = parse(text, source);
    expect(parsed.diagnostics).toEqual([]);
    expect(check({ program: parsed.program, source, resolveImport }).diagnostics).toEqual([]);
    expect((await format(text, source)).text).toBe(text);
    for (const item of parsed.program.items) expect(all).toMatch(new RegExp(`\\b${item.name.text}\\b`));
  }
  for (const name of ['std/../std', 'std/', 'standard', 'std/a/b', 'Std']) expect(standardFile(name)).toBeUndefined();
});

test('the compiler has the files as they are in the folder: `node test/stdlib/generate.ts` copies them', () => {
  expect(readFileSync(textsFile, 'utf8')).toBe(generateTexts());
  for (const name of ['std', 'std/norm']) expect(resolveStandard(name)?.text).toBe(resolveImport(name)?.text);
  for (const name of ['std/nothing', 'std/constructor', 'mine']) expect(resolveStandard(name)).toBeUndefined();
});
