import { expect, test } from 'vitest';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import { cases, golden } from '../golden/golden.ts';
import { bare } from './arbitrary.ts';
import { showProblems, showTree } from './show.ts';

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
