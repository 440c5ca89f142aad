import * as prettier from 'prettier';
import { describe, expect, test, vi } from 'vitest';
import { place } from '../../grammar/print/comments.ts';
import { format, print } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import * as plugin from '../../grammar/prettier.ts';
import { bare } from './arbitrary.ts';

vi.setConfig({ testTimeout: 60_000 });

test('a text with errors is not formatted', async () => {
  const { text, diagnostics } = await format('model m { x = }', 'x');
  expect(text).toBeUndefined();
  expect(diagnostics.map(({ code }) => code)).toEqual(['ZKL104']);
});

test('warnings do not stand in the way, and are mended', async () => {
  const { text, diagnostics } = await format('/// nothing follows\n', 'x');
  expect(diagnostics.map(({ code }) => code)).toEqual(['ZKL601']);
  expect(text).toBe('// nothing follows\n');
  expect(parse(text ?? '', 'x').diagnostics).toEqual([]);
});

test.each(['', '\n\n', '// only a comment', 'model m {}\r\n// c\r\n'])('%j', async (source) => {
  const { text = '' } = await format(source, 'x');
  expect(text).not.toContain('\r');
  expect(bare(parse(text, 'x').program)).toEqual(bare(parse(source, 'x').program));
  expect(parse(text, 'x').comments.length).toBe(parse(source, 'x').comments.length);
});

describe('the plugin', () => {
  const options = { plugins: [plugin], filepath: 'a.zkl' };

  test('is what prettier chooses for a .zkl file, with its own width', async () => {
    const source = 'model m {\n  x = f(aaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbb)\n}';
    expect(await prettier.format(source, { ...options, printWidth: 40 })).toBe(
      'model m {\n  x = f(\n    aaaaaaaaaaaaaaa,\n    bbbbbbbbbbbbbbbbbbbb\n  )\n}\n',
    );
  });

  test('reports the place of an error', async () => {
    const error: unknown = await prettier.format('model m {\n  x = = 1\n}', options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'SyntaxError', loc: { start: { line: 2, column: 7 } } });
  });
});

test('a tree made by hand prints with its doc comments, and without its spans', async () => {
  const source = '/// What\n///  it is.\nmodel m {\n  /// Inputs.\n  public x[T]: index<V>\n}\n';
  expect(await print(parse(source, 'x').program)).toBe(source);
});

test('placing a comment looks at a few of the statements, however many there are', () => {
  const statements = 2000;
  const lines = Array.from({ length: statements }, (_, k) => `  // comment ${k}\n  a${k}[t] = x[t] + 1 // same line`);
  const text = `model m {\n${lines.join('\n')}\n}\n`;
  const { program, comments } = parse(text, 'x');
  const [model] = program.items;
  let looks = 0;
  for (const statement of model.kind === 'model' ? model.body : []) {
    const { span } = statement;
    Object.defineProperty(statement, 'span', { enumerable: true, get: () => (looks++, span) });
  }
  for (const comment of comments) place({ ...comment, leading: false, trailing: false, printed: false }, text, program);
  expect(comments).toHaveLength(2 * statements);
  expect(looks / comments.length).toBeLessThan(4 * Math.log2(statements));
});

test('a run of comments between the elements of a list is read once', async () => {
  const comments = Array.from({ length: 300 }, (_, k) => `    // comment ${k}`).join('\n');
  const text = `model m {\n  y = f(\n    a,\n${comments}\n    b // last\n  )\n}\n`;
  expect((await format(text, 'x')).text).toBe(text);
});

test('a text with carriage returns is formatted as one without', async () => {
  const text = '// one\nmodel m {\n  x = 1   // two\n\n\n  /// doc\n  y = f(a, // three\n    b)\n}\n';
  const { text: plain } = await format(text, 'x');
  expect((await format(text.replaceAll('\n', '\r\n'), 'x')).text).toBe(plain);
  expect((await format(plain ?? '', 'x')).text).toBe(plain);
});
