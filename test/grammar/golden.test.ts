import { expect, test, vi } from 'vitest';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import { cases, golden } from '../golden/golden.ts';
import { bare } from './arbitrary.ts';
import { showProblems, showTree } from './show.ts';

vi.setConfig({ testTimeout: 60_000 });

test.each(cases('grammar'))('$name', async ({ file, source }) => {
  const { program, diagnostics } = parse(source, file);
  const { text } = await format(source, file);
  golden(file, {
    SOURCE: source,
    PROBLEMS: showProblems(diagnostics, source) || 'NONE',
    TREE: showTree(program),
    FORMATTED: text === undefined ? 'NOT FORMATTED' : text === source ? 'NO CHANGE' : text,
  });
  if (text !== undefined) {
    expect((await format(text, file)).text).toBe(text);
    expect(bare(parse(text, file).program)).toEqual(bare(program));
  }
});

test.skipIf(process.env['UPDATE_GOLDEN'] === '1')('a golden file that differs or is missing fails', () => {
  expect(() => golden('grammar/module.md', { SOURCE: 'model m {}\n' })).toThrow('UPDATE_GOLDEN=1');
  expect(() => golden('grammar/no such case.md', { SOURCE: '' })).toThrow('UPDATE_GOLDEN=1');
});
