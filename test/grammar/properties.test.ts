import fc, { type Arbitrary } from 'fast-check';
import { expect, test } from 'vitest';
import { format, print } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import { lex } from '../../grammar/parse/lexer.ts';
import { KEYWORDS } from '../../grammar/parse/tokens.ts';
import { bare, program } from './arbitrary.ts';

test('a printed tree parses to itself, and formatting what was printed changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(program, async (tree) => {
      const text = await print(tree);
      const parsed = parse(text, 'x');
      expect(parsed.diagnostics, text).toEqual([]);
      expect(bare(parsed.program), text).toEqual(bare(tree));
      expect((await format(text, 'x')).text).toBe(text);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 20_000 },
  );
}, 60_000);

/** Blanks, line breaks and comments to put between tokens; indented, so that no name begins a statement by it. */
const gap = fc.constantFrom(
  ' ',
  '\n      ',
  ' // a\n      ',
  '\n      // b\n      ',
  '\n\n\n      ',
  '\n      /// c\n\n      ',
  ' /// d\n       ',
);

/** A text with something put between some of its tokens. */
const scattered: Arbitrary<Promise<string>> = fc
  .tuple(program, fc.array(fc.tuple(fc.nat(), gap), { maxLength: 6 }))
  .map(async ([tree, gaps]) => {
    const text = await print(tree);
    const starts = lex(text, 'x').tokens.map(({ startOffset }) => startOffset);
    const inserted = gaps.map(([i, between]) => [starts[i % Math.max(1, starts.length)] ?? 0, between] as const);
    return inserted
      .sort(([a], [b]) => b - a)
      .reduce((result, [at, between]) => result.slice(0, at) + between + result.slice(at), text);
  });

/** The comments of a text, in any order, those that document nothing as ordinary ones. */
const commentsOf = (text: string): string[] =>
  parse(text, 'x')
    .comments.map((comment) => comment.text.replace(/^\/\/\//, '//'))
    .sort();

test('formatting keeps the program and every comment, and does all it would do at once', async () => {
  await fc.assert(
    fc.asyncProperty(scattered, async (scatter) => {
      const text = await scatter;
      const before = parse(text, 'x');
      fc.pre(before.diagnostics.every(({ severity }) => severity === 'warning'));
      const formatted = (await format(text, 'x')).text ?? '';
      const after = parse(formatted, 'x');
      expect(after.diagnostics, `${text}\n---\n${formatted}`).toEqual([]);
      expect(bare(after.program), `${text}\n---\n${formatted}`).toEqual(bare(before.program));
      expect(commentsOf(formatted), `${text}\n---\n${formatted}`).toEqual(commentsOf(text));
      expect((await format(formatted, 'x')).text, text).toBe(formatted);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 20_000 },
  );
}, 60_000);

const fragments = [
  ...KEYWORDS,
  ...'{}[]()<>=,:+-*/^"\n\t ',
  '->',
  '<=',
  '//',
  '///',
  'x',
  "x'",
  '1',
  '1e',
  '\n  x = ',
  '·',
];

test('no text makes the parser throw, and every span lies in the text', () => {
  const garbage = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...fragments), { maxLength: 80 }).map((parts) => parts.join('')),
    fc.array(fc.constantFrom(...fragments), { maxLength: 80 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(garbage, (text) => {
      for (const { span, notes = [], label, title } of parse(text, 'x').diagnostics) {
        expect(title && label).toBeTruthy();
        for (const { start, end } of [span, ...notes.map((note) => note.span)]) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      }
    }),
    { numRuns: 1500, interruptAfterTimeLimit: 20_000 },
  );
}, 60_000);
